; ModuleID = 'product_sm_90a'
source_filename = "product_sm_90a"
target datalayout = "e-p3:32:32-p4:32:32-p5:32:32-p6:32:32-p7:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64"
target triple = "nvptx64-nvidia-cuda"

@shared = internal addrspace(3) global [10272 x i8] undef, align 16

; Function Attrs: nounwind
define ptx_kernel void @product_sm_90a(ptr addrspace(1) readonly align 16 %a, ptr addrspace(1) readonly align 16 %b, ptr addrspace(1) align 16 %c, i32 %m, i32 %k, i32 %n) #0 {
head:
  %0 = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %1 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %2 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.y()
  %3 = icmp eq i32 %0, 0
  br i1 %3, label %4, label %5

4:                                                ; preds = %head
  call void asm sideeffect "mbarrier.init.shared.b64 [$0], 4;", "r"(ptr addrspace(3) nonnull getelementptr inbounds nuw (i8, ptr addrspace(3) @shared, i32 8192)) #10
  call void asm sideeffect "mbarrier.init.shared.b64 [$0], 4;", "r"(ptr addrspace(3) nonnull getelementptr inbounds nuw (i8, ptr addrspace(3) @shared, i32 8200)) #10
  call void asm sideeffect "mbarrier.init.shared.b64 [$0], 1;", "r"(ptr addrspace(3) nonnull getelementptr inbounds nuw (i8, ptr addrspace(3) @shared, i32 8208)) #10
  call void asm sideeffect "mbarrier.init.shared.b64 [$0], 1;", "r"(ptr addrspace(3) nonnull getelementptr inbounds nuw (i8, ptr addrspace(3) @shared, i32 8216)) #10
  br label %5

5:                                                ; preds = %4, %head
  %6 = add i32 %k, 31
  %7 = sdiv i32 %6, 32
  call void @llvm.nvvm.fence.mbarrier_init.release.cluster()
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %8 = lshr i32 %0, 5
  %9 = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 %8, i32 0, i32 31)
  %10 = icmp ult i32 %9, 4
  br i1 %10, label %11, label %13

.loopexit:                                        ; preds = %179, %211, %300, %58, %11
  ret void

11:                                               ; preds = %5
  call void @llvm.nvvm.setmaxnreg.dec.sync.aligned.u32(i32 40)
  %12 = icmp eq i32 %9, 0
  br i1 %12, label %58, label %.loopexit

13:                                               ; preds = %5
  call void @llvm.nvvm.setmaxnreg.inc.sync.aligned.u32(i32 232)
  %14 = and i32 %0, 16
  %15 = and i32 %0, 64
  %16 = and i32 %0, 32
  %17 = lshr i32 %0, 2
  %18 = and i32 %17, 31
  %19 = and i32 %0, 3
  %20 = shl nuw nsw i32 %19, 3
  %21 = shl nuw nsw i32 %0, 4
  %22 = and i32 %21, 624
  %23 = shl nuw nsw i32 %0, 5
  %24 = and i32 %23, 256
  %25 = or disjoint i32 %22, %24
  %26 = shl nuw nsw i32 %14, 2
  %27 = xor i32 %25, %26
  %28 = shl nuw nsw i32 %14, 6
  %29 = or disjoint i32 %27, %28
  %30 = xor i32 %29, %16
  %31 = shl nuw nsw i32 %15, 1
  %32 = shl nuw nsw i32 %19, 5
  %33 = shl nuw nsw i32 %19, 9
  %34 = or disjoint i32 %32, %33
  %35 = shl nuw nsw i32 %0, 2
  %36 = and i32 %35, 112
  %37 = xor i32 %34, %36
  %38 = shl nuw nsw i32 %16, 3
  %39 = icmp sgt i32 %6, 31
  br i1 %39, label %.preheader1, label %211

