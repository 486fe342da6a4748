//! Copies that end later, and what happens to those who do not wait.

use super::*;

/// Every thread copies 16 bytes of `%in`, perhaps waits, and stores the word `%tid * 2` of shared
/// memory, which another warp copied.
fn cp_async(copy: &str, wait: &str) -> String {
    format!(
        "@s = internal addrspace(3) global [256 x i32] poison, align 16
define KERNEL void @k(ptr addrspace(1) %out, ptr addrspace(1) %in) {{
  %tid = TID
  %to = getelementptr [4 x i32], ptr addrspace(3) @s, i32 %tid
  %from = getelementptr [4 x i32], ptr addrspace(1) %in, i32 %tid
  %odd = and i32 %tid, 1
  %is.odd = icmp eq i32 %odd, 1
{copy}
{wait}
  %other = xor i32 %tid, 32
  %q = getelementptr [4 x i32], ptr addrspace(3) @s, i32 %other
  %r = load i32, ptr addrspace(3) %q, align 4
  %o = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %o, align 4
  ret void
}}
declare void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3), ptr addrspace(1))
declare void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3), ptr addrspace(1), i32)
declare void @llvm.nvvm.cp.async.commit.group()
declare void @llvm.nvvm.cp.async.wait.group(i32 immarg)
declare void @llvm.nvvm.cp.async.wait.all()
"
    )
}

const COPY: &str = "call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %to, ptr addrspace(1) %from)";
const COMMIT: &str = "call void @llvm.nvvm.cp.async.commit.group()";
const WAIT: &str = "call void @llvm.nvvm.cp.async.wait.group(i32 0)";

/// Runs on 64 threads with words that are their own number plus 1000.
fn copied(on: On, body: &str) -> Result<Vec<u32>, SimError> {
    let mut buffers = [vec![0; 256], bytes_of((0..256).map(|i| 1000 + i))];
    let threads = if on == On::Nvidia { 64 } else { 128 };
    program(on, body).threads(threads).try_on(&[buffer(0), buffer(1)], &mut buffers)?;
    Ok(words_of(&buffers[0]))
}

#[test]
fn a_copy_that_was_waited_for_has_landed() {
    let asm = "call void asm sideeffect \"cp.async.cg.shared.global [$0], [$1], 16, 16;\", \"r,l\"(ptr addrspace(3) %to, ptr addrspace(1) %from)";
    let asm_commit = "call void asm sideeffect \"cp.async.commit_group;\", \"\"()";
    let asm_wait = "call void asm sideeffect \"cp.async.wait_group 0;\", \"\"()";
    let all = "call void @llvm.nvvm.cp.async.wait.all()";
    let waits = [[COPY, COMMIT, WAIT], [COPY, "", all], [asm, asm_commit, asm_wait]];
    for [copy, commit, wait] in waits {
        let body = cp_async(&format!("{copy}\n{commit}"), &format!("{wait}\nBARRIER"));
        let words = copied(On::Nvidia, &body).unwrap();
        for (tid, word) in words.iter().enumerate() {
            assert_eq!(*word, 1000 + 4 * (tid as u32 ^ 32), "{copy}");
        }
    }
}

#[test]
fn a_copy_may_read_less_than_it_writes() {
    let some = "%n = select i1 %is.odd, i32 0, i32 4
call void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3) %to, ptr addrspace(1) %from, i32 %n)";
    let asm_some = "%n = select i1 %is.odd, i32 0, i32 16
call void asm sideeffect \"cp.async.cg.shared.global [$0], [$1], 16, $2;\", \"r,l,r\"(ptr addrspace(3) %to, ptr addrspace(1) %from, i32 %n)";
    let ignored = "call void asm sideeffect \"cp.async.cg.shared.global [$0], [$1], 16, $2;\", \"r,l,b\"(ptr addrspace(3) %to, ptr addrspace(1) %from, i1 %is.odd)";
    for copy in [some, asm_some, ignored] {
        let body = cp_async(&format!("{copy}\n{COMMIT}"), &format!("{WAIT}\nBARRIER"));
        let words = copied(On::Nvidia, &body).unwrap();
        for (tid, word) in words.iter().enumerate() {
            let expected = if tid % 2 == 1 { 0 } else { 1000 + 4 * (tid as u32 ^ 32) };
            assert_eq!(*word, expected, "{copy}");
        }
    }
}

