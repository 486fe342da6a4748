; ModuleID = 'attention_sm_80'
source_filename = "attention_sm_80"
target datalayout = "e-p3:32:32-p4:32:32-p5:32:32-p6:32:32-p7:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64"
target triple = "nvptx64-nvidia-cuda"

@shared = internal addrspace(3) global [4096 x i8] undef, align 16

; Function Attrs: nounwind
define ptx_kernel void @attention_sm_80(ptr addrspace(1) readonly align 16 %q, ptr addrspace(1) readonly align 16 %k, ptr addrspace(1) readonly align 16 %v, ptr addrspace(1) align 16 %out, i32 %seq, i32 %keys) #0 {
head:
  %0 = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %1 = lshr i32 %0, 1
  %2 = and i32 %1, 31
  %3 = shl nuw nsw i32 %0, 3
  %4 = and i32 %3, 8
  %5 = and i32 %0, 8
  %6 = shl nuw nsw i32 %0, 2
  %7 = and i32 %6, 16
  %8 = and i32 %0, 16
  %9 = and i32 %0, 3
  %10 = shl nuw nsw i32 %9, 1
  %11 = shl nuw nsw i32 %0, 5
  %12 = and i32 %6, 132
  %13 = shl nuw nsw i32 %9, 8
  %14 = or disjoint i32 %12, %13
  %15 = and i32 %11, 64
  %16 = or disjoint i32 %14, %15
  %17 = shl nuw nsw i32 %0, 1
  %18 = and i32 %17, 56
  %19 = or disjoint i32 %16, %18
  %20 = and i32 %11, 480
  %21 = or disjoint i32 %20, %7
  %22 = xor i32 %21, %8
  %23 = shl nuw nsw i32 %0, 4
  %24 = and i32 %23, 512
  %25 = xor i32 %4, %5
  %26 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %27 = shl i32 %26, 5
  %28 = or disjoint i32 %27, %2
  %29 = icmp slt i32 %27, 0
  %30 = icmp sge i32 %28, %seq
  %.not2 = or i1 %29, %30
  %31 = sext i32 %28 to i64
  %32 = shl nsw i64 %31, 4
  %33 = getelementptr bfloat, ptr addrspace(1) %q, i64 %32
  %34 = zext nneg i32 %25 to i64
  %35 = getelementptr bfloat, ptr addrspace(1) %33, i64 %34
  %36 = getelementptr i8, ptr addrspace(3) @shared, i32 %23
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %36, ptr addrspace(1) %35, i1 %.not2) #2
  call void @llvm.nvvm.cp.async.commit.group()
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %37 = getelementptr i8, ptr addrspace(3) @shared, i32 %22
  %38 = getelementptr i8, ptr addrspace(3) %37, i32 %24
  %39 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %38)
  %40 = extractvalue { i32, i32, i32, i32 } %39, 0
  %41 = extractvalue { i32, i32, i32, i32 } %39, 1
  %42 = extractvalue { i32, i32, i32, i32 } %39, 2
  %43 = extractvalue { i32, i32, i32, i32 } %39, 3
  %44 = or disjoint i32 %10, 1
  %45 = or disjoint i32 %10, 8
  %46 = or disjoint i32 %10, 9
  %47 = or disjoint i32 %10, 16
  %48 = or disjoint i32 %10, 17
  %49 = or disjoint i32 %10, 24
  %50 = or disjoint i32 %10, 25
  %51 = add i32 %keys, 31
  %52 = sdiv i32 %51, 32
  %53 = icmp sgt i32 %51, 31
  %54 = shl nuw nsw i32 %2, 4
  %55 = zext nneg i32 %54 to i64
  %56 = getelementptr bfloat, ptr addrspace(1) %k, i64 %55
  %57 = getelementptr bfloat, ptr addrspace(1) %56, i64 %34
  %58 = icmp sge i32 %2, %keys
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %36, ptr addrspace(1) %57, i1 %53, i1 %58) #2
  %59 = getelementptr bfloat, ptr addrspace(1) %v, i64 %55
  %60 = getelementptr bfloat, ptr addrspace(1) %59, i64 %34
  %61 = getelementptr i8, ptr addrspace(3) %36, i32 2048
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %61, ptr addrspace(1) %60, i1 %53, i1 %58) #2
  call void @llvm.nvvm.cp.async.commit.group()
  br i1 %53, label %.preheader, label %.loopexit

