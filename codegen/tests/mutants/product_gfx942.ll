; ModuleID = 'product_gfx942'
source_filename = "product_gfx942"
target datalayout = "e-m:e-p:64:64-p1:64:64-p2:32:32-p3:32:32-p4:64:64-p5:32:32-p6:32:32-p7:160:256:256:32-p8:128:128:128:48-p9:192:256:256:32-i64:64-v16:16-v24:32-v32:32-v48:64-v96:128-v192:256-v256:256-v512:512-v1024:1024-v2048:2048-n32:64-S32-A5-G1-ni:7:8:9"
target triple = "amdgcn-amd-amdhsa"

@zeros = internal addrspace(1) constant [16 x i8] zeroinitializer, align 16
@shared = internal addrspace(3) global [8192 x i8] undef, align 16

; Function Attrs: nounwind
define amdgpu_kernel void @product_gfx942(ptr addrspace(1) readonly align 16 %a, ptr addrspace(1) readonly align 16 %b, ptr addrspace(1) align 16 %c, i32 %m, i32 %k, i32 %n) #0 {
head:
  %0 = call i32 @llvm.amdgcn.workitem.id.x()
  %1 = and i32 %0, 3
  %2 = shl nuw nsw i32 %1, 3
  %3 = and i32 %0, 24
  %4 = xor i32 %2, %3
  %5 = and i32 %0, 128
  %6 = shl nuw nsw i32 %0, 6
  %7 = and i32 %0, 48
  %8 = and i32 %0, 64
  %9 = lshr i32 %0, 3
  %10 = and i32 %9, 31
  %11 = shl nuw nsw i32 %0, 2
  %12 = and i32 %11, 28
  %13 = shl nuw nsw i32 %1, 4
  %14 = shl nuw nsw i32 %1, 8
  %15 = or disjoint i32 %13, %14
  %16 = and i32 %0, 12
  %17 = or disjoint i32 %15, %16
  %18 = shl nuw nsw i32 %7, 2
  %19 = or disjoint i32 %17, %18
  %20 = lshr exact i32 %8, 2
  %21 = xor i32 %19, %20
  %22 = lshr exact i32 %5, 6
  %23 = or disjoint i32 %21, %22
  %24 = and i32 %11, 124
  %25 = and i32 %6, 1024
  %26 = or disjoint i32 %24, %25
  %27 = shl nuw nsw i32 %0, 1
  %28 = and i32 %27, 192
  %29 = xor i32 %26, %28
  %30 = or disjoint i32 %29, %22
  %31 = lshr i32 %0, 2
  %32 = and i32 %31, 31
  %33 = call i32 @llvm.amdgcn.workgroup.id.y()
  %34 = call i32 @llvm.amdgcn.workgroup.id.x()
  %35 = add i32 %k, 31
  %36 = sdiv i32 %35, 32
  %37 = icmp sgt i32 %35, 31
  %38 = shl i32 %34, 5
  %39 = or disjoint i32 %38, %32
  %40 = sext i32 %39 to i64
  %41 = sext i32 %k to i64
  %42 = mul nsw i64 %40, %41
  %43 = getelementptr bfloat, ptr addrspace(1) %a, i64 %42
  %44 = icmp sgt i32 %38, -1
  %45 = icmp slt i32 %39, %m
  %46 = and i1 %44, %45
  %47 = shl i32 %33, 5
  %48 = or disjoint i32 %47, %32
  %49 = sext i32 %48 to i64
  %50 = mul nsw i64 %49, %41
  %51 = getelementptr bfloat, ptr addrspace(1) %b, i64 %50
  %52 = icmp sgt i32 %47, -1
  %53 = icmp slt i32 %48, %n
  %54 = and i1 %52, %53
  br i1 %37, label %.preheader, label %108

