; ModuleID = 'product_sm_80'
source_filename = "product_sm_80"
target datalayout = "e-p3:32:32-p4:32:32-p5:32:32-p6:32:32-p7:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64"
target triple = "nvptx64-nvidia-cuda"

@shared = internal addrspace(3) global [12288 x i8] undef, align 16

; Function Attrs: nounwind
define ptx_kernel void @product_sm_80(ptr addrspace(1) readonly align 16 %a, ptr addrspace(1) readonly align 16 %b, ptr addrspace(1) align 16 %c, i32 %m, i32 %k, i32 %n) #0 {
head:
  %0 = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %1 = lshr i32 %0, 2
  %2 = and i32 %1, 31
  %3 = and i32 %0, 3
  %4 = shl nuw nsw i32 %3, 3
  %5 = and i32 %0, 24
  %6 = xor i32 %4, %5
  %7 = shl nuw nsw i32 %0, 4
  %8 = and i32 %0, 32
  %9 = shl nuw nsw i32 %0, 2
  %10 = and i32 %9, 380
  %11 = shl nuw nsw i32 %3, 9
  %12 = or disjoint i32 %10, %11
  %13 = lshr exact i32 %8, 3
  %14 = xor i32 %12, %13
  %15 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.y()
  %16 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %17 = add i32 %k, 31
  %18 = sdiv i32 %17, 32
  %19 = icmp sgt i32 %17, 31
  %20 = shl i32 %16, 5
  %21 = or disjoint i32 %20, %2
  %22 = sext i32 %21 to i64
  %23 = sext i32 %k to i64
  %24 = mul nsw i64 %22, %23
  %25 = getelementptr bfloat, ptr addrspace(1) %a, i64 %24
  %26 = zext nneg i32 %6 to i64
  %27 = getelementptr bfloat, ptr addrspace(1) %25, i64 %26
  %28 = icmp sgt i32 %20, -1
  %29 = icmp slt i32 %21, %m
  %30 = and i1 %28, %29
  %31 = icmp slt i32 %6, %k
  %32 = and i1 %30, %31
  %33 = getelementptr i8, ptr addrspace(3) @shared, i32 %7
  %34 = xor i1 %32, true
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %33, ptr addrspace(1) %27, i1 %19, i1 %34) #2
  %35 = shl nuw nsw i32 %15, 5
  %36 = or disjoint i32 %35, %6
  %37 = zext nneg i32 %2 to i64
  %38 = sext i32 %n to i64
  %39 = mul nsw i64 %37, %38
  %40 = getelementptr bfloat, ptr addrspace(1) %b, i64 %39
  %41 = zext nneg i32 %36 to i64
  %42 = getelementptr bfloat, ptr addrspace(1) %40, i64 %41
  %43 = icmp slt i32 %2, %k
  %44 = icmp slt i32 %36, %n
  %45 = and i1 %43, %44
  %46 = getelementptr i8, ptr addrspace(3) %33, i32 6144
  %47 = xor i1 %45, true
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %46, ptr addrspace(1) %42, i1 %19, i1 %47) #2
  call void @llvm.nvvm.cp.async.commit.group()
  %48 = icmp sgt i32 %17, 63
  %49 = or disjoint i32 %6, 32
  %50 = zext nneg i32 %49 to i64
  %51 = getelementptr bfloat, ptr addrspace(1) %25, i64 %50
  %52 = icmp slt i32 %49, %k
  %53 = and i1 %30, %52
  %54 = getelementptr i8, ptr addrspace(3) %33, i32 2048
  %55 = xor i1 %53, true
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %54, ptr addrspace(1) %51, i1 %48, i1 %55) #2
  %56 = or disjoint i32 %2, 32
  %57 = zext nneg i32 %56 to i64
  %58 = mul nsw i64 %57, %38
  %59 = getelementptr bfloat, ptr addrspace(1) %b, i64 %58
  %60 = getelementptr bfloat, ptr addrspace(1) %59, i64 %41
  %61 = icmp slt i32 %56, %k
  %62 = and i1 %61, %44
  %63 = getelementptr i8, ptr addrspace(3) %33, i32 8192
  %64 = xor i1 %62, true
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %63, ptr addrspace(1) %60, i1 %48, i1 %64) #2
  call void @llvm.nvvm.cp.async.commit.group()
  br i1 %19, label %.preheader, label %181