.preheader1:                                      ; preds = %13
  %40 = shl nuw nsw i32 %0, 6
  %41 = and i32 %40, 1984
  %42 = shl nuw nsw i32 %0, 3
  %43 = and i32 %42, 48
  %44 = or disjoint i32 %41, %43
  %45 = lshr exact i32 %16, 1
  %46 = xor i32 %44, %45
  %47 = and i32 %40, 960
  %48 = or disjoint i32 %47, %43
  %49 = xor i32 %48, %14
  %50 = shl nuw nsw i32 %15, 4
  %51 = or disjoint i32 %49, %50
  %52 = getelementptr i8, ptr addrspace(3) @shared, i32 %51
  %53 = xor i32 %51, 32
  %54 = getelementptr i8, ptr addrspace(3) @shared, i32 %53
  %55 = getelementptr i8, ptr addrspace(3) @shared, i32 %46
  %56 = xor i32 %46, 32
  %57 = getelementptr i8, ptr addrspace(3) @shared, i32 %56
  br label %182

58:                                               ; preds = %11
  %59 = lshr i32 %0, 2
  %60 = and i32 %59, 7
  %61 = shl nuw nsw i32 %0, 3
  %62 = xor i32 %61, %0
  %63 = and i32 %62, 24
  %64 = icmp sgt i32 %6, 31
  br i1 %64, label %.preheader, label %.loopexit

.preheader:                                       ; preds = %58
  %65 = shl nuw nsw i32 %0, 4
  %66 = and i32 %65, 496
  %67 = shl i32 %1, 5
  %68 = or disjoint i32 %60, 8
  %69 = or disjoint i32 %60, 16
  %70 = or disjoint i32 %60, 24
  %71 = or disjoint i32 %67, %60
  %72 = or disjoint i32 %67, %68
  %73 = or disjoint i32 %67, %69
  %74 = or disjoint i32 %67, %70
  %75 = icmp sgt i32 %67, -1
  %76 = icmp slt i32 %71, %m
  %77 = icmp slt i32 %72, %m
  %78 = icmp slt i32 %73, %m
  %79 = icmp slt i32 %74, %m
  %80 = and i1 %75, %76
  %81 = and i1 %75, %77
  %82 = and i1 %75, %78
  %83 = and i1 %75, %79
  %84 = sext i32 %71 to i64
  %85 = zext nneg i32 %k to i64
  %86 = mul nsw i64 %84, %85
  %87 = getelementptr bfloat, ptr addrspace(1) %a, i64 %86
  %88 = sext i32 %72 to i64
  %89 = mul nsw i64 %88, %85
  %90 = getelementptr bfloat, ptr addrspace(1) %a, i64 %89
  %91 = sext i32 %73 to i64
  %92 = mul nsw i64 %91, %85
  %93 = getelementptr bfloat, ptr addrspace(1) %a, i64 %92
  %94 = sext i32 %74 to i64
  %95 = mul nsw i64 %94, %85
  %96 = getelementptr bfloat, ptr addrspace(1) %a, i64 %95
  %97 = getelementptr i8, ptr addrspace(3) @shared, i32 %66
  %98 = shl nuw nsw i32 %2, 5
  %99 = or disjoint i32 %98, %63
  %100 = icmp slt i32 %99, %n
  %101 = sext i32 %n to i64
  %102 = zext nneg i32 %99 to i64
  %invariant.gep = getelementptr bfloat, ptr addrspace(1) %b, i64 %102
  br label %103

103:                                              ; preds = %.preheader, %179
  %104 = phi i32 [ %180, %179 ], [ 0, %.preheader ]
  %105 = phi i32 [ %109, %179 ], [ 0, %.preheader ]
  %106 = phi i32 [ %111, %179 ], [ 0, %.preheader ]
  %107 = add i32 %105, 1
  %108 = icmp eq i32 %107, 2
  %109 = select i1 %108, i32 0, i32 %107
  %110 = zext i1 %108 to i32
  %111 = add i32 %106, %110
  %112 = shl i32 %105, 3
  %113 = getelementptr i8, ptr addrspace(3) @shared, i32 %112
  %114 = getelementptr i8, ptr addrspace(3) %113, i32 8192
  %115 = and i32 %106, 1
  %116 = xor i32 %115, 1
  br label %117

117:                                              ; preds = %117, %103
  %118 = call i1 asm sideeffect "mbarrier.try_wait.parity.shared::cta.b64 $0, [$1], $2;", "=b,r,r"(ptr addrspace(3) %114, i32 %116) #10
  br i1 %118, label %119, label %117

