//! Small matrices on their way between registers and shared memory.

use super::*;

/// Shared memory in which byte `i` is `i % 256`, a call, and its four result words per thread.
fn loaded(on: On, call: &str, declared: &str) -> Vec<[u32; 4]> {
    let body = format!(
        "@s = internal addrspace(3) global [4096 x i8] poison, align 16
define KERNEL void @k(ptr addrspace(1) %out) {{
entry:
  %tid = TID
  br label %fill
fill:
  %i = phi i32 [ %tid, %entry ], [ %next, %fill ]
  %p = getelementptr i8, ptr addrspace(3) @s, i32 %i
  %byte = trunc i32 %i to i8
  store i8 %byte, ptr addrspace(3) %p, align 1
  %next = add i32 %i, {lanes}
  %more = icmp ult i32 %next, 4096
  br i1 %more, label %fill, label %filled
filled:
  BARRIER
{call}
  %o = getelementptr <4 x i32>, ptr addrspace(1) %out, i32 %tid
  store <4 x i32> %r, ptr addrspace(1) %o, align 16
  ret void
}}
{declared}",
        lanes = if on == On::Nvidia { 32 } else { 64 },
    );
    let lanes = if on == On::Nvidia { 32 } else { 64 };
    let mut buffers = [vec![0; 16 * lanes]];
    program(on, &body).threads(lanes as u32).on(&[buffer(0)], &mut buffers);
    words_of(&buffers[0]).as_chunks().0.to_vec()
}

/// The text that makes `<4 x i32> %r` of the struct `%x` with `n` words.
fn collected(n: usize) -> String {
    let ty = format!("{{ {} }}", vec!["i32"; n].join(", "));
    let mut res = String::new();
    let mut last = "zeroinitializer".to_owned();
    for i in 0..n {
        let next = if i + 1 == n { "%r".to_owned() } else { format!("%v{i}") };
        res += &format!(
            "  %e{i} = extractvalue {ty} %x, {i}\n  {next} = insertelement <4 x i32> {last}, i32 %e{i}, i32 {i}\n"
        );
        last = next;
    }
    res
}

const FOUR: &str = "{ i32, i32, i32, i32 }";

#[test]
fn four_matrices_are_loaded_by_the_rows_of_eight_lanes_each() {
    // Lane l points at row l, of 16 bytes, 48 bytes apart.
    let row = "  %at = mul i32 %tid, 48
  %q = getelementptr i8, ptr addrspace(3) @s, i32 %at\n";
    for trans in ["", ".trans"] {
        let name = format!("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4{trans}.b16.p3");
        let intrinsic = format!("  %x = call {FOUR} @{name}(ptr addrspace(3) %q)\n");
        let declared = format!("declare {FOUR} @{name}(ptr addrspace(3))\n");
        let asm = format!(
            "  %x = call {FOUR} asm sideeffect \"ldmatrix.sync.aligned.m8n8.x4{trans}.shared.b16 {{$0, $1, $2, $3}}, [$4];\", \"=r,=r,=r,=r,r\"(ptr addrspace(3) %q)\n"
        );
        for (call, declared) in [(intrinsic, declared), (asm, String::new())] {
            let words = loaded(On::Nvidia, &(row.to_owned() + &call + &collected(4)), &declared);
            for (lane, got) in words.iter().enumerate() {
                let (far, near) = (lane / 4, 2 * (lane % 4));
                for (matrix, &word) in got.iter().enumerate() {
                    let half = |row: usize, column: usize| {
                        let at = 48 * (8 * matrix + row) + 2 * column;
                        (at % 256 + (at + 1) % 256 * 256) as u32
                    };
                    let expected = if trans.is_empty() {
                        half(far, near) | half(far, near + 1) << 16
                    } else {
                        half(near, far) | half(near + 1, far) << 16
                    };
                    assert_eq!(word, expected, "lane {lane}, matrix {matrix}{trans}");
                }
            }
        }
    }
}