.preheader:                                       ; preds = %head
  %55 = zext nneg i32 %4 to i64
  %56 = getelementptr bfloat, ptr addrspace(1) %51, i64 %55
  %57 = icmp slt i32 %4, %k
  %58 = and i1 %54, %57
  %59 = select i1 %58, ptr addrspace(1) %56, ptr addrspace(1) @zeros
  %60 = load <4 x i32>, ptr addrspace(1) %59, align 16
  %.extract14 = extractelement <4 x i32> %60, i64 3
  %.extract12 = extractelement <4 x i32> %60, i64 2
  %.extract10 = extractelement <4 x i32> %60, i64 1
  %.extract8 = extractelement <4 x i32> %60, i64 0
  %61 = getelementptr bfloat, ptr addrspace(1) %43, i64 %55
  %62 = and i1 %46, %57
  %63 = select i1 %62, ptr addrspace(1) %61, ptr addrspace(1) @zeros
  %64 = load <4 x i32>, ptr addrspace(1) %63, align 16
  %.extract6 = extractelement <4 x i32> %64, i64 3
  %.extract4 = extractelement <4 x i32> %64, i64 2
  %.extract2 = extractelement <4 x i32> %64, i64 1
  %.extract = extractelement <4 x i32> %64, i64 0
  %65 = and i32 %6, 960
  %66 = shl nuw nsw i32 %0, 3
  %67 = and i32 %66, 48
  %68 = or disjoint i32 %65, %67
  %69 = lshr exact i32 %7, 1
  %70 = xor i32 %68, %69
  %71 = shl nuw nsw i32 %8, 4
  %72 = or disjoint i32 %70, %71
  %73 = and i32 %66, 1072
  %74 = or disjoint i32 %65, %73
  %75 = xor i32 %74, %69
  %76 = shl nuw nsw i32 %0, 4
  %77 = and i32 %76, 2032
  %78 = icmp eq i32 %5, 0
  %79 = getelementptr i8, ptr addrspace(3) @shared, i32 %77
  %80 = getelementptr i8, ptr addrspace(3) @shared, i32 %75
  %81 = xor i32 %75, 32
  %82 = getelementptr i8, ptr addrspace(3) @shared, i32 %81
  %83 = getelementptr i8, ptr addrspace(3) @shared, i32 %72
  %84 = xor i32 %72, 32
  %85 = getelementptr i8, ptr addrspace(3) @shared, i32 %84
  br label %86

86:                                               ; preds = %.preheader, %.critedge
  %87 = phi i32 [ %101, %.critedge ], [ 0, %.preheader ]
  %88 = phi float [ %181, %.critedge ], [ 0.000000e+00, %.preheader ]
  %89 = phi float [ %182, %.critedge ], [ 0.000000e+00, %.preheader ]
  %90 = phi float [ %183, %.critedge ], [ 0.000000e+00, %.preheader ]
  %91 = phi float [ %184, %.critedge ], [ 0.000000e+00, %.preheader ]
  %92 = phi i32 [ %188, %.critedge ], [ 0, %.preheader ]
  %93 = phi i32 [ %.extract16, %.critedge ], [ %.extract, %.preheader ]
  %94 = phi i32 [ %.extract18, %.critedge ], [ %.extract2, %.preheader ]
  %95 = phi i32 [ %.extract20, %.critedge ], [ %.extract4, %.preheader ]
  %96 = phi i32 [ %.extract22, %.critedge ], [ %.extract6, %.preheader ]
  %97 = phi i32 [ %.extract24, %.critedge ], [ %.extract8, %.preheader ]
  %98 = phi i32 [ %.extract26, %.critedge ], [ %.extract10, %.preheader ]
  %99 = phi i32 [ %.extract28, %.critedge ], [ %.extract12, %.preheader ]
  %100 = phi i32 [ %.extract30, %.critedge ], [ %.extract14, %.preheader ]
  %101 = add i32 %87, 1
  %102 = icmp slt i32 %101, %36
  %103 = shl i32 %92, 11
  br i1 %78, label %128, label %.critedge

.loopexit:                                        ; preds = %.critedge
  %104 = fptrunc float %181 to bfloat
  %105 = fptrunc float %182 to bfloat
  %106 = fptrunc float %183 to bfloat
  %107 = fptrunc float %184 to bfloat
  br label %108

108:                                              ; preds = %.loopexit, %head
  %109 = phi bfloat [ 0xR0000, %head ], [ %104, %.loopexit ]
  %110 = phi bfloat [ 0xR0000, %head ], [ %105, %.loopexit ]
  %111 = phi bfloat [ 0xR0000, %head ], [ %106, %.loopexit ]
  %112 = phi bfloat [ 0xR0000, %head ], [ %107, %.loopexit ]
  %113 = or disjoint i32 %38, %10
  %114 = or disjoint i32 %47, %12
  fence syncscope("workgroup") release
  call void @llvm.amdgcn.s.barrier()
  fence syncscope("workgroup") acquire
  %115 = getelementptr i8, ptr addrspace(3) @shared, i32 %23
  store bfloat %109, ptr addrspace(3) %115, align 2
  %116 = xor i32 %23, 32
  %117 = getelementptr i8, ptr addrspace(3) @shared, i32 %116
  store bfloat %110, ptr addrspace(3) %117, align 2
  %118 = xor i32 %23, 1088
  %119 = getelementptr i8, ptr addrspace(3) @shared, i32 %118
  store bfloat %111, ptr addrspace(3) %119, align 2
  %120 = xor i32 %23, 1120
  %121 = getelementptr i8, ptr addrspace(3) @shared, i32 %120
  store bfloat %112, ptr addrspace(3) %121, align 2
  fence syncscope("workgroup") release
  call void @llvm.amdgcn.s.barrier()
  fence syncscope("workgroup") acquire
  %122 = icmp slt i32 %113, %m
  %123 = icmp slt i32 %114, %n
  %124 = and i1 %123, %122
  %125 = or i32 %38, %47
  %126 = icmp sgt i32 %125, -1
  %127 = and i1 %124, %126
  br i1 %127, label %189, label %211

