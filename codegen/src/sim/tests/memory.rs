//! Memory: what is checked and what atomics, vectors, private memory and arguments do.

use super::*;

#[test]
fn an_address_past_the_end_is_found_with_its_place() {
    let module = each_thread("%r = add i32 %tid, 0");
    for on in On::BOTH {
        let run = program(on, &module);
        let mut buffers = [vec![0; 4 * 63]];
        let error = run.try_on(&[buffer(0)], &mut buffers).unwrap_err();
        assert_eq!(error.kind, Kind::OutOfBounds);
        assert_eq!(error.message, "an access of 4 bytes at byte 252 of buffer 0, which has 252");
        let place = error.place.unwrap();
        assert!(place.instruction.starts_with("store i32"), "{place:?}");
    }
}

#[test]
fn an_address_before_the_start_and_the_null_pointer_are_found() {
    let module = each_thread("%r = add i32 %tid, 0");
    let run = program(On::Nvidia, &module);
    let mut buffers = [vec![0; 256], vec![0; 256]];
    let before = Param::Buffer { index: 1, offset: (-4i64) as u64 };
    let error = run.try_on(&[before], &mut buffers).unwrap_err();
    assert_eq!(error.message, "an access of 4 bytes 4 bytes before buffer 1");
    let error = run.try_on(&[Param::Null], &mut buffers).unwrap_err();
    assert_eq!(error.message, "an access of 4 bytes through 0x0, which is in no memory");
}

#[test]
fn an_address_that_breaks_its_alignment_is_found() {
    let run = program(On::Amd, &each_thread("%r = add i32 %tid, 0"));
    let mut buffers = [vec![0; 512]];
    let error = run.try_on(&[Param::Buffer { index: 0, offset: 2 }], &mut buffers).unwrap_err();
    assert_eq!(error.kind, Kind::Misaligned);
}

#[test]
fn vectors_go_through_memory_as_they_lie() {
    let body = "define KERNEL void @k(ptr addrspace(1) %a, ptr addrspace(1) %b) {
  %tid = TID
  %p = getelementptr <4 x half>, ptr addrspace(1) %a, i32 %tid
  %q = getelementptr <4 x i16>, ptr addrspace(1) %b, i32 %tid
  %v = load <4 x half>, ptr addrspace(1) %p, align 8
  %w = fadd <4 x half> %v, <half 0xH3C00, half 0xH4000, half 0xH4200, half 0xH4400>
  %x = bitcast <4 x half> %w to <4 x i16>
  %y = shufflevector <4 x i16> %x, <4 x i16> poison, <4 x i32> <i32 3, i32 2, i32 1, i32 0>
  store <4 x i16> %y, ptr addrspace(1) %q, align 8
  ret void
}
";
    for on in On::BOTH {
        let mut buffers = [vec![0; 512], vec![0; 512]];
        let report = program(on, body).on(&[buffer(0), buffer(1)], &mut buffers);
        let (halves, _) = buffers[1].as_chunks::<2>();
        let halves: Vec<u16> = halves.iter().map(|&h| u16::from_le_bytes(h)).collect();
        assert_eq!(halves[..5], [0x4400, 0x4200, 0x4000, 0x3c00, 0x4400]);
        assert_eq!(
            report.counts["global_load_sectors"],
            report.counts["global_load_sectors_ideal"]
        );
    }
}

