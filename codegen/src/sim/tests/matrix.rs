//! Every matrix instruction of NVIDIA and AMD against the plain product.
//!
//! Elements are small whole numbers, so that no order of summation and no rounding changes a
//! result.

use crate::sim::bytecode::{Real, Rounding};
use crate::sim::exec::encode;
use crate::sim::fragment::{Role, Shape};

use super::*;

/// A number format of an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Float(Real),
    /// Single precision, with noise where the instruction must not look.
    Tf32,
    Int(u32),
    Unsigned(u32),
}

use Format::{Float, Int, Tf32, Unsigned};

const F16: Format = Float(Real::F16);
const BF16: Format = Float(Real::Bf16);
const F32: Format = Float(Real::F32);
const F64: Format = Float(Real::F64);
const S32: Format = Int(32);
const E4M3: Format = Float(Real::E4m3);
const E5M2: Format = Float(Real::E5m2);
const FNUZ4: Format = Float(Real::E4m3Fnuz);
const FNUZ5: Format = Float(Real::E5m2Fnuz);

impl Format {
    fn bits(self) -> usize {
        match self {
            Float(Real::F16 | Real::Bf16) => 16,
            Float(Real::F64) => 64,
            Tf32 | Float(Real::F32 | Real::F32Flush) => 32,
            Float(_) => 8,
            Int(bits) | Unsigned(bits) => bits as usize,
        }
    }

    fn code(self, value: i64) -> u64 {
        match self {
            Float(real) => encode(real, value as f64, Rounding::Nearest, false),
            Tf32 => u64::from((value as f32).to_bits() | 0x1234),
            Int(bits) | Unsigned(bits) => value as u64 & ((1 << bits) - 1),
        }
    }

    fn smallest(self) -> i64 {
        if matches!(self, Unsigned(_)) { 0 } else { -4 }
    }
}