.preheader:                                       ; preds = %head
  %62 = and i32 %11, 992
  %63 = or disjoint i32 %62, %7
  %64 = shl nuw nsw i32 %8, 4
  %65 = and i32 %11, 224
  %66 = or disjoint i32 %65, %7
  %67 = shl nuw nsw i32 %5, 1
  %68 = xor i32 %66, %67
  %invariant.gep = getelementptr bfloat, ptr addrspace(1) %k, i64 %34
  %invariant.gep14 = getelementptr bfloat, ptr addrspace(1) %v, i64 %34
  %69 = getelementptr i8, ptr addrspace(3) @shared, i32 %68
  %70 = getelementptr i8, ptr addrspace(3) %69, i32 %64
  %71 = getelementptr i8, ptr addrspace(3) @shared, i32 %63
  %72 = xor i32 %63, 16
  %73 = getelementptr i8, ptr addrspace(3) @shared, i32 %72
  br label %74

74:                                               ; preds = %.preheader, %74
  %75 = phi i32 [ %89, %74 ], [ 0, %.preheader ]
  %76 = phi float [ %216, %74 ], [ 0xFFF0000000000000, %.preheader ]
  %77 = phi float [ %217, %74 ], [ 0xFFF0000000000000, %.preheader ]
  %78 = phi float [ %286, %74 ], [ 0.000000e+00, %.preheader ]
  %79 = phi float [ %287, %74 ], [ 0.000000e+00, %.preheader ]
  %80 = phi float [ %361, %74 ], [ 0.000000e+00, %.preheader ]
  %81 = phi float [ %362, %74 ], [ 0.000000e+00, %.preheader ]
  %82 = phi float [ %363, %74 ], [ 0.000000e+00, %.preheader ]
  %83 = phi float [ %364, %74 ], [ 0.000000e+00, %.preheader ]
  %84 = phi float [ %366, %74 ], [ 0.000000e+00, %.preheader ]
  %85 = phi float [ %367, %74 ], [ 0.000000e+00, %.preheader ]
  %86 = phi float [ %368, %74 ], [ 0.000000e+00, %.preheader ]
  %87 = phi float [ %369, %74 ], [ 0.000000e+00, %.preheader ]
  %88 = phi i32 [ %94, %74 ], [ 0, %.preheader ]
  %89 = add i32 %75, 1
  %90 = icmp slt i32 %89, %52
  %91 = add i32 %88, 1
  %92 = icmp slt i32 %91, 2
  %93 = add i32 %88, -1
  %94 = select i1 %92, i32 %91, i32 %93
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  %95 = shl i32 %94, 10
  %96 = shl i32 %89, 5
  %97 = or disjoint i32 %96, %2
  %98 = sext i32 %97 to i64
  %99 = shl nsw i64 %98, 4
  %gep = getelementptr bfloat, ptr addrspace(1) %invariant.gep, i64 %99
  %100 = icmp slt i32 %96, 0
  %101 = icmp sge i32 %97, %keys
  %.not4 = or i1 %100, %101
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %102 = getelementptr i8, ptr addrspace(3) %36, i32 %95
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %102, ptr addrspace(1) %gep, i1 %90, i1 %.not4) #2
  %gep15 = getelementptr bfloat, ptr addrspace(1) %invariant.gep14, i64 %99
  %103 = getelementptr i8, ptr addrspace(3) %102, i32 2048
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %103, ptr addrspace(1) %gep15, i1 %90, i1 %.not4) #2
  call void @llvm.nvvm.cp.async.commit.group()
  %104 = shl i32 %88, 10
  %105 = getelementptr i8, ptr addrspace(3) %70, i32 %104
  %106 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %105)
  %107 = extractvalue { i32, i32, i32, i32 } %106, 0
  %108 = extractvalue { i32, i32, i32, i32 } %106, 1
  %109 = extractvalue { i32, i32, i32, i32 } %106, 2
  %110 = extractvalue { i32, i32, i32, i32 } %106, 3
  %111 = getelementptr i8, ptr addrspace(3) %105, i32 512
  %112 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %111)
  %113 = extractvalue { i32, i32, i32, i32 } %112, 0
  %114 = extractvalue { i32, i32, i32, i32 } %112, 1
  %115 = extractvalue { i32, i32, i32, i32 } %112, 2
  %116 = extractvalue { i32, i32, i32, i32 } %112, 3
  %117 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %40, i32 %41, i32 %42, i32 %43, i32 %107, i32 %108, float 0.000000e+00, float 0.000000e+00, float 0.000000e+00, float 0.000000e+00)
  %118 = extractvalue { float, float, float, float } %117, 0
  %119 = extractvalue { float, float, float, float } %117, 1
  %120 = extractvalue { float, float, float, float } %117, 2
  %121 = extractvalue { float, float, float, float } %117, 3
  %122 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %40, i32 %41, i32 %42, i32 %43, i32 %109, i32 %110, float 0.000000e+00, float 0.000000e+00, float 0.000000e+00, float 0.000000e+00)
  %123 = extractvalue { float, float, float, float } %122, 0
  %124 = extractvalue { float, float, float, float } %122, 1
  %125 = extractvalue { float, float, float, float } %122, 2
  %126 = extractvalue { float, float, float, float } %122, 3
  %127 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %40, i32 %41, i32 %42, i32 %43, i32 %113, i32 %114, float 0.000000e+00, float 0.000000e+00, float 0.000000e+00, float 0.000000e+00)
  %128 = extractvalue { float, float, float, float } %127, 0
  %129 = extractvalue { float, float, float, float } %127, 1
  %130 = extractvalue { float, float, float, float } %127, 2
  %131 = extractvalue { float, float, float, float } %127, 3
  %132 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %40, i32 %41, i32 %42, i32 %43, i32 %115, i32 %116, float 0.000000e+00, float 0.000000e+00, float 0.000000e+00, float 0.000000e+00)
  %133 = extractvalue { float, float, float, float } %132, 0
  %134 = extractvalue { float, float, float, float } %132, 1
  %135 = extractvalue { float, float, float, float } %132, 2
  %136 = extractvalue { float, float, float, float } %132, 3
  %137 = fmul float %118, 0x3FD7154760000000
  %138 = fmul float %119, 0x3FD7154760000000
  %139 = fmul float %120, 0x3FD7154760000000
  %140 = fmul float %121, 0x3FD7154760000000
  %141 = fmul float %123, 0x3FD7154760000000
  %142 = fmul float %124, 0x3FD7154760000000
  %143 = fmul float %125, 0x3FD7154760000000
  %144 = fmul float %126, 0x3FD7154760000000
  %145 = fmul float %128, 0x3FD7154760000000
  %146 = fmul float %129, 0x3FD7154760000000
  %147 = fmul float %130, 0x3FD7154760000000
  %148 = fmul float %131, 0x3FD7154760000000
  %149 = fmul float %133, 0x3FD7154760000000
  %150 = fmul float %134, 0x3FD7154760000000
  %151 = fmul float %135, 0x3FD7154760000000
  %152 = fmul float %136, 0x3FD7154760000000
  %153 = shl i32 %75, 5
  %154 = or disjoint i32 %153, %10
  %155 = or disjoint i32 %153, %44
  %156 = or disjoint i32 %153, %45
  %157 = or disjoint i32 %153, %46
  %158 = or disjoint i32 %153, %47
  %159 = or disjoint i32 %153, %48
  %160 = or disjoint i32 %153, %49
  %161 = or disjoint i32 %153, %50
  %162 = icmp slt i32 %154, %keys
  %163 = icmp slt i32 %155, %keys
  %164 = icmp slt i32 %156, %keys
  %165 = icmp slt i32 %157, %keys
  %166 = icmp slt i32 %158, %keys
  %167 = icmp slt i32 %159, %keys
  %168 = icmp slt i32 %160, %keys
  %169 = icmp slt i32 %161, %keys
  %170 = select i1 %162, float %137, float 0xFFF0000000000000
  %171 = select i1 %163, float %138, float 0xFFF0000000000000
  %172 = select i1 %162, float %139, float 0xFFF0000000000000
  %173 = select i1 %163, float %140, float 0xFFF0000000000000
  %174 = select i1 %164, float %141, float 0xFFF0000000000000
  %175 = select i1 %165, float %142, float 0xFFF0000000000000
  %176 = select i1 %164, float %143, float 0xFFF0000000000000
  %177 = select i1 %165, float %144, float 0xFFF0000000000000
  %178 = select i1 %166, float %145, float 0xFFF0000000000000
  %179 = select i1 %167, float %146, float 0xFFF0000000000000
  %180 = select i1 %166, float %147, float 0xFFF0000000000000
  %181 = select i1 %167, float %148, float 0xFFF0000000000000
  %182 = select i1 %168, float %149, float 0xFFF0000000000000
  %183 = select i1 %169, float %150, float 0xFFF0000000000000
  %184 = select i1 %168, float %151, float 0xFFF0000000000000
  %185 = select i1 %169, float %152, float 0xFFF0000000000000
  %186 = call float @llvm.maximumnum.f32(float %170, float %171)
  %187 = call float @llvm.maximumnum.f32(float %172, float %173)
  %188 = call float @llvm.maximumnum.f32(float %174, float %175)
  %189 = call float @llvm.maximumnum.f32(float %176, float %177)
  %190 = call float @llvm.maximumnum.f32(float %178, float %179)
  %191 = call float @llvm.maximumnum.f32(float %180, float %181)
  %192 = call float @llvm.maximumnum.f32(float %182, float %183)
  %193 = call float @llvm.maximumnum.f32(float %184, float %185)
  %194 = call float @llvm.maximumnum.f32(float %186, float %188)
  %195 = call float @llvm.maximumnum.f32(float %187, float %189)
  %196 = call float @llvm.maximumnum.f32(float %190, float %192)
  %197 = call float @llvm.maximumnum.f32(float %191, float %193)
  %198 = call float @llvm.maximumnum.f32(float %194, float %196)
  %199 = call float @llvm.maximumnum.f32(float %195, float %197)
  %200 = bitcast float %198 to i32
  %201 = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %200, i32 1, i32 31)
  %202 = bitcast i32 %201 to float
  %203 = bitcast float %199 to i32
  %204 = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %203, i32 1, i32 31)
  %205 = bitcast i32 %204 to float
  %206 = call float @llvm.maximumnum.f32(float %198, float %202)
  %207 = call float @llvm.maximumnum.f32(float %199, float %205)
  %208 = bitcast float %206 to i32
  %209 = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %208, i32 2, i32 31)
  %210 = bitcast i32 %209 to float
  %211 = bitcast float %207 to i32
  %212 = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %211, i32 2, i32 31)
  %213 = bitcast i32 %212 to float
  %214 = call float @llvm.maximumnum.f32(float %206, float %210)
  %215 = call float @llvm.maximumnum.f32(float %207, float %213)
  %216 = call float @llvm.maximumnum.f32(float %76, float %214)
  %217 = call float @llvm.maximumnum.f32(float %77, float %215)
  %218 = fsub float %170, %216
  %219 = fsub float %171, %216
  %220 = fsub float %172, %217
  %221 = fsub float %173, %217
  %222 = fsub float %174, %216
  %223 = fsub float %175, %216
  %224 = fsub float %176, %217
  %225 = fsub float %177, %217
  %226 = fsub float %178, %216
  %227 = fsub float %179, %216
  %228 = fsub float %180, %217
  %229 = fsub float %181, %217
  %230 = fsub float %182, %216
  %231 = fsub float %183, %216
  %232 = fsub float %184, %217
  %233 = fsub float %185, %217
  %234 = call float @llvm.nvvm.ex2.approx.f32(float %218)
  %235 = call float @llvm.nvvm.ex2.approx.f32(float %219)
  %236 = call float @llvm.nvvm.ex2.approx.f32(float %220)
  %237 = call float @llvm.nvvm.ex2.approx.f32(float %221)
  %238 = call float @llvm.nvvm.ex2.approx.f32(float %222)
  %239 = call float @llvm.nvvm.ex2.approx.f32(float %223)
  %240 = call float @llvm.nvvm.ex2.approx.f32(float %224)
  %241 = call float @llvm.nvvm.ex2.approx.f32(float %225)
  %242 = call float @llvm.nvvm.ex2.approx.f32(float %226)
  %243 = call float @llvm.nvvm.ex2.approx.f32(float %227)
  %244 = call float @llvm.nvvm.ex2.approx.f32(float %228)
  %245 = call float @llvm.nvvm.ex2.approx.f32(float %229)
  %246 = call float @llvm.nvvm.ex2.approx.f32(float %230)
  %247 = call float @llvm.nvvm.ex2.approx.f32(float %231)
  %248 = call float @llvm.nvvm.ex2.approx.f32(float %232)
  %249 = call float @llvm.nvvm.ex2.approx.f32(float %233)
  %250 = fsub float %76, %216
  %251 = fsub float %77, %217
  %252 = call float @llvm.nvvm.ex2.approx.f32(float %250)
  %253 = call float @llvm.nvvm.ex2.approx.f32(float %251)
  %254 = fmul float %78, %252
  %255 = fmul float %79, %253
  %256 = fadd float %234, %235
  %257 = fadd float %236, %237
  %258 = fadd float %238, %239
  %259 = fadd float %240, %241
  %260 = fadd float %242, %243
  %261 = fadd float %244, %245
  %262 = fadd float %246, %247
  %263 = fadd float %248, %249
  %264 = fadd float %256, %258
  %265 = fadd float %257, %259
  %266 = fadd float %260, %262
  %267 = fadd float %261, %263
  %268 = fadd float %264, %266
  %269 = fadd float %265, %267
  %270 = bitcast float %268 to i32
  %271 = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %270, i32 1, i32 31)
  %272 = bitcast i32 %271 to float
  %273 = bitcast float %269 to i32
  %274 = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %273, i32 1, i32 31)
  %275 = bitcast i32 %274 to float
  %276 = fadd float %268, %272
  %277 = fadd float %269, %275
  %278 = bitcast float %276 to i32
  %279 = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %278, i32 2, i32 31)
  %280 = bitcast i32 %279 to float
  %281 = bitcast float %277 to i32
  %282 = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %281, i32 2, i32 31)
  %283 = bitcast i32 %282 to float
  %284 = fadd float %276, %280
  %285 = fadd float %277, %283
  %286 = fadd float %254, %284
  %287 = fadd float %255, %285
  %288 = fptrunc float %234 to bfloat
  %289 = fptrunc float %235 to bfloat
  %290 = fptrunc float %236 to bfloat
  %291 = fptrunc float %237 to bfloat
  %292 = fptrunc float %238 to bfloat
  %293 = fptrunc float %239 to bfloat
  %294 = fptrunc float %240 to bfloat
  %295 = fptrunc float %241 to bfloat
  %296 = fptrunc float %242 to bfloat
  %297 = fptrunc float %243 to bfloat
  %298 = fptrunc float %244 to bfloat
  %299 = fptrunc float %245 to bfloat
  %300 = fptrunc float %246 to bfloat
  %301 = fptrunc float %247 to bfloat
  %302 = fptrunc float %248 to bfloat
  %303 = fptrunc float %249 to bfloat
  %304 = fmul float %80, %252
  %305 = fmul float %81, %252
  %306 = fmul float %82, %253
  %307 = fmul float %83, %253
  %308 = fmul float %84, %252
  %309 = fmul float %85, %252
  %310 = fmul float %86, %253
  %311 = fmul float %87, %253
  %312 = getelementptr i8, ptr addrspace(3) %71, i32 %104
  %313 = getelementptr i8, ptr addrspace(3) %312, i32 2048
  %314 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) %313)
  %315 = extractvalue { i32, i32, i32, i32 } %314, 0
  %316 = extractvalue { i32, i32, i32, i32 } %314, 1
  %317 = extractvalue { i32, i32, i32, i32 } %314, 2
  %318 = extractvalue { i32, i32, i32, i32 } %314, 3
  %319 = getelementptr i8, ptr addrspace(3) %73, i32 %104
  %320 = getelementptr i8, ptr addrspace(3) %319, i32 2048
  %321 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) %320)
  %322 = extractvalue { i32, i32, i32, i32 } %321, 0
  %323 = extractvalue { i32, i32, i32, i32 } %321, 1
  %324 = extractvalue { i32, i32, i32, i32 } %321, 2
  %325 = extractvalue { i32, i32, i32, i32 } %321, 3
  %326 = insertelement <2 x bfloat> poison, bfloat %288, i64 0
  %327 = insertelement <2 x bfloat> %326, bfloat %289, i64 1
  %328 = bitcast <2 x bfloat> %327 to i32
  %329 = insertelement <2 x bfloat> poison, bfloat %290, i64 0
  %330 = insertelement <2 x bfloat> %329, bfloat %291, i64 1
  %331 = bitcast <2 x bfloat> %330 to i32
  %332 = insertelement <2 x bfloat> poison, bfloat %292, i64 0
  %333 = insertelement <2 x bfloat> %332, bfloat %293, i64 1
  %334 = bitcast <2 x bfloat> %333 to i32
  %335 = insertelement <2 x bfloat> poison, bfloat %294, i64 0
  %336 = insertelement <2 x bfloat> %335, bfloat %295, i64 1
  %337 = bitcast <2 x bfloat> %336 to i32
  %338 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %328, i32 %331, i32 %334, i32 %337, i32 %315, i32 %316, float %304, float %305, float %306, float %307)
  %339 = extractvalue { float, float, float, float } %338, 0
  %340 = extractvalue { float, float, float, float } %338, 1
  %341 = extractvalue { float, float, float, float } %338, 2
  %342 = extractvalue { float, float, float, float } %338, 3
  %343 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %328, i32 %331, i32 %334, i32 %337, i32 %322, i32 %323, float %308, float %309, float %310, float %311)
  %344 = extractvalue { float, float, float, float } %343, 0
  %345 = extractvalue { float, float, float, float } %343, 1
  %346 = extractvalue { float, float, float, float } %343, 2
  %347 = extractvalue { float, float, float, float } %343, 3
  %348 = insertelement <2 x bfloat> poison, bfloat %296, i64 0
  %349 = insertelement <2 x bfloat> %348, bfloat %297, i64 1
  %350 = bitcast <2 x bfloat> %349 to i32
  %351 = insertelement <2 x bfloat> poison, bfloat %298, i64 0
  %352 = insertelement <2 x bfloat> %351, bfloat %299, i64 1
  %353 = bitcast <2 x bfloat> %352 to i32
  %354 = insertelement <2 x bfloat> poison, bfloat %300, i64 0
  %355 = insertelement <2 x bfloat> %354, bfloat %301, i64 1
  %356 = bitcast <2 x bfloat> %355 to i32
  %357 = insertelement <2 x bfloat> poison, bfloat %302, i64 0
  %358 = insertelement <2 x bfloat> %357, bfloat %303, i64 1
  %359 = bitcast <2 x bfloat> %358 to i32
  %360 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %350, i32 %353, i32 %356, i32 %359, i32 %317, i32 %318, float %339, float %340, float %341, float %342)
  %361 = extractvalue { float, float, float, float } %360, 0
  %362 = extractvalue { float, float, float, float } %360, 1
  %363 = extractvalue { float, float, float, float } %360, 2
  %364 = extractvalue { float, float, float, float } %360, 3
  %365 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %350, i32 %353, i32 %356, i32 %359, i32 %324, i32 %325, float %344, float %345, float %346, float %347)
  %366 = extractvalue { float, float, float, float } %365, 0
  %367 = extractvalue { float, float, float, float } %365, 1
  %368 = extractvalue { float, float, float, float } %365, 2
  %369 = extractvalue { float, float, float, float } %365, 3
  br i1 %90, label %74, label %.loopexit