.preheader:                                       ; preds = %head
  %65 = shl nuw nsw i32 %0, 6
  %66 = and i32 %65, 1984
  %67 = shl nuw nsw i32 %0, 3
  %68 = and i32 %67, 48
  %69 = or disjoint i32 %66, %68
  %70 = lshr exact i32 %8, 1
  %71 = xor i32 %69, %70
  %72 = and i32 %65, 960
  %73 = or disjoint i32 %72, %68
  %74 = and i32 %0, 16
  %75 = xor i32 %73, %74
  %76 = and i32 %7, 1024
  %77 = or disjoint i32 %75, %76
  %invariant.gep = getelementptr bfloat, ptr addrspace(1) %b, i64 %41
  %78 = getelementptr i8, ptr addrspace(3) @shared, i32 %77
  %79 = xor i32 %77, 32
  %80 = getelementptr i8, ptr addrspace(3) @shared, i32 %79
  %81 = getelementptr i8, ptr addrspace(3) @shared, i32 %71
  %82 = xor i32 %71, 32
  %83 = getelementptr i8, ptr addrspace(3) @shared, i32 %82
  br label %84

84:                                               ; preds = %.preheader, %84
  %85 = phi i32 [ %171, %84 ], [ 0, %.preheader ]
  %86 = phi float [ %158, %84 ], [ 0.000000e+00, %.preheader ]
  %87 = phi float [ %159, %84 ], [ 0.000000e+00, %.preheader ]
  %88 = phi float [ %160, %84 ], [ 0.000000e+00, %.preheader ]
  %89 = phi float [ %161, %84 ], [ 0.000000e+00, %.preheader ]
  %90 = phi float [ %163, %84 ], [ 0.000000e+00, %.preheader ]
  %91 = phi float [ %164, %84 ], [ 0.000000e+00, %.preheader ]
  %92 = phi float [ %165, %84 ], [ 0.000000e+00, %.preheader ]
  %93 = phi float [ %166, %84 ], [ 0.000000e+00, %.preheader ]
  %94 = phi i32 [ %170, %84 ], [ 0, %.preheader ]
  %95 = add i32 %85, 2
  %96 = icmp slt i32 %95, %18
  %97 = add i32 %94, 2
  %98 = icmp slt i32 %97, 3
  %99 = add i32 %94, 2097151
  %100 = select i1 %98, i32 %97, i32 %99
  call void @llvm.nvvm.cp.async.wait.group(i32 1)
  %101 = shl i32 %100, 11
  %102 = shl i32 %95, 5
  %103 = or disjoint i32 %102, %6
  %104 = sext i32 %103 to i64
  %105 = getelementptr bfloat, ptr addrspace(1) %25, i64 %104
  %106 = icmp sgt i32 %102, -1
  %107 = icmp slt i32 %103, %k
  %108 = and i1 %106, %107
  %109 = and i1 %30, %108
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %110 = getelementptr i8, ptr addrspace(3) %33, i32 %101
  %111 = xor i1 %109, true
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %110, ptr addrspace(1) %105, i1 %96, i1 %111) #2
  %112 = or disjoint i32 %102, %2
  %113 = sext i32 %112 to i64
  %114 = mul nsw i64 %113, %38
  %gep = getelementptr bfloat, ptr addrspace(1) %invariant.gep, i64 %114
  %115 = icmp slt i32 %112, %k
  %116 = and i1 %106, %115
  %117 = and i1 %116, %44
  %118 = getelementptr i8, ptr addrspace(3) %110, i32 6144
  %119 = xor i1 %117, true
  call void asm sideeffect "@$2 cp.async.cg.shared.global [$0], [$1], 16, $3;", "r,l,b,b"(ptr addrspace(3) %118, ptr addrspace(1) %gep, i1 %96, i1 %119) #2
  call void @llvm.nvvm.cp.async.commit.group()
  %120 = shl i32 %94, 11
  %121 = getelementptr i8, ptr addrspace(3) %78, i32 %120
  %122 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %121)
  %123 = extractvalue { i32, i32, i32, i32 } %122, 0
  %124 = extractvalue { i32, i32, i32, i32 } %122, 1
  %125 = extractvalue { i32, i32, i32, i32 } %122, 2
  %126 = extractvalue { i32, i32, i32, i32 } %122, 3
  %127 = getelementptr i8, ptr addrspace(3) %80, i32 %120
  %128 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %127)
  %129 = extractvalue { i32, i32, i32, i32 } %128, 0
  %130 = extractvalue { i32, i32, i32, i32 } %128, 1
  %131 = extractvalue { i32, i32, i32, i32 } %128, 2
  %132 = extractvalue { i32, i32, i32, i32 } %128, 3
  %133 = getelementptr i8, ptr addrspace(3) %81, i32 %120
  %134 = getelementptr i8, ptr addrspace(3) %133, i32 6144
  %135 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) %134)
  %136 = extractvalue { i32, i32, i32, i32 } %135, 0
  %137 = extractvalue { i32, i32, i32, i32 } %135, 1
  %138 = extractvalue { i32, i32, i32, i32 } %135, 2
  %139 = extractvalue { i32, i32, i32, i32 } %135, 3
  %140 = getelementptr i8, ptr addrspace(3) %83, i32 %120
  %141 = getelementptr i8, ptr addrspace(3) %140, i32 6144
  %142 = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) %141)
  %143 = extractvalue { i32, i32, i32, i32 } %142, 0
  %144 = extractvalue { i32, i32, i32, i32 } %142, 1
  %145 = extractvalue { i32, i32, i32, i32 } %142, 2
  %146 = extractvalue { i32, i32, i32, i32 } %142, 3
  %147 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %123, i32 %124, i32 %125, i32 %126, i32 %136, i32 %137, float %86, float %87, float %88, float %89)
  %148 = extractvalue { float, float, float, float } %147, 0
  %149 = extractvalue { float, float, float, float } %147, 1
  %150 = extractvalue { float, float, float, float } %147, 2
  %151 = extractvalue { float, float, float, float } %147, 3
  %152 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %123, i32 %124, i32 %125, i32 %126, i32 %143, i32 %144, float %90, float %91, float %92, float %93)
  %153 = extractvalue { float, float, float, float } %152, 0
  %154 = extractvalue { float, float, float, float } %152, 1
  %155 = extractvalue { float, float, float, float } %152, 2
  %156 = extractvalue { float, float, float, float } %152, 3
  %157 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %129, i32 %130, i32 %131, i32 %132, i32 %138, i32 %139, float %148, float %149, float %150, float %151)
  %158 = extractvalue { float, float, float, float } %157, 0
  %159 = extractvalue { float, float, float, float } %157, 1
  %160 = extractvalue { float, float, float, float } %157, 2
  %161 = extractvalue { float, float, float, float } %157, 3
  %162 = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %129, i32 %130, i32 %131, i32 %132, i32 %145, i32 %146, float %153, float %154, float %155, float %156)
  %163 = extractvalue { float, float, float, float } %162, 0
  %164 = extractvalue { float, float, float, float } %162, 1
  %165 = extractvalue { float, float, float, float } %162, 2
  %166 = extractvalue { float, float, float, float } %162, 3
  %167 = add i32 %94, 1
  %168 = icmp slt i32 %167, 3
  %169 = add i32 %94, -2
  %170 = select i1 %168, i32 %167, i32 %169
  %171 = add i32 %85, 1
  %172 = icmp slt i32 %171, %18
  br i1 %172, label %84, label %.loopexit