128:                                              ; preds = %86
  %129 = bitcast i32 %100 to <2 x bfloat>
  %130 = shufflevector <2 x bfloat> %129, <2 x bfloat> poison, <8 x i32> <i32 0, i32 1, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison>
  %131 = bitcast i32 %99 to <2 x bfloat>
  %132 = shufflevector <2 x bfloat> %131, <2 x bfloat> poison, <8 x i32> <i32 0, i32 1, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison>
  %133 = bitcast i32 %98 to <2 x bfloat>
  %134 = bitcast i32 %97 to <2 x bfloat>
  %135 = bitcast i32 %96 to <2 x bfloat>
  %136 = shufflevector <2 x bfloat> %135, <2 x bfloat> poison, <8 x i32> <i32 0, i32 1, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison>
  %137 = bitcast i32 %95 to <2 x bfloat>
  %138 = shufflevector <2 x bfloat> %137, <2 x bfloat> poison, <8 x i32> <i32 0, i32 1, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison, i32 poison>
  %139 = bitcast i32 %94 to <2 x bfloat>
  %140 = bitcast i32 %93 to <2 x bfloat>
  %141 = getelementptr i8, ptr addrspace(3) %79, i32 %103
  %142 = shufflevector <2 x bfloat> %140, <2 x bfloat> %139, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 poison, i32 poison, i32 poison, i32 poison>
  %143 = shufflevector <8 x bfloat> %142, <8 x bfloat> %138, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 8, i32 9, i32 poison, i32 poison>
  %144 = shufflevector <8 x bfloat> %143, <8 x bfloat> %136, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 8, i32 9>
  store <8 x bfloat> %144, ptr addrspace(3) %141, align 16
  %145 = getelementptr i8, ptr addrspace(3) %141, i32 4096
  %146 = shufflevector <2 x bfloat> %134, <2 x bfloat> %133, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 poison, i32 poison, i32 poison, i32 poison>
  %147 = shufflevector <8 x bfloat> %146, <8 x bfloat> %132, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 8, i32 9, i32 poison, i32 poison>
  %148 = shufflevector <8 x bfloat> %147, <8 x bfloat> %130, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 8, i32 9>
  store <8 x bfloat> %148, ptr addrspace(3) %145, align 16
  br label %.critedge