119:                                              ; preds = %117
  %120 = shl i32 %105, 11
  %121 = shl i32 %104, 5
  %122 = or disjoint i32 %121, %63
  %123 = icmp sgt i32 %121, -1
  %124 = icmp slt i32 %122, %k
  %125 = and i1 %123, %124
  %126 = and i1 %80, %125
  %127 = and i1 %81, %125
  %128 = and i1 %82, %125
  %129 = and i1 %83, %125
  %130 = sext i32 %122 to i64
  %131 = getelementptr bfloat, ptr addrspace(1) %87, i64 %130
  %132 = getelementptr bfloat, ptr addrspace(1) %90, i64 %130
  %133 = getelementptr bfloat, ptr addrspace(1) %93, i64 %130
  %134 = getelementptr bfloat, ptr addrspace(1) %96, i64 %130
  %135 = getelementptr i8, ptr addrspace(3) %97, i32 %120
  %136 = getelementptr i8, ptr addrspace(3) %135, i32 512
  %137 = getelementptr i8, ptr addrspace(3) %135, i32 1024
  %138 = getelementptr i8, ptr addrspace(3) %135, i32 1536
  %139 = xor i1 %126, true
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %135, ptr addrspace(1) %131, i1 %139) #10
  %140 = xor i1 %127, true
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %136, ptr addrspace(1) %132, i1 %140) #10
  %141 = xor i1 %128, true
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %137, ptr addrspace(1) %133, i1 %141) #10
  %142 = xor i1 %129, true
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %138, ptr addrspace(1) %134, i1 %142) #10
  %143 = or disjoint i32 %121, %60
  %144 = or disjoint i32 %121, %68
  %145 = or disjoint i32 %121, %69
  %146 = or disjoint i32 %121, %70
  %147 = icmp slt i32 %143, %k
  %148 = icmp slt i32 %144, %k
  %149 = icmp slt i32 %145, %k
  %150 = icmp slt i32 %146, %k
  %151 = and i1 %123, %147
  %152 = and i1 %123, %148
  %153 = and i1 %123, %149
  %154 = and i1 %123, %150
  %155 = and i1 %151, %100
  %156 = and i1 %152, %100
  %157 = and i1 %153, %100
  %158 = and i1 %154, %100
  %159 = sext i32 %143 to i64
  %160 = mul nsw i64 %159, %101
  %161 = sext i32 %144 to i64
  %162 = mul nsw i64 %161, %101
  %163 = sext i32 %145 to i64
  %164 = mul nsw i64 %163, %101
  %165 = sext i32 %146 to i64
  %166 = mul nsw i64 %165, %101
  %gep = getelementptr bfloat, ptr addrspace(1) %invariant.gep, i64 %160
  %gep11 = getelementptr bfloat, ptr addrspace(1) %invariant.gep, i64 %162
  %gep13 = getelementptr bfloat, ptr addrspace(1) %invariant.gep, i64 %164
  %gep15 = getelementptr bfloat, ptr addrspace(1) %invariant.gep, i64 %166
  %167 = getelementptr i8, ptr addrspace(3) %135, i32 4096
  %168 = getelementptr i8, ptr addrspace(3) %135, i32 4608
  %169 = getelementptr i8, ptr addrspace(3) %135, i32 5120
  %170 = getelementptr i8, ptr addrspace(3) %135, i32 5632
  %171 = xor i1 %155, true
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %167, ptr addrspace(1) %gep, i1 %171) #10
  %172 = xor i1 %156, true
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %168, ptr addrspace(1) %gep11, i1 %172) #10
  %173 = xor i1 %157, true
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %169, ptr addrspace(1) %gep13, i1 %173) #10
  %174 = xor i1 %158, true
  call void asm sideeffect "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,b"(ptr addrspace(3) %170, ptr addrspace(1) %gep15, i1 %174) #10
  %175 = getelementptr i8, ptr addrspace(3) %113, i32 8208
  call void asm sideeffect "cp.async.mbarrier.arrive.shared.b64 [$0];", "r"(ptr addrspace(3) %175) #10
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %176 = call { i32, i1 } @llvm.nvvm.elect.sync(i32 -1)
  %177 = extractvalue { i32, i1 } %176, 1
  br i1 %177, label %178, label %179

