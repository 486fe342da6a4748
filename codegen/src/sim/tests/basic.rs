//! Whole kernels.

use super::*;

const VECTOR_ADD: &str = "
define KERNEL void @k(ptr addrspace(1) %a, ptr addrspace(1) %b, ptr addrspace(1) %c, i32 %n) {
  %tid = TID
  %block = CTAID
  %base = mul i32 %block, 64
  %i = add i32 %base, %tid
  %in = icmp slt i32 %i, %n
  br i1 %in, label %body, label %end
body:
  %pa = getelementptr float, ptr addrspace(1) %a, i32 %i
  %pb = getelementptr float, ptr addrspace(1) %b, i32 %i
  %pc = getelementptr float, ptr addrspace(1) %c, i32 %i
  %x = load float, ptr addrspace(1) %pa, align 4
  %y = load float, ptr addrspace(1) %pb, align 4
  %z = fadd float %x, %y
  store float %z, ptr addrspace(1) %pc, align 4
  br label %end
end:
  ret void
}
";

#[test]
fn vectors_are_added_up_to_an_uneven_end() {
    for on in On::BOTH {
        let n = 150u32;
        let run = program(on, VECTOR_ADD).grid(3);
        let floats = |scale: f32| bytes_of((0..n).map(|i| (i as f32 * scale).to_bits()));
        let mut buffers = [floats(1.0), floats(0.5), vec![0; 4 * n as usize]];
        let params = [buffer(0), buffer(1), buffer(2), Param::Bits(u64::from(n))];
        let report = run.on(&params, &mut buffers);
        let expected: Vec<u32> = (0..n).map(|i| (i as f32 * 1.5).to_bits()).collect();
        assert_eq!(words_of(&buffers[2]), expected, "{on:?}");
        // 150 elements of 4 bytes fill 19 sectors, three times; the second load is another request.
        assert_eq!(report.counts["global_load_sectors"], 38, "{on:?}");
        assert_eq!(report.counts["global_store_sectors"], 19, "{on:?}");
    }
}