#[test]
fn a_copy_under_a_false_predicate_writes_nothing() {
    let copy = "store [4 x i32] [i32 7, i32 7, i32 7, i32 7], ptr addrspace(3) %to, align 16
call void asm sideeffect \"@$2 cp.async.cg.shared.global [$0], [$1], 16;\", \"r,l,b\"(ptr addrspace(3) %to, ptr addrspace(1) %from, i1 %is.odd)";
    let body = cp_async(&format!("{copy}\n{COMMIT}"), &format!("{WAIT}\nBARRIER"));
    let words = copied(On::Nvidia, &body).unwrap();
    for (tid, word) in words.iter().enumerate() {
        assert_eq!(*word, if tid % 2 == 1 { 1000 + 4 * (tid as u32 ^ 32) } else { 7 });
    }
}

#[test]
fn a_copy_without_a_wait_is_found_with_both_places() {
    let missing = [
        ("", "BARRIER"),
        (COMMIT, "call void @llvm.nvvm.cp.async.wait.group(i32 1)\nBARRIER"),
        // Not yet a group: the wait does not mean it.
        ("", "call void @llvm.nvvm.cp.async.wait.group(i32 0)\nBARRIER"),
    ];
    for (commit, wait) in missing {
        let error = copied(On::Nvidia, &cp_async(&format!("{COPY}\n{commit}"), wait)).unwrap_err();
        assert_eq!(error.kind, Kind::Race, "{error}");
        assert!(error.details[0].contains("starts to copy to it at"), "{error}");
        assert!(error.details[1].contains("reads it at `%r = load"), "{error}");
    }
}

#[test]
fn a_wait_of_one_thread_does_not_speak_for_others() {
    let body = cp_async(&format!("{COPY}\n{COMMIT}"), WAIT);
    let error = copied(On::Nvidia, &body).unwrap_err();
    assert!(matches!(error.kind, Kind::Race | Kind::Uninitialised), "{error}");
}

#[test]
fn a_wait_of_one_lane_does_not_speak_for_others() {
    let body = |lane: u32, sync: &str| {
        let text = cp_async(&format!("{COPY}\n{COMMIT}"), &format!("{WAIT}\n{sync}"));
        let text = text.replace("xor i32 %tid, 32", &format!("xor i32 %tid, {lane}"));
        text + "declare void @llvm.nvvm.bar.warp.sync(i32)\n"
    };
    assert!(copied(On::Nvidia, &body(0, "")).is_ok());
    assert!(copied(On::Nvidia, &body(1, "call void @llvm.nvvm.bar.warp.sync(i32 -1)")).is_ok());
    let error = copied(On::Nvidia, &body(1, "")).unwrap_err();
    assert_eq!(error.kind, Kind::Race, "{error}");
}

#[test]
fn a_copy_into_what_others_may_still_read_is_found_when_it_starts() {
    let twice = |sync: &str| {
        let read = "%o1 = xor i32 %tid, 32
  %q1 = getelementptr [4 x i32], ptr addrspace(3) @s, i32 %o1
  %r1 = load volatile i32, ptr addrspace(3) %q1, align 4";
        let first = format!("{COPY}\n{COMMIT}\n{WAIT}\nBARRIER\n{read}\n{sync}");
        cp_async(&format!("{first}\n{COPY}\n{COMMIT}"), &format!("{WAIT}\nBARRIER"))
    };
    assert!(copied(On::Nvidia, &twice("BARRIER")).is_ok());
    let error = copied(On::Nvidia, &twice("")).unwrap_err();
    assert_eq!(error.kind, Kind::Race, "{error}");
    // Which of them came first, the order of the warps decides.
    assert!(error.details.iter().any(|it| it.contains("reads it at `%r1 = load")), "{error}");
    assert!(error.details.iter().any(|it| it.contains("starts to copy to it")), "{error}");
}