178:                                              ; preds = %119
  call void asm sideeffect "mbarrier.arrive.shared::cta.b64 _, [$0];", "r"(ptr addrspace(3) %175) #10
  br label %179

179:                                              ; preds = %178, %119
  %180 = add i32 %104, 1
  %181 = icmp slt i32 %180, %7
  br i1 %181, label %103, label %.loopexit

182:                                              ; preds = %.preheader1, %297
  %183 = phi i32 [ %298, %297 ], [ 0, %.preheader1 ]
  %184 = phi i32 [ %196, %297 ], [ 0, %.preheader1 ]
  %185 = phi i32 [ %198, %297 ], [ 0, %.preheader1 ]
  %186 = phi float [ %284, %297 ], [ 0.000000e+00, %.preheader1 ]
  %187 = phi float [ %285, %297 ], [ 0.000000e+00, %.preheader1 ]
  %188 = phi float [ %286, %297 ], [ 0.000000e+00, %.preheader1 ]
  %189 = phi float [ %287, %297 ], [ 0.000000e+00, %.preheader1 ]
  %190 = phi float [ %289, %297 ], [ 0.000000e+00, %.preheader1 ]
  %191 = phi float [ %290, %297 ], [ 0.000000e+00, %.preheader1 ]
  %192 = phi float [ %291, %297 ], [ 0.000000e+00, %.preheader1 ]
  %193 = phi float [ %292, %297 ], [ 0.000000e+00, %.preheader1 ]
  %194 = add i32 %184, 1
  %195 = icmp eq i32 %194, 2
  %196 = select i1 %195, i32 0, i32 %194
  %197 = zext i1 %195 to i32
  %198 = add i32 %185, %197
  %199 = shl i32 %184, 3
  %200 = getelementptr i8, ptr addrspace(3) @shared, i32 %199
  %201 = getelementptr i8, ptr addrspace(3) %200, i32 8208
  %202 = and i32 %185, 1
  br label %243

.loopexit2:                                       ; preds = %297
  %203 = fptrunc float %284 to bfloat
  %204 = fptrunc float %285 to bfloat
  %205 = fptrunc float %286 to bfloat
  %206 = fptrunc float %287 to bfloat
  %207 = fptrunc float %289 to bfloat
  %208 = fptrunc float %290 to bfloat
  %209 = fptrunc float %291 to bfloat
  %210 = fptrunc float %292 to bfloat
  br label %211

211:                                              ; preds = %.loopexit2, %13
  %212 = phi bfloat [ 0xR0000, %13 ], [ %203, %.loopexit2 ]
  %213 = phi bfloat [ 0xR0000, %13 ], [ %204, %.loopexit2 ]
  %214 = phi bfloat [ 0xR0000, %13 ], [ %205, %.loopexit2 ]
  %215 = phi bfloat [ 0xR0000, %13 ], [ %206, %.loopexit2 ]
  %216 = phi bfloat [ 0xR0000, %13 ], [ %207, %.loopexit2 ]
  %217 = phi bfloat [ 0xR0000, %13 ], [ %208, %.loopexit2 ]
  %218 = phi bfloat [ 0xR0000, %13 ], [ %209, %.loopexit2 ]
  %219 = phi bfloat [ 0xR0000, %13 ], [ %210, %.loopexit2 ]
  %220 = shl i32 %1, 5
  %221 = or disjoint i32 %220, %18
  %222 = shl nuw nsw i32 %2, 5
  %223 = or disjoint i32 %222, %20
  %224 = getelementptr i8, ptr addrspace(3) getelementptr inbounds nuw (i8, ptr addrspace(3) @shared, i32 8224), i32 %30
  %225 = getelementptr i8, ptr addrspace(3) %224, i32 %31
  %226 = insertelement <2 x bfloat> poison, bfloat %212, i64 0
  %227 = insertelement <2 x bfloat> %226, bfloat %213, i64 1
  %228 = bitcast <2 x bfloat> %227 to i32
  %229 = insertelement <2 x bfloat> poison, bfloat %214, i64 0
  %230 = insertelement <2 x bfloat> %229, bfloat %215, i64 1
  %231 = bitcast <2 x bfloat> %230 to i32
  %232 = insertelement <2 x bfloat> poison, bfloat %216, i64 0
  %233 = insertelement <2 x bfloat> %232, bfloat %217, i64 1
  %234 = bitcast <2 x bfloat> %233 to i32
  %235 = insertelement <2 x bfloat> poison, bfloat %218, i64 0
  %236 = insertelement <2 x bfloat> %235, bfloat %219, i64 1
  %237 = bitcast <2 x bfloat> %236 to i32
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %225, i32 %228, i32 %231, i32 %234, i32 %237)
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 1, i32 128)
  %238 = icmp sgt i32 %220, -1
  %239 = icmp slt i32 %221, %m
  %240 = and i1 %238, %239
  %241 = icmp slt i32 %223, %n
  %242 = and i1 %240, %241
  br i1 %242, label %300, label %.loopexit