.loopexit:                                        ; preds = %74, %head
  %370 = phi float [ 0.000000e+00, %head ], [ %286, %74 ]
  %371 = phi float [ 0.000000e+00, %head ], [ %287, %74 ]
  %372 = phi float [ 0.000000e+00, %head ], [ %361, %74 ]
  %373 = phi float [ 0.000000e+00, %head ], [ %362, %74 ]
  %374 = phi float [ 0.000000e+00, %head ], [ %363, %74 ]
  %375 = phi float [ 0.000000e+00, %head ], [ %364, %74 ]
  %376 = phi float [ 0.000000e+00, %head ], [ %366, %74 ]
  %377 = phi float [ 0.000000e+00, %head ], [ %367, %74 ]
  %378 = phi float [ 0.000000e+00, %head ], [ %368, %74 ]
  %379 = phi float [ 0.000000e+00, %head ], [ %369, %74 ]
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  %380 = fdiv float %372, %370
  %381 = fdiv float %373, %370
  %382 = fdiv float %374, %371
  %383 = fdiv float %375, %371
  %384 = fdiv float %376, %370
  %385 = fdiv float %377, %370
  %386 = fdiv float %378, %371
  %387 = fdiv float %379, %371
  %388 = fptrunc float %380 to bfloat
  %389 = fptrunc float %381 to bfloat
  %390 = fptrunc float %382 to bfloat
  %391 = fptrunc float %383 to bfloat
  %392 = fptrunc float %384 to bfloat
  %393 = fptrunc float %385 to bfloat
  %394 = fptrunc float %386 to bfloat
  %395 = fptrunc float %387 to bfloat
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %396 = getelementptr i8, ptr addrspace(3) @shared, i32 %19
  %397 = insertelement <2 x bfloat> poison, bfloat %388, i64 0
  %398 = insertelement <2 x bfloat> %397, bfloat %389, i64 1
  store <2 x bfloat> %398, ptr addrspace(3) %396, align 4
  %399 = xor i32 %19, 64
  %400 = getelementptr i8, ptr addrspace(3) @shared, i32 %399
  %401 = insertelement <2 x bfloat> poison, bfloat %390, i64 0
  %402 = insertelement <2 x bfloat> %401, bfloat %391, i64 1
  store <2 x bfloat> %402, ptr addrspace(3) %400, align 4
  %403 = xor i32 %19, 4
  %404 = getelementptr i8, ptr addrspace(3) @shared, i32 %403
  %405 = insertelement <2 x bfloat> poison, bfloat %392, i64 0
  %406 = insertelement <2 x bfloat> %405, bfloat %393, i64 1
  store <2 x bfloat> %406, ptr addrspace(3) %404, align 4
  %407 = xor i32 %19, 68
  %408 = getelementptr i8, ptr addrspace(3) @shared, i32 %407
  %409 = insertelement <2 x bfloat> poison, bfloat %394, i64 0
  %410 = insertelement <2 x bfloat> %409, bfloat %395, i64 1
  store <2 x bfloat> %410, ptr addrspace(3) %408, align 4
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  br i1 %30, label %431, label %411