/// A product: what the lanes pass to an instruction, as types of LLVM.
struct Case {
    name: String,
    shape: Shape,
    lanes: usize,
    formats: [Format; 4],
    /// The type of a register and their number, for both factors, sum and result.
    registers: [(&'static str, usize); 4],
    /// Text after the operands of the call.
    rest: &'static str,
    cpu: &'static str,
    asm: Option<String>,
}

const OPERANDS: [&str; 4] = ["a", "b", "c", "d"];

impl Case {
    fn head(&self) -> (On, &'static str) {
        if self.lanes == 32 { (On::Nvidia, "") } else { (On::Amd, "#0") }
    }

    /// A kernel that loads three fragments, multiplies, and stores the fourth.
    fn text(&self) -> String {
        let (_, attributes) = self.head();
        let size = |i: usize| {
            let elements = self.shape.elements([Role::Left, Role::Right, Role::Sum, Role::Sum][i]);
            elements * self.formats[i].bits() / 8 / self.lanes
        };
        let mut body = String::new();
        let pointer = |i: usize, register: usize, step: usize| {
            let name = OPERANDS[i];
            format!(
                "  %{name}o{register} = mul i32 %tid, {}\n  %{name}s{register} = add i32 %{name}o{register}, {}\n  %{name}p{register} = getelementptr i8, ptr addrspace(1) %{name}, i32 %{name}s{register}\n",
                size(i),
                register * step
            )
        };
        let mut args = Vec::new();
        for (i, operand) in OPERANDS.into_iter().enumerate().take(3) {
            let (ty, n) = self.registers[i];
            for register in 0..n {
                body += &pointer(i, register, size(i) / n);
                let name = format!("%{operand}{register}");
                body += &format!(
                    "  {name} = load {ty}, ptr addrspace(1) %{operand}p{register}, align 1\n",
                );
                args.push(format!("{ty} {name}"));
            }
        }
        let (ty, n) = self.registers[3];
        let result = if self.lanes == 32 && n > 1 || self.asm.is_some() {
            format!("{{ {} }}", vec![ty; n].join(", "))
        } else {
            ty.to_owned()
        };
        let callee = self.asm.clone().unwrap_or(format!("@{}", self.name));
        body += &format!("  %r = call {result} {callee}({}{})\n", args.join(", "), self.rest);
        for register in 0..n {
            body += &pointer(3, register, size(3) / n);
            let value = if result.starts_with('{') {
                body += &format!("  %d{register} = extractvalue {result} %r, {register}\n");
                format!("%d{register}")
            } else {
                "%r".to_owned()
            };
            body += &format!("  store {ty} {value}, ptr addrspace(1) %dp{register}, align 1\n");
        }
        let params = OPERANDS.map(|it| format!("ptr addrspace(1) %{it}")).join(", ");
        let types: Vec<&str> = args.iter().map(|it| it.rsplit_once(' ').unwrap().0).collect();
        let declared = if self.asm.is_some() {
            String::new()
        } else {
            let rest = self.rest.split(", ").filter(|it| !it.is_empty());
            let rest: Vec<String> =
                rest.map(|it| format!("{} immarg", it.split(' ').next().unwrap())).collect();
            let all: Vec<String> = types.iter().map(|&it| it.to_owned()).chain(rest).collect();
            format!("declare {result} @{}({})\n", self.name, all.join(", "))
        };
        format!(
            "define KERNEL void @k({params}) {attributes} {{\n  %tid = TID\n{body}  ret void\n}}\n{declared}attributes #0 = {{ \"target-cpu\"=\"{}\" }}\n",
            self.cpu
        )
    }

    /// The memory of an operand: every lane's elements one after another.
    fn memory(&self, i: usize, role: Role, values: &[i64]) -> Vec<u8> {
        let bits = self.formats[i].bits();
        let places = self.shape.places(role, self.lanes);
        let slots = places.len() / self.lanes;
        let mut res = vec![0u8; places.len() * bits / 8];
        for (at, &place) in places.iter().enumerate() {
            let (s, lane) = (at / self.lanes, at % self.lanes);
            let start = (lane * slots + s) * bits;
            let code = self.formats[i].code(values[usize::from(place)]) << (start % 8);
            for byte in 0..(bits + start % 8).div_ceil(8) {
                res[start / 8 + byte] |= (code >> (8 * byte)) as u8;
            }
        }
        res
    }

    #[track_caller]
    fn check(&self) {
        let [blocks, m, n, k] = self.shape.extents();
        let mut state = 1u64;
        let mut values = |i: usize, role: Role| -> Vec<i64> {
            let least = self.formats[i].smallest();
            (0..self.shape.elements(role))
                .map(|_| {
                    state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                    least + (state >> 60) as i64 % 8
                })
                .collect()
        };
        let (a, b) = (values(0, Role::Left), values(1, Role::Right));
        let c = values(2, Role::Sum);
        let mut d = c.clone();
        for block in 0..blocks {
            for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let terms =
                    (0..k).map(|at| a[(block * m + i) * k + at] * b[(block * k + at) * n + j]);
                d[(block * m + i) * n + j] += terms.sum::<i64>();
            }
        }
        let expected = self.memory(3, Role::Sum, &d);
        let (on, _) = self.head();
        let mut buffers = [
            self.memory(0, Role::Left, &a),
            self.memory(1, Role::Right, &b),
            self.memory(2, Role::Sum, &c),
            vec![0; expected.len()],
        ];
        let params: Vec<Param> = (0..4).map(buffer).collect();
        let run = program(on, &self.text()).threads(self.lanes as u32);
        run.on(&params, &mut buffers);
        assert_eq!(buffers[3], expected, "{}", self.name);
    }
}

/// The register types of NVIDIA: what holds `bits` bits of elements of a format.
fn nvidia_registers(format: Format, elements: usize, asm: bool) -> (&'static str, usize) {
    let words = elements * format.bits() / 32;
    match format {
        F16 if asm => ("i32", words),
        F16 => ("<2 x half>", words),
        F32 => ("float", words),
        F64 => ("double", words / 2),
        _ => ("i32", words),
    }
}

fn nvidia(name: String, m: usize, k: usize, formats: [Format; 4], asm: Option<String>) -> Case {
    let packed = (32 / formats[0].bits()).max(1);
    let shape = Shape::Warp { m, k, packed };
    let roles = [Role::Left, Role::Right, Role::Sum, Role::Sum];
    let registers = std::array::from_fn(|i| {
        nvidia_registers(formats[i], shape.elements(roles[i]) / 32, asm.is_some())
    });
    Case { name, shape, lanes: 32, formats, registers, rest: "", cpu: "sm_90", asm }
}

fn ptx(format: Format) -> &'static str {
    match format {
        F16 => "f16",
        BF16 => "bf16",
        F32 => "f32",
        F64 => "f64",
        E4M3 => "e4m3",
        E5M2 => "e5m2",
        Tf32 => "tf32",
        Int(32) => "s32",
        Int(8) => "s8",
        Unsigned(8) => "u8",
        Int(4) => "s4",
        Unsigned(4) => "u4",
        other => panic!("{other:?} is no type of PTX"),
    }
}

