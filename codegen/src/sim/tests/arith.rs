//! Arithmetic: every row of the generic table, on known numbers.

use super::*;

/// Every thread computes `%r` from `%tid`; the answer is what `expected` says, on both vendors.
#[track_caller]
fn check(body: &str, declarations: &str, expected: impl Fn(u32) -> u32) {
    let module = each_thread(body) + declarations;
    for on in On::BOTH {
        let expected: Vec<u32> = (0..64).map(&expected).collect();
        assert_eq!(program(on, &module).words(64), expected, "{on:?}");
    }
}

#[test]
fn narrow_integers_wrap_at_their_width() {
    check(
        "%a = trunc i32 %tid to i8
         %b = mul i8 %a, 37
         %c = ashr i8 %b, 1
         %d = sdiv i8 %c, 3
         %r = sext i8 %d to i32",
        "",
        |tid| ((((tid as i8).wrapping_mul(37)) >> 1) / 3) as i32 as u32,
    );
}

#[test]
fn odd_widths_wrap_too() {
    check(
        "%a = trunc i32 %tid to i5
         %b = add i5 %a, -7
         %s = icmp slt i5 %b, 3
         %x = zext i5 %b to i32
         %y = select i1 %s, i32 100, i32 0
         %r = add i32 %x, %y",
        "",
        |tid| {
            let b = tid.wrapping_sub(7) & 31;
            let signed = (b << 27) as i32 >> 27;
            b + if signed < 3 { 100 } else { 0 }
        },
    );
}

#[test]
fn wide_integers_keep_their_upper_half() {
    check(
        "%a = zext i32 %tid to i64
         %b = mul i64 %a, 12884901889
         %c = lshr i64 %b, 32
         %r = trunc i64 %c to i32",
        "",
        |tid| ((u64::from(tid) * 12_884_901_889) >> 32) as u32,
    );
}

#[test]
fn halves_are_rounded_once_to_nearest_even() {
    check(
        "%a = uitofp i32 %tid to half
         %b = fadd half %a, 0xH6801
         %c = fdiv half %b, 0xH4200
         %d = bitcast half %c to i16
         %r = zext i16 %d to i32",
        "",
        |tid| {
            // 2049 + tid rounds to an even number, then a third of it to the nearest half.
            let sum = 2050 + tid;
            let sum = if sum % 4 == 1 {
                sum - 1
            } else if sum % 4 == 3 {
                sum + 1
            } else {
                sum
            };
            let third = f64::from(sum) / 3.0;
            let unit = if third < 1024.0 { 0.5 } else { 1.0 };
            let units = (third / unit).round_ties_even() * unit;
            let (exponent, low) = if units < 1024.0 { (24, 512.0) } else { (25, 1024.0) };
            (exponent << 10) + ((units - low) / unit) as u32
        },
    );
}

#[test]
fn brain_floats_truncate_with_rounding() {
    check(
        "%a = uitofp i32 %tid to float
         %b = fadd float %a, 256.0
         %c = fptrunc float %b to bfloat
         %d = fpext bfloat %c to float
         %r = fptoui float %d to i32",
        "",
        |tid| {
            let x = 256 + tid;
            if x % 4 == 3 {
                x + 1
            } else if x % 4 == 1 {
                x - 1
            } else {
                x
            }
        },
    );
}

#[test]
fn saturating_casts_clamp_and_turn_nan_into_zero() {
    check(
        "%f = sitofp i32 %tid to float
         %s = fsub float %f, 32.0
         %big = fmul float %s, 1.0e9
         %a = call i32 @llvm.fptosi.sat.i32.f32(float %big)
         %n = call i8 @llvm.fptoui.sat.i8.f32(float %s)
         %nan = call i32 @llvm.fptosi.sat.i32.f32(float 0x7FF8000000000000)
         %z = zext i8 %n to i32
         %t = xor i32 %a, %z
         %r = add i32 %t, %nan",
        "declare i32 @llvm.fptosi.sat.i32.f32(float)
         declare i8 @llvm.fptoui.sat.i8.f32(float)\n",
        |tid| {
            let s = tid as f32 - 32.0;
            (s * 1.0e9) as i32 as u32 ^ u32::from(s as u8)
        },
    );
}

#[test]
fn minimum_and_minimum_number_differ_on_nan() {
    check(
        "%odd = trunc i32 %tid to i1
         %x = select i1 %odd, float 0x7FF8000000000000, float -0.0
         %a = call float @llvm.minimum.f32(float %x, float 0.0)
         %b = call float @llvm.minnum.f32(float %x, float 3.0)
         %nan = fcmp uno float %a, %a
         %c = bitcast float %a to i32
         %d = fptosi float %b to i32
         %e = select i1 %nan, i32 7, i32 %c
         %r = add i32 %d, %e",
        "declare float @llvm.minimum.f32(float, float)
         declare float @llvm.minnum.f32(float, float)\n",
        |tid| if tid % 2 == 1 { 3 + 7 } else { 0x8000_0000 },
    );
}

