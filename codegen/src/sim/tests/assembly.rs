//! PTX in inline assembly.

use super::*;

#[test]
fn a_load_under_a_false_predicate_keeps_what_was_there() {
    let body = "define KERNEL void @k(ptr addrspace(1) %in, ptr addrspace(1) %out) {
  %tid = TID
  %few = icmp ult i32 %tid, 3
  %v = call { i32, i32 } asm sideeffect \"mov.u32 $0, $2;\\0A\\09mov.u32 $1, 0x5;\\0A\\09@$4 ld.global.v2.b32 { $0, $1 }, [ $3 + 8 ]; // $9\", \"=r,=r,r,l,b\"(i32 77, ptr addrspace(1) %in, i1 %few)
  %a = extractvalue { i32, i32 } %v, 0
  %b = extractvalue { i32, i32 } %v, 1
  %c = mul i32 %b, 1000
  %r = add i32 %a, %c
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  call void asm sideeffect \"@!$2 st.global.b32 [ $1 + 0 ], { $0 };\", \"r,l,b\"(i32 %r, ptr addrspace(1) %p, i1 false)
  ret void
}
";
    let mut buffers = [bytes_of([1, 2, 3, 4]), vec![0; 256]];
    program(On::Nvidia, body).on(&[buffer(0), buffer(1)], &mut buffers);
    assert_eq!(words_of(&buffers[1])[..5], [4003, 4003, 4003, 5077, 5077]);
}

#[test]
fn carries_bytes_and_tables_of_logic() {
    let body = each_thread(
        "%big = sub i32 0, %tid
         %p = call { i32, i32 } asm \"{ mad.lo.cc.u32 $0, $2, $3, $4; madc.hi.u32 $1, $2, $3, 0; }\", \"=r,=r,r,r,r\"(i32 %big, i32 %big, i32 -1)
         %lo = extractvalue { i32, i32 } %p, 0
         %hi = extractvalue { i32, i32 } %p, 1
         %x = call i32 asm \"lop3.b32 $0, $1, $2, $3, 0x96;\", \"=r,r,r,r\"(i32 %lo, i32 %hi, i32 %tid)
         %y = call i32 asm \"{ .reg .b32 t; prmt.b32 t, $1, $2, 0x5410; xor.b32 $0, t, $1; }\", \"=r,r,r\"(i32 %x, i32 %tid)
         %r = add i32 %y, 0",
    );
    let expected = |tid: u32| {
        let big = 0u32.wrapping_sub(tid);
        let wide = (u64::from(big) * u64::from(big)).wrapping_add(0xffff_ffff);
        let x = wide as u32 ^ (wide >> 32) as u32 ^ tid;
        (x & 0xffff | tid << 16) ^ x
    };
    let expected: Vec<u32> = (0..64).map(expected).collect();
    assert_eq!(program(On::Nvidia, &body).words(64), expected);
}

#[test]
fn an_atomic_operation_in_assembly_returns_the_old_value() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  %old = call i32 asm sideeffect \"atom.global.gpu.acq_rel.add.u32 $0, [ $1 + 0 ], $2;\", \"=r,l,r\"(ptr addrspace(1) %out, i32 3)
  ret void
}
";
    assert_eq!(program(On::Nvidia, body).words(1), [192]);
}

#[test]
fn an_unknown_mnemonic_is_refused_with_its_line() {
    let body = each_thread("%r = call i32 asm \"frobnicate.b32 $0, $1;\", \"=r,r\"(i32 %tid)");
    let error = Program::from_text(&On::Nvidia.module(&body), "k", Lanes::L32).unwrap_err();
    assert_eq!(error.kind, Kind::Unsupported);
    assert_eq!(error.message, "the inline assembly `frobnicate.b32 $0, $1`");
    assert!(error.place.is_some());
}