/// Rows, depth and formats of every dense `mma.sync`.
fn warp_products() -> Vec<(usize, usize, [Format; 4])> {
    let mut res = Vec::new();
    for k in [8, 16] {
        for (c, d) in [(F16, F16), (F32, F32)] {
            res.push((16, k, [F16, F16, c, d]));
        }
        res.push((16, k, [BF16, BF16, F32, F32]));
        res.push((16, k / 2, [Tf32, Tf32, F32, F32]));
    }
    for (m, k) in [(8, 4), (16, 4), (16, 8), (16, 16)] {
        res.push((m, k, [F64; 4]));
    }
    for bits in [4, 8] {
        let kinds = [Int(bits), Unsigned(bits)];
        let unit = 128 / bits as usize;
        for (a, b) in kinds.into_iter().flat_map(|a| kinds.map(|b| (a, b))) {
            for (m, k) in [(8, unit), (16, unit), (16, 2 * unit)] {
                res.push((m, k, [a, b, S32, S32]));
            }
        }
    }
    for (a, b) in [(E4M3, E4M3), (E4M3, E5M2), (E5M2, E4M3), (E5M2, E5M2)] {
        for (k, sum) in [(16, F16), (32, F16), (16, F32), (32, F32)] {
            res.push((16, k, [a, b, sum, sum]));
        }
    }
    res
}

#[test]
fn every_mma_intrinsic_is_the_plain_product() {
    for (m, k, formats) in warp_products() {
        let [a, b, c, d] = formats;
        let types = match a {
            F16 => format!("{}.{}", ptx(d), ptx(c)),
            E4M3 | E5M2 => [d, a, b, c].map(ptx).join("."),
            _ if a == b => ptx(a).to_owned(),
            _ => format!("{}.{}", ptx(a), ptx(b)),
        };
        let name = format!("llvm.nvvm.mma.m{m}n8k{k}.row.col.{types}");
        nvidia(name, m, k, formats, None).check();
    }
}

#[test]
fn every_mma_instruction_is_the_plain_product() {
    for (m, k, formats) in warp_products() {
        let [a, b, c, d] = formats;
        let name =
            format!("mma.sync.aligned.m{m}n8k{k}.row.col.{}", [d, a, b, c].map(ptx).join("."));
        let mut case = nvidia(name, m, k, formats, Some(String::new()));
        let mut next = 0;
        let mut list = |n: usize| {
            let names: Vec<String> = (next..next + n).map(|i| format!("${i}")).collect();
            next += n;
            format!("{{ {} }}", names.join(", "))
        };
        let [na, nb, nc, nd] = case.registers.map(|(_, n)| n);
        let operands = [list(nd), list(na), list(nb), list(nc)];
        let letter = |i: usize| match case.registers[i].0 {
            "float" => "f",
            "double" => "d",
            _ => "r",
        };
        let outputs = vec![format!("={}", letter(3)); nd];
        let inputs =
            [(0, na), (1, nb), (2, nc)].map(|(i, n)| vec![letter(i).to_owned(); n]).concat();
        let constraints = [outputs, inputs].concat().join(",");
        case.asm = Some(format!(
            "asm sideeffect \"{} {};\", \"{constraints}\"",
            case.name,
            operands.join(", ")
        ));
        case.check();
    }
}