.critedge:                                        ; preds = %86, %128
  %149 = shl i32 %101, 5
  %150 = or disjoint i32 %149, %4
  %151 = sext i32 %150 to i64
  %152 = getelementptr bfloat, ptr addrspace(1) %43, i64 %151
  %153 = icmp sgt i32 %149, -1
  %154 = icmp slt i32 %150, %k
  %155 = and i1 %153, %154
  %156 = and i1 %46, %155
  %157 = and i1 %156, %102
  %158 = select i1 %157, ptr addrspace(1) %152, ptr addrspace(1) @zeros
  %159 = load <4 x i32>, ptr addrspace(1) %158, align 16
  %160 = getelementptr bfloat, ptr addrspace(1) %51, i64 %151
  %161 = and i1 %54, %155
  %162 = and i1 %161, %102
  %163 = select i1 %162, ptr addrspace(1) %160, ptr addrspace(1) @zeros
  %164 = load <4 x i32>, ptr addrspace(1) %163, align 16
  fence syncscope("workgroup") release
  call void @llvm.amdgcn.s.barrier()
  fence syncscope("workgroup") acquire
  %165 = getelementptr i8, ptr addrspace(3) %80, i32 %103
  %166 = load <4 x i16>, ptr addrspace(3) %165, align 8
  %167 = getelementptr i8, ptr addrspace(3) %82, i32 %103
  %168 = load <4 x i16>, ptr addrspace(3) %167, align 8
  %169 = getelementptr i8, ptr addrspace(3) %83, i32 %103
  %170 = getelementptr i8, ptr addrspace(3) %169, i32 4096
  %171 = load <4 x i16>, ptr addrspace(3) %170, align 8
  %172 = getelementptr i8, ptr addrspace(3) %85, i32 %103
  %173 = getelementptr i8, ptr addrspace(3) %172, i32 4096
  %174 = load <4 x i16>, ptr addrspace(3) %173, align 8
  %175 = insertelement <4 x float> poison, float %88, i64 0
  %176 = insertelement <4 x float> %175, float %89, i64 1
  %177 = insertelement <4 x float> %176, float %90, i64 2
  %178 = insertelement <4 x float> %177, float %91, i64 3
  %179 = call <4 x float> @llvm.amdgcn.mfma.f32.16x16x16bf16.1k(<4 x i16> %166, <4 x i16> %171, <4 x float> %178, i32 0, i32 0, i32 0)
  %180 = call <4 x float> @llvm.amdgcn.mfma.f32.16x16x16bf16.1k(<4 x i16> %168, <4 x i16> %174, <4 x float> %179, i32 0, i32 0, i32 0)
  %181 = extractelement <4 x float> %180, i64 0
  %182 = extractelement <4 x float> %180, i64 1
  %183 = extractelement <4 x float> %180, i64 2
  %184 = extractelement <4 x float> %180, i64 3
  %185 = add i32 %92, 1
  %186 = icmp slt i32 %185, 2
  %187 = add i32 %92, -1
  %188 = select i1 %186, i32 %185, i32 %187
  %.extract16 = extractelement <4 x i32> %159, i64 0
  %.extract18 = extractelement <4 x i32> %159, i64 1
  %.extract20 = extractelement <4 x i32> %159, i64 2
  %.extract22 = extractelement <4 x i32> %159, i64 3
  %.extract24 = extractelement <4 x i32> %164, i64 0
  %.extract26 = extractelement <4 x i32> %164, i64 1
  %.extract28 = extractelement <4 x i32> %164, i64 2
  %.extract30 = extractelement <4 x i32> %164, i64 3
  br i1 %102, label %86, label %.loopexit

189:                                              ; preds = %108
  %190 = xor i32 %30, 816
  %191 = getelementptr i8, ptr addrspace(3) @shared, i32 %190
  %192 = load bfloat, ptr addrspace(3) %191, align 2
  %193 = xor i32 %30, 544
  %194 = getelementptr i8, ptr addrspace(3) @shared, i32 %193
  %195 = load bfloat, ptr addrspace(3) %194, align 2
  %196 = xor i32 %30, 272
  %197 = getelementptr i8, ptr addrspace(3) @shared, i32 %196
  %198 = load bfloat, ptr addrspace(3) %197, align 2
  %199 = getelementptr i8, ptr addrspace(3) @shared, i32 %30
  %200 = load bfloat, ptr addrspace(3) %199, align 2
  %201 = sext i32 %113 to i64
  %202 = sext i32 %n to i64
  %203 = mul nsw i64 %201, %202
  %204 = getelementptr bfloat, ptr addrspace(1) %c, i64 %203
  %205 = sext i32 %114 to i64
  %206 = getelementptr bfloat, ptr addrspace(1) %204, i64 %205
  %207 = insertelement <4 x bfloat> poison, bfloat %200, i64 0
  %208 = insertelement <4 x bfloat> %207, bfloat %198, i64 1
  %209 = insertelement <4 x bfloat> %208, bfloat %195, i64 2
  %210 = insertelement <4 x bfloat> %209, bfloat %192, i64 3
  store <4 x bfloat> %210, ptr addrspace(1) %206, align 8
  br label %211

211:                                              ; preds = %189, %108
  ret void
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef i32 @llvm.amdgcn.workgroup.id.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef i32 @llvm.amdgcn.workgroup.id.y() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 1024) i32 @llvm.amdgcn.workitem.id.x() #1

; Function Attrs: convergent nocallback nofree nounwind willreturn
declare void @llvm.amdgcn.s.barrier() #2

; Function Attrs: convergent nocallback nocreateundeforpoison nofree nosync nounwind willreturn memory(none)
declare <4 x float> @llvm.amdgcn.mfma.f32.16x16x16bf16.1k(<4 x i16>, <4 x i16>, <4 x float>, i32 immarg, i32 immarg, i32 immarg) #3

attributes #0 = { nounwind "amdgpu-flat-work-group-size"="256,256" "target-cpu"="gfx942" "uniform-work-group-size"="true" }
attributes #1 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { convergent nocallback nofree nounwind willreturn }
attributes #3 = { convergent nocallback nocreateundeforpoison nofree nosync nounwind willreturn memory(none) }