243:                                              ; preds = %243, %182
  %244 = call i1 asm sideeffect "mbarrier.try_wait.parity.shared::cta.b64 $0, [$1], $2;", "=b,r,r"(ptr addrspace(3) %201, i32 %202) #10
  br i1 %244, label %245, label %243

245:                                              ; preds = %243
  %246 = shl i32 %184, 11
  %247 = getelementptr i8, ptr addrspace(3) %52, i32 %246
  %248 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %247)
  %249 = extractvalue { i32, i32, i32, i32 } %248, 0
  %250 = extractvalue { i32, i32, i32, i32 } %248, 1
  %251 = extractvalue { i32, i32, i32, i32 } %248, 2
  %252 = extractvalue { i32, i32, i32, i32 } %248, 3
  %253 = getelementptr i8, ptr addrspace(3) %54, i32 %246
  %254 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %253)
  %255 = extractvalue { i32, i32, i32, i32 } %254, 0
  %256 = extractvalue { i32, i32, i32, i32 } %254, 1
  %257 = extractvalue { i32, i32, i32, i32 } %254, 2
  %258 = extractvalue { i32, i32, i32, i32 } %254, 3
  %259 = getelementptr i8, ptr addrspace(3) %55, i32 %246
  %260 = getelementptr i8, ptr addrspace(3) %259, i32 4096
  %261 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) %260)
  %262 = extractvalue { i32, i32, i32, i32 } %261, 0
  %263 = extractvalue { i32, i32, i32, i32 } %261, 1
  %264 = extractvalue { i32, i32, i32, i32 } %261, 2
  %265 = extractvalue { i32, i32, i32, i32 } %261, 3
  %266 = getelementptr i8, ptr addrspace(3) %57, i32 %246
  %267 = getelementptr i8, ptr addrspace(3) %266, i32 4096
  %268 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) %267)
  %269 = extractvalue { i32, i32, i32, i32 } %268, 0
  %270 = extractvalue { i32, i32, i32, i32 } %268, 1
  %271 = extractvalue { i32, i32, i32, i32 } %268, 2
  %272 = extractvalue { i32, i32, i32, i32 } %268, 3
  %273 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %249, i32 %250, i32 %251, i32 %252, i32 %262, i32 %263, float %186, float %187, float %188, float %189)
  %274 = extractvalue { float, float, float, float } %273, 0
  %275 = extractvalue { float, float, float, float } %273, 1
  %276 = extractvalue { float, float, float, float } %273, 2
  %277 = extractvalue { float, float, float, float } %273, 3
  %278 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %249, i32 %250, i32 %251, i32 %252, i32 %269, i32 %270, float %190, float %191, float %192, float %193)
  %279 = extractvalue { float, float, float, float } %278, 0
  %280 = extractvalue { float, float, float, float } %278, 1
  %281 = extractvalue { float, float, float, float } %278, 2
  %282 = extractvalue { float, float, float, float } %278, 3
  %283 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %255, i32 %256, i32 %257, i32 %258, i32 %264, i32 %265, float %274, float %275, float %276, float %277)
  %284 = extractvalue { float, float, float, float } %283, 0
  %285 = extractvalue { float, float, float, float } %283, 1
  %286 = extractvalue { float, float, float, float } %283, 2
  %287 = extractvalue { float, float, float, float } %283, 3
  %288 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %255, i32 %256, i32 %257, i32 %258, i32 %271, i32 %272, float %279, float %280, float %281, float %282)
  %289 = extractvalue { float, float, float, float } %288, 0
  %290 = extractvalue { float, float, float, float } %288, 1
  %291 = extractvalue { float, float, float, float } %288, 2
  %292 = extractvalue { float, float, float, float } %288, 3
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %293 = call { i32, i1 } @llvm.nvvm.elect.sync(i32 -1)
  %294 = extractvalue { i32, i1 } %293, 1
  br i1 %294, label %295, label %297