#[test]
fn atomics_return_what_was_there_lane_after_lane() {
    let body = "define KERNEL void @k(ptr addrspace(1) %a, ptr addrspace(1) %out) {
  %tid = TID
  %old = atomicrmw add ptr addrspace(1) %a, i32 2 monotonic
  %f = getelementptr float, ptr addrspace(1) %a, i32 1
  %x = atomicrmw fadd ptr addrspace(1) %f, float 0.5 monotonic
  %m = getelementptr i32, ptr addrspace(1) %a, i32 2
  %s = sub i32 20, %tid
  %y = atomicrmw min ptr addrspace(1) %m, i32 %s monotonic
  %c = getelementptr i32, ptr addrspace(1) %a, i32 3
  %z = cmpxchg ptr addrspace(1) %c, i32 0, i32 77 acq_rel monotonic
  %won = extractvalue {i32, i1} %z, 1
  %w = zext i1 %won to i32
  %r = add i32 %old, %w
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %p, align 4
  ret void
}
";
    for on in On::BOTH {
        let mut buffers = [vec![0; 16], vec![0; 256]];
        program(on, body).on(&[buffer(0), buffer(1)], &mut buffers);
        assert_eq!(words_of(&buffers[0]), [128, 32f32.to_bits(), (-43i32) as u32, 77]);
        let mut olds = words_of(&buffers[1]);
        olds.sort_unstable();
        // The one that wins the exchange has an odd number.
        assert_eq!(olds.iter().filter(|&&old| old % 2 == 1).count(), 1);
        assert!(olds.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

#[test]
fn private_memory_belongs_to_one_lane() {
    let body = each_thread(
        "%slot = alloca [4 x i32], align 4, addrspace(5)
         %i = and i32 %tid, 3
         %s = getelementptr i32, ptr addrspace(5) %slot, i32 %i
         store i32 %tid, ptr addrspace(5) %s, align 4
         %r = load i32, ptr addrspace(5) %s, align 4",
    );
    let expected: Vec<u32> = (0..64).collect();
    assert_eq!(program(On::Amd, &body).words(64), expected);
    let generic = body.replace(", addrspace(5)\n", "\n").replace("addrspace(5)", "");
    assert_eq!(program(On::Nvidia, &generic).words(64), expected);
}

#[test]
fn private_memory_that_nothing_wrote_is_found() {
    let body = each_thread(
        "%slot = alloca [4 x i32], align 4, addrspace(5)
         %s = getelementptr i32, ptr addrspace(5) %slot, i32 1
         store i32 %tid, ptr addrspace(5) %slot, align 4
         %r = load i32, ptr addrspace(5) %s, align 4",
    );
    assert_eq!(program(On::Amd, &body).finding().kind, Kind::Uninitialised);
}

#[test]
fn a_struct_by_value_is_read_through_its_pointer_and_never_written() {
    let body =
        "define ptx_kernel void @k(ptr addrspace(1) %out, ptr byval({i32, i32}) align 8 %s) {
  %p = getelementptr i32, ptr %s, i32 1
  %v = load i32, ptr %p, align 4
  store i32 %v, ptr addrspace(1) %out, align 4
  ret void
}
";
    let run = program(On::Nvidia, body).threads(1);
    let mut buffers = [vec![0; 4]];
    let params = [buffer(0), Param::Bytes(bytes_of([5, 6]))];
    run.on(&params, &mut buffers);
    assert_eq!(words_of(&buffers[0]), [6]);
    let writes = body.replace("ret void", "store i32 1, ptr %p, align 4\n  ret void");
    let error = program(On::Nvidia, &writes).threads(1).try_on(&params, &mut buffers).unwrap_err();
    assert_eq!(error.kind, Kind::ReadOnly);
}

#[test]
fn a_buffer_resource_reads_zero_and_drops_writes_beyond_its_end() {
    let body = "define KERNEL void @k(ptr addrspace(1) %a, ptr addrspace(1) %out) {
  %tid = TID
  %rsrc = call ptr addrspace(8) @llvm.amdgcn.make.buffer.rsrc.p8.p1(ptr addrspace(1) %a, i16 0, i64 40, i32 159744)
  %orsrc = call ptr addrspace(8) @llvm.amdgcn.make.buffer.rsrc.p8.p1(ptr addrspace(1) %out, i16 0, i64 48, i32 159744)
  %off = mul i32 %tid, 8
  %v = call <2 x i32> @llvm.amdgcn.raw.ptr.buffer.load.v2i32(ptr addrspace(8) %rsrc, i32 %off, i32 4, i32 0)
  call void @llvm.amdgcn.raw.ptr.buffer.store.v2i32(<2 x i32> %v, ptr addrspace(8) %orsrc, i32 %off, i32 0, i32 0)
  ret void
}
declare ptr addrspace(8) @llvm.amdgcn.make.buffer.rsrc.p8.p1(ptr addrspace(1) readnone, i16, i64, i32)
declare <2 x i32> @llvm.amdgcn.raw.ptr.buffer.load.v2i32(ptr addrspace(8), i32, i32, i32 immarg)
declare void @llvm.amdgcn.raw.ptr.buffer.store.v2i32(<2 x i32>, ptr addrspace(8), i32, i32, i32 immarg)
";
    let mut buffers = [bytes_of(100..110), vec![0xee; 64]];
    program(On::Amd, body).on(&[buffer(0), buffer(1)], &mut buffers);
    let words = words_of(&buffers[1]);
    assert_eq!(words[..12], [101, 102, 103, 104, 105, 106, 107, 108, 109, 0, 0, 0]);
    assert_eq!(words[12], 0xeeee_eeee);
}