.loopexit:                                        ; preds = %84
  %173 = fptrunc float %158 to bfloat
  %174 = fptrunc float %159 to bfloat
  %175 = fptrunc float %160 to bfloat
  %176 = fptrunc float %161 to bfloat
  %177 = fptrunc float %163 to bfloat
  %178 = fptrunc float %164 to bfloat
  %179 = fptrunc float %165 to bfloat
  %180 = fptrunc float %166 to bfloat
  br label %181

181:                                              ; preds = %.loopexit, %head
  %182 = phi bfloat [ 0xR0000, %head ], [ %173, %.loopexit ]
  %183 = phi bfloat [ 0xR0000, %head ], [ %174, %.loopexit ]
  %184 = phi bfloat [ 0xR0000, %head ], [ %175, %.loopexit ]
  %185 = phi bfloat [ 0xR0000, %head ], [ %176, %.loopexit ]
  %186 = phi bfloat [ 0xR0000, %head ], [ %177, %.loopexit ]
  %187 = phi bfloat [ 0xR0000, %head ], [ %178, %.loopexit ]
  %188 = phi bfloat [ 0xR0000, %head ], [ %179, %.loopexit ]
  %189 = phi bfloat [ 0xR0000, %head ], [ %180, %.loopexit ]
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  %190 = or disjoint i32 %35, %4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %191 = getelementptr i8, ptr addrspace(3) @shared, i32 %14
  %192 = insertelement <2 x bfloat> poison, bfloat %182, i64 0
  %193 = insertelement <2 x bfloat> %192, bfloat %183, i64 1
  store <2 x bfloat> %193, ptr addrspace(3) %191, align 4
  %194 = getelementptr i8, ptr addrspace(3) %191, i32 128
  %195 = insertelement <2 x bfloat> poison, bfloat %184, i64 0
  %196 = insertelement <2 x bfloat> %195, bfloat %185, i64 1
  store <2 x bfloat> %196, ptr addrspace(3) %194, align 4
  %197 = xor i32 %14, 8
  %198 = getelementptr i8, ptr addrspace(3) @shared, i32 %197
  %199 = insertelement <2 x bfloat> poison, bfloat %186, i64 0
  %200 = insertelement <2 x bfloat> %199, bfloat %187, i64 1
  store <2 x bfloat> %200, ptr addrspace(3) %198, align 4
  %201 = xor i32 %14, 136
  %202 = getelementptr i8, ptr addrspace(3) @shared, i32 %201
  %203 = insertelement <2 x bfloat> poison, bfloat %188, i64 0
  %204 = insertelement <2 x bfloat> %203, bfloat %189, i64 1
  store <2 x bfloat> %204, ptr addrspace(3) %202, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %205 = icmp slt i32 %190, %n
  %206 = and i1 %30, %205
  br i1 %206, label %207, label %228