#[test]
fn sixteen_rows_of_bytes_are_loaded_by_columns() {
    let name = "llvm.nvvm.ldmatrix.sync.aligned.m16n16.x2.trans.b8.p3";
    let call = format!(
        "  %at = mul i32 %tid, 16
  %q = getelementptr i8, ptr addrspace(3) @s, i32 %at
  %x = call {FOUR} @{name}(ptr addrspace(3) %q)\n"
    );
    let declared = format!("declare {FOUR} @{name}(ptr addrspace(3))\n");
    let words = loaded(On::Nvidia, &(call + &collected(4)), &declared);
    for (lane, got) in words.iter().enumerate() {
        for (r, word) in got.iter().enumerate() {
            for (b, byte) in word.to_le_bytes().into_iter().enumerate() {
                let (row, column) = (16 * (r / 2) + 4 * (lane % 4) + b, lane / 4 + 8 * (r % 2));
                assert_eq!(usize::from(byte), (16 * row + column) % 256, "lane {lane}");
            }
        }
    }
}

#[test]
fn a_stored_matrix_is_loaded_as_it_was() {
    for (shape, kind, count, words) in [
        ("m8n8.x4", "b16", 4, "i32 %a, i32 %b, i32 %c, i32 %d"),
        ("m8n8.x4.trans", "b16", 4, "i32 %a, i32 %b, i32 %c, i32 %d"),
        ("m8n8.x2", "b16", 2, "i32 %a, i32 %b"),
    ] {
        let (store, load) = (
            format!("llvm.nvvm.stmatrix.sync.aligned.{shape}.{kind}.p3"),
            format!("llvm.nvvm.ldmatrix.sync.aligned.{shape}.{kind}.p3"),
        );
        let ty = format!("{{ {} }}", vec!["i32"; count].join(", "));
        let call = format!(
            "  %a = mul i32 %tid, 77777
  %b = add i32 %a, 1
  %c = add i32 %a, 2
  %d = add i32 %a, 3
  %at = mul i32 %tid, 16
  %q = getelementptr i8, ptr addrspace(3) @s, i32 %at
  call void @{store}(ptr addrspace(3) %q, {words})
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %x = call {ty} @{load}(ptr addrspace(3) %q)\n"
        );
        let types = vec!["i32"; count].join(", ");
        let declared = format!(
            "declare void @{store}(ptr addrspace(3), {types})
declare {ty} @{load}(ptr addrspace(3))
declare void @llvm.nvvm.bar.warp.sync(i32)\n"
        );
        for (lane, got) in
            loaded(On::Nvidia, &(call + &collected(count)), &declared).iter().enumerate()
        {
            let expected: Vec<u32> = (0..count as u32).map(|i| lane as u32 * 77777 + i).collect();
            assert_eq!(got[..count], expected, "{shape}, lane {lane}");
        }
    }
}

#[test]
fn columns_of_bytes_are_stored_across_rows() {
    let store = "llvm.nvvm.stmatrix.sync.aligned.m16n8.x1.trans.b8.p3";
    let call = format!(
        "  %word = mul i32 %tid, 67438087
  %at = mul i32 %tid, 16
  %q = getelementptr i8, ptr addrspace(3) @s, i32 %at
  call void @{store}(ptr addrspace(3) %q, i32 %word)
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %half = and i32 %tid, 7
  %from = mul i32 %half, 16
  %p2 = getelementptr i8, ptr addrspace(3) @s, i32 %from
  %r = load <4 x i32>, ptr addrspace(3) %p2, align 16\n"
    );
    let declared = format!(
        "declare void @{store}(ptr addrspace(3), i32)\ndeclare void @llvm.nvvm.bar.warp.sync(i32)\n"
    );
    let rows = loaded(On::Nvidia, &call, &declared);
    for lane in 0..32usize {
        for (b, byte) in (lane as u32).wrapping_mul(67_438_087).to_le_bytes().iter().enumerate() {
            let (row, column) = (2 * (lane % 4) + b % 2, lane / 4 + 8 * (b / 2));
            assert_eq!(rows[row][column / 4].to_le_bytes()[column % 4], *byte, "lane {lane}");
        }
    }
}

