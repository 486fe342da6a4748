use super::*;
use crate::dtype::DType;
use crate::ir::parse::parse;

/// A sound kernel with `insts` in its body; `%x`, `%n`, `%c`, `%t`, `%i`, `%p`, `%m` and the buffers `%s`, `%two` are at hand.
fn with(insts: &str) -> String {
    format!(
        r#"kernel "k" for sm_90a warps 1 {{
            plan k threads 32
            param x: tensor f32 [n] align 4
            param eps: scalar f32
            symbol n: 32
            grid [n]
            layout #L = [32] lane [1] [2] [4] [8] [16]
            layout #H = [32] lane [2] [1] [4] [8] [16]
            layout #S = [16] lane [0] [1] [2] [4] [8]
            memory #ROW = 32 [1, 2, 4, 8, 16] 0
            memory #HALF = 16 [1, 2, 4, 8] 0
            memory #TWO = 2 [32] 0, 32 [1, 2, 4, 8, 16] 0
            tensor x: f32 at %x dims [%n] strides [1] align 4
            fact divisible %n by 4
            body (%x: *f32 = address x, %n: i32 = symbol n, %eps: f32 = scalar eps) {{
                %c: bool = tile.const<true>
                %t: f32[32] @ #L = tile.const<1.0>
                %i: i32[32] @ #L = tile.index<0>
                %p: *f32[32] @ #L = memory.at<0> %i
                %m: bool[32] @ #L = tile.cmp<lt> %i, %i
                %s: shared f32 @ #ROW = shared.alloc<16>
                %two: shared f32 @ #TWO = shared.alloc<16>
                {insts}
            }}
        }}"#
    )
}

/// The rules that a text breaks.
fn broken(text: &str) -> Vec<Rule> {
    let kernel = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut rules: Vec<Rule> = verify(&kernel).iter().map(|it| it.rule).collect();
    rules.dedup();
    rules
}

#[track_caller]
fn check(insts: &str, wanted: &[Rule]) {
    assert_eq!(broken(&with(insts)), wanted, "{insts}");
}

#[test]
fn a_sound_kernel_breaks_nothing() {
    check("", &[]);
    check("memory.store<all, normal> %p, %t, %m", &[]);
    for insts in [
        "%v: shared f32 @ #ROW = shared.index<0> %two, %n shared.store %v, %t",
        "%v: shared f32 @ #HALF = shared.slice<0> %s, %n",
        "%v: shared i32 @ #ROW = shared.recast %s",
        "%g: f32[32] @ #L = shared.gather<0> %s, %i, %m shared.scatter<0> %s, %i, %g, %m",
        "%o: f32[32] @ #L = shared.atomic<add, 0> %s, %i, %t",
        "copy.async %s, %p copy.async %s, %p, %m copy.async %s, %p, %c copy.async %s, %p, %m, %c",
        "%f: shared f32 @ #ROW = copy.fetch<16> %p, %m copy.commit copy.wait<1> sync.barrier",
    ] {
        check(insts, &[]);
    }
}

#[test]
fn v1_a_value_is_defined_once_before_its_uses() {
    check("%a: f32 = tile.unary<neg> %b %b: f32 = tile.const<0>", &[Rule::V1]);
    check("flow.if %c { %a: f32 = tile.const<0> } %b: f32 = tile.unary<neg> %a", &[Rule::V1]);
    let mut kernel = parse(&with("%a: f32 = tile.const<0>")).unwrap();
    let again = kernel.body.insts[0].clone();
    kernel.body.insts.push(again);
    assert_eq!(verify(&kernel)[0].rule, Rule::V1);
}

#[test]
fn v2_a_tile_has_a_layout_of_its_shape() {
    check("%a: f32[32] = tile.const<0>", &[Rule::V2]);
    check("%a: f32[8] @ #L = tile.const<0>", &[Rule::V2]);
    check("%a: f32 @ #L = tile.const<0>", &[Rule::V2]);
}