/// Every wave copies a word a lane to its own 256 bytes, and reads those of the other wave.
fn lds_dma(copy: &str, wait: &str) -> String {
    format!(
        "@s = internal addrspace(3) global [1024 x i32] poison, align 16
define KERNEL void @k(ptr addrspace(1) %out, ptr addrspace(1) %in) #0 {{
  %tid = TID
  %wave = lshr i32 %tid, 6
  %lane = and i32 %tid, 63
  %start = shl i32 %wave, 6
  %to = getelementptr i32, ptr addrspace(3) @s, i32 %start
  %from = getelementptr i32, ptr addrspace(1) %in, i32 %tid
{copy}
{wait}
  %other = xor i32 %tid, 65
  %q = getelementptr i32, ptr addrspace(3) @s, i32 %other
  %r = load i32, ptr addrspace(3) %q, align 4
  %first = icmp eq i32 %wave, 0
  br i1 %first, label %write, label %end
write:
  %o = getelementptr i32, ptr addrspace(1) %out, i32 %lane
  store i32 %r, ptr addrspace(1) %o, align 4
  br label %end
end:
  ret void
}}
declare void @llvm.amdgcn.global.load.lds(ptr addrspace(1), ptr addrspace(3), i32 immarg, i32 immarg, i32 immarg)
declare ptr addrspace(8) @llvm.amdgcn.make.buffer.rsrc.p8.p1(ptr addrspace(1), i16, i64, i32)
declare void @llvm.amdgcn.raw.ptr.buffer.load.lds(ptr addrspace(8), ptr addrspace(3), i32 immarg, i32, i32, i32 immarg, i32 immarg)
declare void @llvm.amdgcn.s.waitcnt(i32 immarg)
attributes #0 = {{ \"target-cpu\"=\"gfx950\" }}
"
    )
}

const DMA: &str = "call void @llvm.amdgcn.global.load.lds(ptr addrspace(1) %from, ptr addrspace(3) %to, i32 4, i32 0, i32 0)";
/// A barrier before which no fence releases.
const BARE: &str = "call void @llvm.amdgcn.s.barrier()\nfence syncscope(\"workgroup\") acquire";

#[test]
fn amd_copies_land_at_a_release_or_when_they_are_counted_out() {
    let counted = format!("call void @llvm.amdgcn.s.waitcnt(i32 3952)\n{BARE}");
    for wait in ["BARRIER", &counted] {
        let words = copied(On::Amd, &lds_dma(DMA, wait)).unwrap();
        for (lane, word) in words.iter().enumerate() {
            assert_eq!(*word, 1000 + (lane as u32 ^ 65), "{wait}");
        }
    }
    // VMCNT of 1 leaves the newest of two operations on its way.
    let load = "%extra = load volatile i32, ptr addrspace(1) %from, align 4";
    let one = format!("call void @llvm.amdgcn.s.waitcnt(i32 3953)\n{BARE}");
    assert!(copied(On::Amd, &lds_dma(&format!("{DMA}\n{load}"), &one)).is_ok());
    for (copy, wait) in [(DMA.to_owned(), one), (DMA.to_owned(), BARE.to_owned())] {
        let error = copied(On::Amd, &lds_dma(&copy, &wait)).unwrap_err();
        assert_eq!(error.kind, Kind::Race, "{error}");
        assert!(error.details.iter().any(|it| it.contains("starts to copy to it")), "{error}");
    }
}

#[test]
fn a_wave_sees_its_own_copies_without_a_wait() {
    let body = lds_dma(DMA, "").replace("xor i32 %tid, 65", "xor i32 %tid, 1");
    let words = copied(On::Amd, &body).unwrap();
    assert_eq!(words[..3], [1001, 1000, 1003]);
}

#[test]
fn sixteen_bytes_a_lane_lie_one_after_another() {
    let copy = "%w = getelementptr [4 x i32], ptr addrspace(1) %in, i32 %lane
  %to4 = getelementptr [64 x [4 x i32]], ptr addrspace(3) @s, i32 %wave
  call void @llvm.amdgcn.global.load.lds(ptr addrspace(1) %w, ptr addrspace(3) %to4, i32 16, i32 0, i32 0)";
    let body = lds_dma(copy, "BARRIER").replace("xor i32 %tid, 65", "add i32 %lane, 256");
    let words = copied(On::Amd, &body).unwrap();
    let expected: Vec<u32> = (1000..1064).collect();
    assert_eq!(words, expected);
}

#[test]
fn a_copy_from_beyond_a_buffer_writes_zeros() {
    let copy = "%rsrc = call ptr addrspace(8) @llvm.amdgcn.make.buffer.rsrc.p8.p1(ptr addrspace(1) %in, i16 0, i64 280, i32 159744)
  %offset = shl i32 %tid, 2
  call void @llvm.amdgcn.raw.ptr.buffer.load.lds(ptr addrspace(8) %rsrc, ptr addrspace(3) %to, i32 4, i32 %offset, i32 0, i32 0, i32 0)";
    let words = copied(On::Amd, &lds_dma(copy, "BARRIER")).unwrap();
    for (lane, word) in words.iter().enumerate() {
        let source = lane as u32 ^ 65;
        assert_eq!(*word, if 4 * source < 280 { 1000 + source } else { 0 });
    }
}