fn amd(
    name: &str,
    shape: Shape,
    formats: [Format; 3],
    [ab, cd]: [&'static str; 2],
    cpu: &'static str,
) -> Case {
    Case {
        name: format!("llvm.amdgcn.mfma.{name}"),
        shape,
        lanes: 64,
        formats: [formats[0], formats[1], formats[2], formats[2]],
        registers: [(ab, 1), (ab, 1), (cd, 1), (cd, 1)],
        rest: ", i32 0, i32 0, i32 0",
        cpu,
        asm: None,
    }
}

#[test]
fn every_mfma_of_both_targets_is_the_plain_product() {
    const V: [&str; 4] = ["<32 x float>", "<16 x float>", "<4 x float>", "double"];
    const I: [&str; 3] = ["<32 x i32>", "<16 x i32>", "<4 x i32>"];
    let wave = |m, k, blocks| Shape::Wave { m, k, blocks };
    let f32s = |m, k, blocks, name, cd| {
        amd(name, wave(m, k, blocks), [F32, F32, F32], ["float", cd], "gfx942").check();
    };
    f32s(32, 1, 2, "f32.32x32x1f32", V[0]);
    f32s(16, 1, 4, "f32.16x16x1f32", V[1]);
    f32s(4, 1, 16, "f32.4x4x1f32", V[2]);
    f32s(32, 2, 1, "f32.32x32x2f32", V[1]);
    f32s(16, 4, 1, "f32.16x16x4f32", V[2]);
    for (m, k, blocks, cd) in
        [(32, 4, 2, V[0]), (16, 4, 4, V[1]), (4, 4, 16, V[2]), (32, 8, 1, V[1]), (16, 16, 1, V[2])]
    {
        let (shape, name) = (wave(m, k, blocks), format!("f32.{m}x{m}x{k}"));
        amd(&format!("{name}f16"), shape, [F16, F16, F32], ["<4 x half>", cd], "gfx942").check();
        let halves = [BF16, BF16, F32];
        amd(&format!("{name}bf16.1k"), shape, halves, ["<4 x i16>", cd], "gfx942").check();
    }
    for (m, k, cd) in [(32, 16, V[1]), (16, 32, V[2])] {
        let (shape, name) = (wave(m, k, 1), format!("f32.{m}x{m}x{k}"));
        let types = ["<8 x half>", cd];
        amd(&format!("{name}.f16"), shape, [F16, F16, F32], types, "gfx950").check();
        let types = ["<8 x bfloat>", cd];
        amd(&format!("{name}.bf16"), shape, [BF16, BF16, F32], types, "gfx950").check();
        for (cpu, four, five) in [("gfx942", FNUZ4, FNUZ5), ("gfx950", E4M3, E5M2)] {
            let bytes = [("fp8", four), ("bf8", five)];
            for ((a, left), (b, right)) in bytes.into_iter().flat_map(|a| bytes.map(|b| (a, b))) {
                let name = format!("{name}.{a}.{b}");
                amd(&name, shape, [left, right, F32], ["i64", cd], cpu).check();
            }
        }
    }
    let s8 = [Int(8), Int(8), S32];
    for (m, k, blocks, name, ab, cd) in [
        (32, 4, 2, "i32.32x32x4i8", "i32", I[0]),
        (16, 4, 4, "i32.16x16x4i8", "i32", I[1]),
        (4, 4, 16, "i32.4x4x4i8", "i32", I[2]),
        (32, 16, 1, "i32.32x32x16.i8", "i64", I[1]),
        (16, 32, 1, "i32.16x16x32.i8", "i64", I[2]),
        (32, 32, 1, "i32.32x32x32.i8", "<4 x i32>", I[1]),
        (16, 64, 1, "i32.16x16x64.i8", "<4 x i32>", I[2]),
    ] {
        amd(name, wave(m, k, blocks), s8, [ab, cd], "gfx950").check();
    }
    let tf32 = [Tf32, Tf32, F32];
    amd("f32.16x16x8.xf32", wave(16, 8, 1), tf32, ["<2 x float>", V[2]], "gfx942").check();
    amd("f32.32x32x4.xf32", wave(32, 4, 1), tf32, ["<2 x float>", V[1]], "gfx942").check();
    let double = |m| Shape::WaveDouble { m };
    amd("f64.16x16x4f64", double(16), [F64; 3], ["double", "<4 x double>"], "gfx942").check();
    amd("f64.4x4x4f64", double(4), [F64; 3], ["double", V[3]], "gfx942").check();
}

/// Products of ones, with the scales of row and column `i` in lane `i + m * (k / 32)`.
#[test]
fn scaled_products_take_each_scale_from_the_lane_of_its_row() {
    for (code, format) in [(0x38, 0), (0x3c, 1), (0x08, 2), (0x0c, 3), (0x2, 4)] {
        let bits = [8, 8, 6, 6, 4][format];
        let mut words = vec![0u32; bits];
        for at in (0..32).flat_map(|s| (0..bits).map(move |bit| (s, bit))) {
            let (s, bit) = at;
            words[(s * bits + bit) / 32] |= (code >> bit & 1) << ((s * bits + bit) % 32);
        }
        let vector: Vec<String> = words.iter().map(|it| format!("i32 {it}")).collect();
        let (ty, vector) = (format!("<{bits} x i32>"), vector.join(", "));
        let name = format!("llvm.amdgcn.mfma.scale.f32.16x16x128.f8f6f4.v{bits}i32.v{bits}i32");
        // Rows of A are scaled by 2^(row / 8), the second 32 of k by 2 more; byte 1 of the scale.
        let body = format!(
            "define KERNEL void @k(ptr addrspace(1) %out) {{
  %tid = TID
  %row = and i32 %tid, 15
  %eighth = lshr i32 %row, 3
  %group = lshr i32 %tid, 4
  %second = icmp eq i32 %group, 1
  %more = zext i1 %second to i32
  %power = add i32 %eighth, %more
  %exponent = add i32 %power, 127
  %scale = shl i32 %exponent, 8
  %d = call <4 x float> @{name}({ty} <{vector}>, {ty} <{vector}>, <4 x float> zeroinitializer, i32 {format}, i32 {format}, i32 1, i32 %scale, i32 0, i32 127)
  %p = getelementptr <4 x float>, ptr addrspace(1) %out, i32 %tid
  store <4 x float> %d, ptr addrspace(1) %p, align 16
  ret void
}}
declare <4 x float> @{name}({ty}, {ty}, <4 x float>, i32 immarg, i32 immarg, i32 immarg, i32, i32 immarg, i32)
"
        );
        let mut buffers = [vec![0; 1024]];
        program(On::Amd, &body).on(&[buffer(0)], &mut buffers);
        for (at, &word) in words_of(&buffers[0]).iter().enumerate() {
            let row = 4 * (at / 4 / 16) + at % 4;
            let expected = (96.0 + 64.0) * if row < 8 { 1.0 } else { 2.0 };
            assert_eq!(f32::from_bits(word), expected, "format {format}, row {row}");
        }
    }
}