#[test]
fn v2_a_view_has_a_memory_map_of_its_shape() {
    let kernel = parse(&with("%v: shared f32 @ #ROW = shared.alloc<16>")).unwrap();
    let number = kernel.values.iter().rposition(|it| it.ty.is_view()).unwrap();
    let broken = |change: fn(&mut Type)| {
        let mut kernel = kernel.clone();
        change(&mut kernel.values[number].ty);
        verify(&kernel)[0].rule
    };
    let registers = kernel.values.iter().find_map(|it| it.ty.layout.clone()).unwrap();
    assert_eq!(broken(|it| it.shape[0] = 16), Rule::V2);
    assert_eq!(broken(|it| it.memory = None), Rule::V2);
    assert_eq!(broken(|it| it.elem = Elem::Data(DType::F32)), Rule::V2);
    let mut both = kernel.clone();
    both.values[number].ty.layout = Some(registers);
    assert_eq!(verify(&both)[0].rule, Rule::V2);
}

#[test]
fn v3_operands_and_results_have_their_rows_types() {
    for insts in [
        "%a: f32[32] @ #L = tile.unary<not> %t",
        "%a: i32[32] @ #L = tile.unary<sqrt> %i",
        "%a: f32[32] @ #L = tile.binary<add> %t, %i",
        "%a: f32[32] @ #L = tile.binary<add> %t",
        "%a: f32[32] @ #L = tile.cmp<lt> %t, %t",
        "%a: f32[32] @ #L = tile.bits %p",
        "%a: f32[32] @ #L = tile.index<0>",
        "%a: f32[16] @ #S, %b: f32[16] @ #S = tile.halves<0, 5> %t",
        "%a: f32[32] @ #L = tile.permute<[1]> %t",
        "%a: f32[32] @ #H = tile.permute<[0]> %t",
        "%a: f32[32] @ #H = tile.reshape %t",
        "%a: f32[16] @ #S, %b: f32[16] @ #S = tile.halves<0, 1> %t",
        "%a: i32[32] @ #L = memory.load<all, normal> %p",
        "%a: f32[32] @ #L = memory.atomic<xor, relaxed, device> %p, %t",
        "%a: f32[32] @ #L = memory.at<0> %i",
        "memory.assert<\"why\"> %t",
        "%v: shared f32 @ #ROW = shared.alloc<12>",
        "%v: f32 = shared.alloc<16>",
        "%v: shared f32 @ #HALF = shared.index<0> %two, %n",
        "%v: shared i32 @ #ROW = shared.index<0> %two, %n",
        "%v: shared f32 @ #ROW = shared.index<2> %two, %n",
        "%v: shared f32 @ #ROW = shared.index<0> %s, %n",
        "%v: shared f32 @ #TWO = shared.slice<1> %s, %n",
        "%v: shared f32 @ #TWO = shared.slice<0> %two",
        "%v: shared f32 @ #HALF = shared.recast %s",
        "%v: f32[32] @ #L = shared.recast %s",
        "%v: i32[32] @ #L = shared.load %s",
        "%v: f32[16] @ #S = shared.load %s",
        "%v: f32[32] @ #L = shared.load %t",
        "shared.store %s, %i",
        "shared.store %s",
        "%g: f32[32] @ #L = shared.gather<0> %s, %t",
        "%g: i32[32] @ #L = shared.gather<0> %s, %i",
        "%g: f32[32] @ #L = shared.gather<0> %two, %i",
        "%g: f32[32] @ #L = shared.gather<1> %s, %i",
        "shared.scatter<0> %s, %i",
        "shared.scatter<0> %s, %i, %i",
        "shared.atomic<add, 0> %s, %i, %t",
        "copy.async %s, %t",
        "copy.async %two, %p",
        "copy.async %s",
        "copy.commit %c",
        "%v: shared i32 @ #ROW = copy.fetch<16> %p",
        "copy.fetch<16> %p",
        "%a: bool = tile.const<0x1> %b: f32 = tile.unary<neg>",
    ] {
        check(insts, &[Rule::V3]);
    }
}