207:                                              ; preds = %181
  %208 = xor i32 %9, 1548
  %209 = getelementptr i8, ptr addrspace(3) @shared, i32 %208
  %210 = load <2 x bfloat>, ptr addrspace(3) %209, align 4
  %211 = shufflevector <2 x bfloat> %210, <2 x bfloat> poison, <8 x i32> <i32 0, i32 1, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison>
  %212 = xor i32 %9, 1032
  %213 = getelementptr i8, ptr addrspace(3) @shared, i32 %212
  %214 = load <2 x bfloat>, ptr addrspace(3) %213, align 4
  %215 = shufflevector <2 x bfloat> %214, <2 x bfloat> poison, <8 x i32> <i32 0, i32 1, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison>
  %216 = xor i32 %9, 516
  %217 = getelementptr i8, ptr addrspace(3) @shared, i32 %216
  %218 = load <2 x bfloat>, ptr addrspace(3) %217, align 4
  %219 = getelementptr i8, ptr addrspace(3) @shared, i32 %9
  %220 = load <2 x bfloat>, ptr addrspace(3) %219, align 4
  %221 = mul nsw i64 %22, %38
  %222 = getelementptr bfloat, ptr addrspace(1) %c, i64 %221
  %223 = zext nneg i32 %190 to i64
  %224 = getelementptr bfloat, ptr addrspace(1) %222, i64 %223
  %225 = shufflevector <2 x bfloat> %220, <2 x bfloat> %218, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 poison, i32 poison, i32 poison, i32 poison>
  %226 = shufflevector <8 x bfloat> %225, <8 x bfloat> %215, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 8, i32 9, i32 poison, i32 poison>
  %227 = shufflevector <8 x bfloat> %226, <8 x bfloat> %211, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 8, i32 9>
  store <8 x bfloat> %227, ptr addrspace(1) %224, align 16
  br label %228

228:                                              ; preds = %207, %181
  ret void
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 2147483647) i32 @llvm.nvvm.read.ptx.sreg.ctaid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 65535) i32 @llvm.nvvm.read.ptx.sreg.ctaid.y() #1

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

; Function Attrs: convergent nocallback nounwind memory(argmem: read)
declare { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3) readonly captures(none)) #4

; Function Attrs: nocallback nounwind memory(none)
declare { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32, i32, i32, i32, i32, i32, float, float, float, float) #5

attributes #0 = { nounwind "nvvm.reqntid"="128,1,1" "target-cpu"="sm_80" }
attributes #1 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { nounwind }
attributes #3 = { convergent nocallback nounwind }
attributes #4 = { convergent nocallback nounwind memory(argmem: read) }
attributes #5 = { nocallback nounwind memory(none) }