#[test]
fn constants_of_the_module_and_bytes_in_bulk() {
    let body =
        "@table = internal addrspace(1) constant [4 x i32] [i32 3, i32 1, i32 4, i32 1], align 4
define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  %first = icmp eq i32 %tid, 0
  br i1 %first, label %go, label %end
go:
  call void @llvm.memset.p1.i64(ptr addrspace(1) %out, i8 1, i64 32, i1 false)
  call void @llvm.memcpy.p1.p1.i64(ptr addrspace(1) %out, ptr addrspace(1) @table, i64 16, i1 false)
  %two = load i32, ptr addrspace(1) getelementptr (i8, ptr addrspace(1) @table, i64 8), align 4
  %p = getelementptr i32, ptr addrspace(1) %out, i32 7
  store i32 %two, ptr addrspace(1) %p, align 4
  br label %end
end:
  ret void
}
declare void @llvm.memset.p1.i64(ptr addrspace(1), i8, i64, i1)
declare void @llvm.memcpy.p1.p1.i64(ptr addrspace(1), ptr addrspace(1), i64, i1)
";
    for on in On::BOTH {
        let ones = 0x0101_0101;
        assert_eq!(program(on, body).words(9), [3, 1, 4, 1, ones, ones, ones, 4, 0]);
    }
}

#[test]
fn the_launch_tells_an_amd_kernel_its_shape() {
    let body = each_thread(
        "%i = call ptr addrspace(4) @llvm.amdgcn.implicitarg.ptr()
         %blocks = load i32, ptr addrspace(4) %i, align 4
         %d = call ptr addrspace(4) @llvm.amdgcn.dispatch.ptr()
         %q = getelementptr i8, ptr addrspace(4) %d, i32 4
         %size = load i16, ptr addrspace(4) %q, align 2
         %s = zext i16 %size to i32
         %t = mul i32 %s, 1000
         %r = add i32 %t, %blocks",
    ) + "declare ptr addrspace(4) @llvm.amdgcn.implicitarg.ptr()
         declare ptr addrspace(4) @llvm.amdgcn.dispatch.ptr()\n";
    assert_eq!(program(On::Amd, &body).words(64)[3], 64_001);
}

#[test]
fn what_is_printed_is_formatted_as_c_does() {
    let body = "@format = internal addrspace(1) constant [26 x i8] c\"x=%5d %s %.2f %llu %g%%\\0A\\00\\00\", align 1
@text = internal addrspace(1) constant [3 x i8] c\"hi\\00\", align 1
define ptx_kernel void @k(ptr addrspace(1) %out) {
  %args = alloca {i32, ptr, double, i64, double}, align 8
  store i32 -42, ptr %args, align 8
  %a1 = getelementptr i8, ptr %args, i64 8
  store ptr addrspacecast (ptr addrspace(1) @text to ptr), ptr %a1, align 8
  %a2 = getelementptr i8, ptr %args, i64 16
  store double 2.5, ptr %a2, align 8
  %a3 = getelementptr i8, ptr %args, i64 24
  store i64 -1, ptr %a3, align 8
  %a4 = getelementptr i8, ptr %args, i64 32
  store double 0.0001, ptr %a4, align 8
  %n = call i32 @vprintf(ptr addrspacecast (ptr addrspace(1) @format to ptr), ptr %args)
  ret void
}
declare i32 @vprintf(ptr, ptr)
";
    let mut buffers = [vec![0; 4]];
    let report = program(On::Nvidia, body).threads(1).on(&[buffer(0)], &mut buffers);
    assert_eq!(report.printed, ["x=  -42 hi 2.50 18446744073709551615 0.0001%\n"]);
}

#[test]
fn a_buffer_that_begins_empty_must_be_written_before_it_is_read() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  STORE
  %r = load i32, ptr addrspace(1) %p, align 4
  %s = add i32 %r, 1
  store i32 %s, ptr addrspace(1) %p, align 4
  ret void
}
";
    for on in On::BOTH {
        let reads = |store: &str, undefined: &[u32]| {
            let run = program(on, &body.replace("STORE", store));
            let (params, mut buffers) = ([buffer(0)], [vec![0; 256]]);
            let mut launch = Launch::new([1, 1, 1], [64, 1, 1], &params, &mut buffers);
            launch.undefined = undefined;
            run.program.run(launch)
        };
        assert!(reads("", &[]).is_ok());
        assert!(reads("store i32 1, ptr addrspace(1) %p, align 4", &[0]).is_ok());
        let error = reads("", &[0]).unwrap_err();
        assert_eq!(error.kind, Kind::Uninitialised, "{error}");
        assert!(error.message.contains("of buffer 0 is read before anything has written it"));
    }
}