411:                                              ; preds = %.loopexit
  %412 = xor i32 %6, 836
  %413 = getelementptr i8, ptr addrspace(3) @shared, i32 %412
  %414 = load <2 x bfloat>, ptr addrspace(3) %413, align 4
  %415 = shufflevector <2 x bfloat> %414, <2 x bfloat> poison, <8 x i32> <i32 0, i32 1, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison>
  %416 = xor i32 %6, 576
  %417 = getelementptr i8, ptr addrspace(3) @shared, i32 %416
  %418 = load <2 x bfloat>, ptr addrspace(3) %417, align 4
  %419 = shufflevector <2 x bfloat> %418, <2 x bfloat> poison, <8 x i32> <i32 0, i32 1, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison>
  %420 = xor i32 %6, 260
  %421 = getelementptr i8, ptr addrspace(3) @shared, i32 %420
  %422 = load <2 x bfloat>, ptr addrspace(3) %421, align 4
  %423 = getelementptr i8, ptr addrspace(3) @shared, i32 %6
  %424 = load <2 x bfloat>, ptr addrspace(3) %423, align 4
  %425 = getelementptr bfloat, ptr addrspace(1) %out, i64 %32
  %426 = zext nneg i32 %4 to i64
  %427 = getelementptr bfloat, ptr addrspace(1) %425, i64 %426
  %428 = shufflevector <2 x bfloat> %424, <2 x bfloat> %422, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 poison, i32 poison, i32 poison, i32 poison>
  %429 = shufflevector <8 x bfloat> %428, <8 x bfloat> %419, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 8, i32 9, i32 poison, i32 poison>
  %430 = shufflevector <8 x bfloat> %429, <8 x bfloat> %415, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 8, i32 9>
  store <8 x bfloat> %430, ptr addrspace(1) %427, align 16
  br label %431

