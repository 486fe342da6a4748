use super::parse;

#[track_caller]
fn check(text: &str, wanted: &str) {
    match parse(text) {
        Ok(_) => panic!("parsed: {text}"),
        Err(error) => assert_eq!(error.to_string(), wanted),
    }
}

const HEAD: &str = "kernel k for sm_90a warps 1 {\n plan k threads 32\n grid [1]\n";

#[test]
fn errors_name_line_and_column() {
    check("kernel k for sm_91", "1:14: there is no target `sm_91`");
    check("kernel \"k", "1:8: this string does not end");
    check(
        &format!("{HEAD} body () {{\n  %a: f32 = tile.leap\n }} }}"),
        "5:13: there is no operation `tile.leap`",
    );
    check(
        &format!("{HEAD} body () {{\n  %a: f33 = tile.fma\n }} }}"),
        "5:7: there is no element type `f33`",
    );
    check(
        &format!("{HEAD} body () {{\n  %a: i8 = tile.const<200>\n }} }}"),
        "5:12: `200` is no number of this type",
    );
    check(
        &format!("{HEAD} body () {{\n  %a: f32 = tile.unary<neg> %b\n }} }}"),
        "6:5: `%b` is never defined",
    );
    check(
        &format!("{HEAD} body () {{\n  %a: f32[4] @ #L = tile.fma\n }} }}"),
        "5:16: `#L` is not declared",
    );
    check(
        &format!("{HEAD} body () {{\n  %1: i8 = tile.const<1>\n  %1: i8 = tile.const<1>\n }} }}"),
        "6:3: `%1` is defined twice",
    );
    check(
        &format!("{HEAD} memory #M = 24 [1, 2, 4, 8] 16\n body () {{}} }}"),
        "4:14: an extent of 24 has not 4 columns",
    );
    check(
        &format!("{HEAD} memory #M = 8 [1, 2, 4] 0 padding [0, 4]\n body () {{}} }}"),
        "4:36: padding has an interval of at least 1",
    );
    check(
        &format!("{HEAD} body () {{\n  %a: shared f32 @ #M = shared.alloc<4>\n }} }}"),
        "5:20: `#M` is not declared",
    );
    check(
        "kernel k for sm_90a warps 1 { plan k threads x",
        "1:46: a number is wanted here, not `x`",
    );
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = format!("{HEAD} body () {{ {}", "flow.if %0 {".repeat(10_000));
    assert!(parse(&deep).unwrap_err().message.contains("nested more than"));
    let deep =
        format!("kernel k for sm_90a warps 1 {{ plan k threads 1 grid [{}", "neg(".repeat(10_000));
    assert!(parse(&deep).unwrap_err().message.contains("nested more than"));
}

#[test]
fn no_cut_or_doubled_text_panics() {
    for (_, text) in crate::ir::samples::ALL.into_iter().chain(crate::ir::samples::SHARED) {
        let text = text.trim_end();
        for end in (0..text.len()).step_by(7).filter(|&it| text.is_char_boundary(it)) {
            assert!(parse(&text[..end]).is_err());
            let twice = format!("{}{}", &text[..end], text);
            let only_comment = !text[..end].contains("kernel \"");
            assert!(parse(&twice).is_err() || only_comment);
        }
    }
}

#[test]
fn instructions_without_sites_are_their_own_place() {
    let text = format!("{HEAD} body () {{\n  %a: f32 = tile.const<1.5>\n }} }}");
    let kernel = parse(&text).unwrap();
    let site = &kernel.sites[kernel.body.insts[0].site.0 as usize];
    let span = site.place.span;
    assert_eq!(&text[span.lo as usize..span.hi as usize], "%a: f32 = tile.const<1.5>");
}

#[test]
fn what_is_rare_survives_printing() {
    let text = r#"kernel "odd name \"x\"" for gfx942 warps 2 {
        plan "my kernel" threads 128 cluster [2, 1] resident
        param x: tensor bf16 [a, mul(4, "b.c")] strides ["b.c", 1] align 2 mut optional
        param x: scalar f64 = float -inf
        param k: scalar i32 = int -3
        param cfg.p: pointer u8 align 1
        symbol a: 32
        symbol "b.c": 64
        symbol a: 32
        check "a || b": or(not(a), gt(scalar(k), min(num_sms(), #2)))
        grid [a, max_resident(), 1]
        memory #WHOLE = 6 [96] 192, 32 [1, 2, 8, 12, 16] 0 mixed 64 padding [32, 8] [64, 4]
        memory #ROW = 32 [1, 2, 8, 12, 16] 0 mixed 72 padding [32, 8] [64, 4]
        memory #CELL = mixed 72 padding [32, 8] [64, 4]
        tensor x: bf16 at %0 dims [%1, 4] strides [%2, 1] align 2 mut optional !1 dims_at [!0, !1]
        fact range %1 from -4 !0
        fact range %1 !0
        fact at_most %1 %1 !0
        clauses !0 last !1
        body (%0: *bf16 = address x, %1 a: i32 = symbol a, %2: i64 = symbol "b.c", %3: f64 = scalar #1, %7: *u8 = address cfg.p) {
            %4 "two words": f32 = tile.const<0x7fc00001> !1
            %5: i64 = tile.const<-9223372036854775808> !0
            %8 buf: shared bf16 @ #WHOLE = shared.alloc<128> !0
            %9: shared bf16 @ #ROW = shared.index<0> %8, %1 !0
            %10: shared bf16 @ #CELL = shared.index<0> %9, %1 !0
        }
        value %6 gone: *f16
        site !0 = file 3 item "kernel x" 0..7
        site !1 = file 3 item "fn y \\" 10..20 from !0
    }"#;
    let kernel = parse(text).unwrap_or_else(|error| panic!("{error}"));
    let printed = kernel.to_string();
    assert_eq!(parse(&printed).unwrap_or_else(|error| panic!("{error}\n{printed}")), kernel);
    insta::assert_snapshot!(printed);
}