295:                                              ; preds = %245
  %296 = getelementptr i8, ptr addrspace(3) %200, i32 8192
  call void asm sideeffect "mbarrier.arrive.shared::cta.b64 _, [$0];", "r"(ptr addrspace(3) %296) #10
  br label %297

297:                                              ; preds = %295, %245
  %298 = add i32 %183, 1
  %299 = icmp slt i32 %298, %7
  br i1 %299, label %182, label %.loopexit2

300:                                              ; preds = %211
  %301 = getelementptr i8, ptr addrspace(3) getelementptr inbounds nuw (i8, ptr addrspace(3) @shared, i32 8224), i32 %37
  %302 = getelementptr i8, ptr addrspace(3) %301, i32 %38
  %303 = getelementptr i8, ptr addrspace(3) %302, i32 %31
  %304 = load <8 x bfloat>, ptr addrspace(3) %303, align 16
  %305 = zext nneg i32 %221 to i64
  %306 = sext i32 %n to i64
  %307 = mul nsw i64 %305, %306
  %308 = getelementptr bfloat, ptr addrspace(1) %c, i64 %307
  %309 = zext nneg i32 %223 to i64
  %310 = getelementptr bfloat, ptr addrspace(1) %308, i64 %309
  store <8 x bfloat> %304, ptr addrspace(1) %310, align 16
  br label %.loopexit
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 1024) i32 @llvm.nvvm.read.ptx.sreg.tid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 2147483647) i32 @llvm.nvvm.read.ptx.sreg.ctaid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 65535) i32 @llvm.nvvm.read.ptx.sreg.ctaid.y() #1

; Function Attrs: nocallback nounwind
declare void @llvm.nvvm.fence.mbarrier_init.release.cluster() #2

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32) #3

; Function Attrs: convergent nocallback nounwind memory(inaccessiblemem: readwrite)
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32) #4

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn
declare void @llvm.nvvm.setmaxnreg.dec.sync.aligned.u32(i32 immarg range(i32 24, 257)) #5

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.bar.warp.sync(i32) #3

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite)
declare { i32, i1 } @llvm.nvvm.elect.sync(i32) #6

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn
declare void @llvm.nvvm.setmaxnreg.inc.sync.aligned.u32(i32 immarg range(i32 24, 257)) #5

; Function Attrs: convergent nocallback nounwind memory(argmem: read)
declare { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) readonly captures(none)) #7

; Function Attrs: convergent nocallback nounwind memory(argmem: read)
declare { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) readonly captures(none)) #7

; Function Attrs: nocallback nounwind memory(none)
declare { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32, i32, i32, i32, i32, i32, float, float, float, float) #8

; Function Attrs: convergent nocallback nounwind memory(argmem: write)
declare void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) writeonly captures(none), i32, i32, i32, i32) #9

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.barrier.cta.sync.aligned.count(i32, i32) #3

attributes #0 = { nounwind "nvvm.maxnreg"="136" "nvvm.reqntid"="256,1,1" "target-cpu"="sm_90a" }
attributes #1 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { nocallback nounwind }
attributes #3 = { convergent nocallback nounwind }
attributes #4 = { convergent nocallback nounwind memory(inaccessiblemem: readwrite) }
attributes #5 = { convergent nocallback nofree nosync nounwind willreturn }
attributes #6 = { convergent nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite) }
attributes #7 = { convergent nocallback nounwind memory(argmem: read) }
attributes #8 = { nocallback nounwind memory(none) }
attributes #9 = { convergent nocallback nounwind memory(argmem: write) }
attributes #10 = { nounwind }