431:                                              ; preds = %411, %.loopexit
  ret void
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 2147483647) i32 @llvm.nvvm.read.ptx.sreg.ctaid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 1024) i32 @llvm.nvvm.read.ptx.sreg.tid.x() #1

; Function Attrs: nounwind
declare void @llvm.nvvm.cp.async.commit.group() #2

; Function Attrs: nounwind
declare void @llvm.nvvm.cp.async.wait.group(i32 immarg) #2

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32) #3

; Function Attrs: convergent nocallback nounwind memory(argmem: read)
declare { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) readonly captures(none)) #4

; Function Attrs: nocallback nounwind memory(none)
declare { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32, i32, i32, i32, i32, i32, float, float, float, float) #5

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare float @llvm.maximumnum.f32(float, float) #6

; Function Attrs: convergent nocallback nounwind memory(inaccessiblemem: readwrite)
declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32) #7

; Function Attrs: nocallback nofree nosync nounwind willreturn memory(none)
declare float @llvm.nvvm.ex2.approx.f32(float) #8

; Function Attrs: convergent nocallback nounwind memory(argmem: read)
declare { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) readonly captures(none)) #4

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.bar.warp.sync(i32) #3

attributes #0 = { nounwind "nvvm.reqntid"="64,1,1" "target-cpu"="sm_80" }
attributes #1 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { nounwind }
attributes #3 = { convergent nocallback nounwind }
attributes #4 = { convergent nocallback nounwind memory(argmem: read) }
attributes #5 = { nocallback nounwind memory(none) }
attributes #6 = { nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #7 = { convergent nocallback nounwind memory(inaccessiblemem: readwrite) }
attributes #8 = { nocallback nofree nosync nounwind willreturn memory(none) }