/// A tile whose row `k` holds 16 elements one after another comes out as the left operand of MFMA:
/// row `l % 16`, `k` from `E (l / 16)` on (CDNA4 ISA 11.4; E elements a lane).
#[test]
fn amd_reads_columns_of_tiles() {
    for (name, ty, bits, align) in [
        ("tr16.b64.v4i16", "<4 x i16>", 16, 8),
        ("tr8.b64.v2i32", "<2 x i32>", 8, 8),
        ("tr4.b64.v2i32", "<2 x i32>", 4, 8),
    ] {
        let elements = 64 / bits;
        let call = format!(
            "  %at = mul i32 %tid, {align}
  %q = getelementptr i8, ptr addrspace(3) @s, i32 %at
  %x = call {ty} @llvm.amdgcn.ds.read.{name}(ptr addrspace(3) %q)
  %w = bitcast {ty} %x to <2 x i32>
  %r = shufflevector <2 x i32> %w, <2 x i32> zeroinitializer, <4 x i32> <i32 0, i32 1, i32 2, i32 3>\n"
        );
        let declared = format!("declare {ty} @llvm.amdgcn.ds.read.{name}(ptr addrspace(3))\n");
        let memory: Vec<u8> = (0..512u32).map(|i| i as u8).collect();
        let element = |k: usize, m: usize| {
            let bit = (k * 16 + m) * bits;
            let word = u32::from(memory[bit / 8]) | u32::from(memory[(bit / 8 + 1) % 512]) << 8;
            u64::from(word >> (bit % 8)) & ((1 << bits) - 1)
        };
        for (lane, got) in loaded(On::Amd, &call, &declared).iter().enumerate() {
            let column = u64::from(got[0]) | u64::from(got[1]) << 32;
            for v in 0..elements {
                let expected = element(elements * (lane / 16) + v, lane % 16);
                let code = column >> (v * bits) & ((1 << bits) - 1);
                assert_eq!(code, expected, "{name}, lane {lane}, element {v}");
            }
        }
    }
}

#[test]
fn elements_of_six_bits_lie_across_words() {
    let call = "  %at = mul i32 %tid, 12
  %q = getelementptr i8, ptr addrspace(3) @s, i32 %at
  %x = call <3 x i32> @llvm.amdgcn.ds.read.tr6.b96.v3i32(ptr addrspace(3) %q)
  %r = shufflevector <3 x i32> %x, <3 x i32> zeroinitializer, <4 x i32> <i32 0, i32 1, i32 2, i32 3>\n";
    let declared = "declare <3 x i32> @llvm.amdgcn.ds.read.tr6.b96.v3i32(ptr addrspace(3))\n";
    let words = loaded(On::Amd, call, declared);
    for (lane, got) in words.iter().enumerate() {
        let column = got[..3].iter().rev().fold(0u128, |all, &word| all << 32 | u128::from(word));
        for v in 0..16usize {
            // Element v of column q was element q of lane v of the group.
            let bit = (lane / 16 * 16 + v) * 96 + lane % 16 * 6;
            let pair = (bit / 8 % 256) | ((bit / 8 + 1) % 256) << 8;
            assert_eq!(column >> (6 * v) & 63, (pair >> (bit % 8) & 63) as u128, "lane {lane}");
        }
    }
}

#[test]
fn a_row_that_is_not_aligned_and_a_warp_that_is_not_whole_are_found() {
    let body = |offset: u32| {
        format!(
            "@s = internal addrspace(3) global [1024 x i8] poison, align 16
define KERNEL void @k(ptr addrspace(1) %out) {{
  %tid = TID
  %at = mul i32 %tid, 16
  %from = add i32 %at, {offset}
  %q = getelementptr i8, ptr addrspace(3) @s, i32 %from
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %q, i32 1, i32 2, i32 3, i32 4)
  ret void
}}
declare void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3), i32, i32, i32, i32)
"
        )
    };
    let error = program(On::Nvidia, &body(8)).threads(32).finding();
    assert_eq!(error.kind, Kind::Misaligned, "{error}");
    let error = program(On::Nvidia, &body(0)).threads(24).finding();
    assert_eq!(error.kind, Kind::Divergence, "{error}");
    assert_eq!(error.message, "lanes 24-31 do not take part in an operation of all lanes");
}