#[test]
fn bits_are_counted_and_turned_around() {
    check(
        "%x = mul i32 %tid, 2654435761
         %a = call i32 @llvm.ctpop.i32(i32 %x)
         %b = call i32 @llvm.bitreverse.i32(i32 %x)
         %c = call i32 @llvm.ctlz.i32(i32 %x, i1 false)
         %d = call i32 @llvm.fshl.i32(i32 %x, i32 %x, i32 7)
         %h = trunc i32 %x to i16
         %e = call i16 @llvm.ctlz.i16(i16 %h, i1 false)
         %f = call i16 @llvm.bitreverse.i16(i16 %h)
         %g = call i16 @llvm.fshr.i16(i16 %h, i16 %f, i16 3)
         %e32 = zext i16 %e to i32
         %g32 = zext i16 %g to i32
         %s1 = xor i32 %a, %b
         %s2 = add i32 %c, %d
         %s3 = add i32 %e32, %g32
         %s4 = xor i32 %s1, %s2
         %r = add i32 %s4, %s3",
        "declare i32 @llvm.ctpop.i32(i32)
         declare i32 @llvm.bitreverse.i32(i32)
         declare i32 @llvm.ctlz.i32(i32, i1)
         declare i16 @llvm.ctlz.i16(i16, i1)
         declare i16 @llvm.bitreverse.i16(i16)
         declare i16 @llvm.fshr.i16(i16, i16, i16)
         declare i32 @llvm.fshl.i32(i32, i32, i32)\n",
        |tid| {
            let x = tid.wrapping_mul(2_654_435_761);
            let h = x as u16;
            let g = ((u32::from(h) << 16 | u32::from(h.reverse_bits())) >> 3) as u16;
            let s = x.leading_zeros().wrapping_add(x.rotate_left(7));
            let t = h.leading_zeros() + u32::from(g);
            (x.count_ones() ^ x.reverse_bits() ^ s).wrapping_add(t)
        },
    );
}

#[test]
fn products_overflow_into_their_flag() {
    check(
        "%a = add i32 %tid, 65530
         %p = call {i32, i1} @llvm.umul.with.overflow.i32(i32 %a, i32 65537)
         %v = extractvalue {i32, i1} %p, 0
         %o = extractvalue {i32, i1} %p, 1
         %x = zext i1 %o to i32
         %r = xor i32 %v, %x",
        "declare {i32, i1} @llvm.umul.with.overflow.i32(i32, i32)\n",
        |tid| {
            let (v, o) = (tid + 65530).overflowing_mul(65537);
            v ^ u32::from(o)
        },
    );
}

#[test]
fn vectors_are_cut_and_put_together_again() {
    check(
        "%v0 = insertelement <2 x i32> poison, i32 %tid, i32 0
         %v1 = insertelement <2 x i32> %v0, i32 305419896, i32 1
         %b = bitcast <2 x i32> %v1 to <8 x i8>
         %s = shufflevector <8 x i8> %b, <8 x i8> zeroinitializer, <4 x i32> <i32 7, i32 0, i32 9, i32 5>
         %w = bitcast <4 x i8> %s to i32
         %i = and i32 %tid, 3
         %e = extractelement <4 x i8> %s, i32 %i
         %z = zext i8 %e to i32
         %r = add i32 %w, %z",
        "",
        |tid| {
            let bytes = [0x12, tid as u8, 0, 0x56];
            u32::from_le_bytes(bytes) + u32::from(bytes[(tid & 3) as usize])
        },
    );
}

#[test]
fn structs_keep_their_members_apart() {
    check(
        "%a = insertvalue {i32, [2 x i32]} poison, i32 %tid, 0
         %b = insertvalue {i32, [2 x i32]} %a, i32 5, 1, 0
         %c = insertvalue {i32, [2 x i32]} %b, i32 9, 1, 1
         %x = extractvalue {i32, [2 x i32]} %c, 0
         %y = extractvalue {i32, [2 x i32]} %c, 1, 1
         %r = mul i32 %x, %y",
        "",
        |tid| tid * 9,
    );
}

#[test]
fn doubles_are_not_singles() {
    check(
        "%a = uitofp i32 %tid to double
         %b = fadd double %a, 0x4330000000000000
         %c = fsub double %b, 0x4330000000000000
         %r = fptoui double %c to i32",
        "",
        |tid| tid,
    );
}