#[test]
fn integer_sums_wrap_around_or_saturate() {
    for (words, expected) in [("", i32::MIN), ("satfinite.", i32::MAX)] {
        let call = format!(
            "  %s = call {{ i32, i32 }} @llvm.nvvm.mma.m8n8k16.row.col.{words}s8(i32 1, i32 1, i32 2147483647, i32 0)
  %r = extractvalue {{ i32, i32 }} %s, 0"
        );
        let declared = format!(
            "declare {{ i32, i32 }} @llvm.nvvm.mma.m8n8k16.row.col.{words}s8(i32, i32, i32, i32)\n"
        );
        // Four lanes of a row hold a one each: the largest integer and four.
        let words = program(On::Nvidia, &(each_thread(&call) + &declared)).threads(32).words(32);
        let expected = if expected == i32::MIN { i32::MIN + 3 } else { expected };
        assert_eq!(words[0] as i32, expected);
    }
}

#[test]
fn a_product_that_no_device_has_is_refused() {
    let body = each_thread(
        "  %r = call i32 asm \"mma.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {$0}, {$1}, {$1}, {$1};\", \"=r,r\"(i32 %tid)",
    );
    let error = Program::from_text(&On::Nvidia.module(&body), "k", Lanes::L32).unwrap_err();
    assert_eq!(error.kind, Kind::Unsupported, "{error}");
}