#[test]
fn v4_elementwise_operands_have_one_shape_and_layout() {
    check(
        "%h: f32[32] @ #H = tile.convert %t %a: f32[32] @ #L = tile.binary<add> %t, %h",
        &[Rule::V4],
    );
    check("%e: f32 = tile.const<0> %a: f32[32] @ #L = tile.binary<add> %t, %e", &[Rule::V4]);
    check("memory.store<all, normal> %p, %eps", &[Rule::V4]);
}

#[test]
fn v5_a_region_yields_what_its_owner_expects() {
    check("%a: f32 = flow.if %c { yield %eps } { yield %n }", &[Rule::V5]);
    check("flow.if %c { yield %eps } { }", &[Rule::V5]);
    check("%a: f32 = flow.for %n, %n, %n, %eps { (%k: i32) yield %eps }", &[Rule::V5]);
    check("%a: i32 = flow.while %n { (%k: i32) yield %c } { (%l: i32) yield %eps }", &[Rule::V5]);
}

#[test]
fn v6_masks_are_bool_and_cover_the_pointers() {
    check("memory.store<all, normal> %p, %t, %c", &[Rule::V6]);
    check("%a: f32[32] @ #L = memory.load<all, normal> %p, %i", &[Rule::V6]);
    check("%h: bool[32] @ #H = tile.convert %m memory.store<all, normal> %p, %t, %h", &[Rule::V6]);
    check("%v: f32[32] @ #L = shared.gather<0> %s, %i, %c", &[Rule::V6]);
    check("shared.scatter<0> %s, %i, %t, %t", &[Rule::V6]);
    check("copy.async %s, %p, %i", &[Rule::V6]);
    check("%v: shared f32 @ #ROW = copy.fetch<16> %p, %c", &[Rule::V6]);
}

#[test]
fn v7_tensors_and_sites_exist() {
    check("%a: *f32[32] @ #L = memory.at<1> %i", &[Rule::V7]);
    let mut kernel = parse(&with("")).unwrap();
    kernel.body.insts[0].site = SiteId(99);
    assert_eq!(verify(&kernel)[0].rule, Rule::V7);
    let mut kernel = parse(&with("")).unwrap();
    kernel.sites[1].caller = Some(SiteId(1));
    assert_eq!(verify(&kernel)[0].rule, Rule::V7);
}

#[test]
fn v8_kernel_and_plan_agree() {
    for (from, to) in [
        ("plan k threads 32", "plan k threads 64"),
        ("grid [n]", "grid []"),
        ("symbol n: 32", "symbol n: 64"),
        ("param eps: scalar f32", "param eps: scalar f64"),
        ("%x: *f32 = address x,", "%x: *f32 = address eps,"),
        ("param x: tensor f32 [n] align 4", "param x: tensor f32 [n] align 4 mut"),
    ] {
        let text = with("");
        assert!(text.contains(from), "{from}");
        assert_eq!(broken(&text.replace(from, to)), [Rule::V8], "{to}");
    }
}

#[test]
fn v9_conditions_and_bounds_are_scalars() {
    check("flow.if %m { }", &[Rule::V9]);
    check("flow.for %n, %n, %i { (%k: i32) }", &[Rule::V9, Rule::V3]);
    check("memory.print<\"\", \"\"> %t", &[Rule::V9]);
    check("%v: shared f32 @ #ROW = shared.index<0> %two, %i", &[Rule::V9]);
    check("copy.async %s, %p, %n", &[Rule::V9]);
    check("copy.async %s, %p, %c, %c", &[Rule::V9]);
}

#[test]
fn v10_a_view_is_neither_carried_nor_yielded() {
    check("%v: shared f32 @ #ROW = flow.if %c { yield %s } { yield %s }", &[Rule::V10]);
    check(
        "%v: shared f32 @ #ROW = flow.for %n, %n, %n, %s { (%k: i32, %w: shared f32 @ #ROW) yield %w }",
        &[Rule::V10],
    );
}