#[test]
fn a_division_by_zero_is_found_only_in_lanes_that_run_it() {
    let module = each_thread("%r = udiv i32 100, %tid");
    let error = program(On::Nvidia, &module).finding();
    assert_eq!((error.kind, error.lane), (Kind::Undefined, Some(0)));
    let guarded = "
define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  %zero = icmp eq i32 %tid, 0
  br i1 %zero, label %end, label %divide
divide:
  %r = udiv i32 100, %tid
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %p, align 4
  br label %end
end:
  ret void
}
";
    let words = program(On::Amd, guarded).words(64);
    assert_eq!(words[..4], [0, 100, 50, 33]);
}

#[test]
fn approximations_of_nvidia_are_close_to_the_functions() {
    let module = each_thread(
        "%f = uitofp i32 %tid to float
         %x = fmul float %f, 0.125
         %a = call float @llvm.nvvm.ex2.approx.f32(float %x)
         %b = call float @llvm.nvvm.lg2.approx.f(float %a)
         %c = call float @llvm.nvvm.rsqrt.approx.f(float %a)
         %d = fmul float %c, %c
         %e = fmul float %d, %a
         %g = fadd float %b, %e
         %r = bitcast float %g to i32",
    ) + "declare float @llvm.nvvm.ex2.approx.f32(float)
         declare float @llvm.nvvm.lg2.approx.f(float)
         declare float @llvm.nvvm.rsqrt.approx.f(float)\n";
    for (tid, bits) in program(On::Nvidia, &module).words(64).into_iter().enumerate() {
        let expected = tid as f32 * 0.125 + 1.0;
        assert!((f32::from_bits(bits) - expected).abs() < 1e-5, "{tid}");
    }
}

#[test]
fn packed_conversions_put_the_first_source_into_the_upper_half() {
    let module = each_thread(
        "%f = uitofp i32 %tid to float
         %h = call <2 x half> @llvm.nvvm.ff2f16x2.rn(float 1.0, float %f)
         %w = bitcast <2 x half> %h to i32
         %q = call i16 @llvm.nvvm.ff.to.e4m3x2.rn(float 17.0, float %f)
         %z = zext i16 %q to i32
         %s = shl i32 %z, 8
         %r = xor i32 %w, %s",
    ) + "declare <2 x half> @llvm.nvvm.ff2f16x2.rn(float, float)
         declare i16 @llvm.nvvm.ff.to.e4m3x2.rn(float, float)\n";
    let words = program(On::Nvidia, &module).words(64);
    assert_eq!(words[0], 0x3c00_0000 ^ 0x58_0000);
    assert_eq!(words[1], 0x3c00_3c00 ^ 0x58_3800);
}

#[test]
fn amd_bytes_are_fnuz_on_gfx942_and_ocp_on_gfx950() {
    for (cpu, one) in [("gfx942", 0x40), ("gfx950", 0x38)] {
        let body = each_thread(
            "%p = call i32 @llvm.amdgcn.cvt.pk.fp8.f32(float 1.0, float -0.0, i32 -1, i1 true)
             %x = call float @llvm.amdgcn.cvt.f32.fp8(i32 %p, i32 2)
             %y = fptoui float %x to i32
             %r = add i32 %p, %y",
        );
        let body = body.replace("{\n", "#0 {\n")
            + "declare i32 @llvm.amdgcn.cvt.pk.fp8.f32(float, float, i32, i1 immarg)
               declare float @llvm.amdgcn.cvt.f32.fp8(i32, i32 immarg)\n"
            + &format!("attributes #0 = {{ \"target-cpu\"=\"{cpu}\" }}\n");
        let negative_zero = if one == 0x40 { 0 } else { 0x80 };
        let packed: u32 = (negative_zero << 24 | one << 16 | 0xffff) + 1;
        assert_eq!(program(On::Amd, &body).words(64)[5], packed, "{cpu}");
    }
}

#[test]
fn flushing_functions_have_no_subnormals() {
    let body = each_thread(
        "%f = uitofp i32 %tid to float
         %tiny = fmul float %f, 0x3800000000000000
         %r = bitcast float %tiny to i32",
    );
    let kept = program(On::Nvidia, &body).words(64);
    let flushing = body.replace("{\n", "#0 {\n")
        + "attributes #0 = { \"denormal-fp-math-f32\"=\"preserve-sign,preserve-sign\" }\n";
    let flushed = program(On::Nvidia, &flushing).words(64);
    // 2^-127 is subnormal, 2 * 2^-127 is not.
    assert_eq!((kept[1], kept[2]), (0x40_0000, 0x80_0000));
    assert_eq!((flushed[1], flushed[2]), (0, 0));
}
