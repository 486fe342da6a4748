" Vim syntax file for Tile.
" Written by `cargo run -p tile-lsp --example grammars`; changes belong there.

if exists('b:current_syntax')
  finish
endif

syntax match tileName /\h\w*/
syntax match tileConstant /\<\u[A-Z0-9_]*\>/
syntax match tileTypeName /\<\u\w*\l\w*\>/
syntax match tileCall /\<\l\w*\ze\s*\%(\[[^]]*\]\s*\)\?(/
syntax match tileItem /\%(\.\|::\)\@<!\<\%(use\|struct\|enum\|impl\|fn\|kernel\)\>\%(\s*::\@!\)\@!/
syntax match tileItem /\%(\.\|::\)\@<!\<\%(iter\|permit\|build\|tune\)\>\%(\s*::\@!\)\@!\ze\s\+\h/
syntax match tileItem /\%(\.\|::\)\@<!\<\%(test\|bench\)\>\%(\s*::\@!\)\@!\ze\s*"/
syntax match tileItem /\%(\.\|::\)\@<!\<\%(init\)\>\%(\s*::\@!\)\@!\ze\s*[(\[]/
syntax match tileControl /\%(\.\|::\)\@<!\<\%(if\|else\|for\|in\|while\|return\|yield\|as\|break\|continue\|step\)\>\%(\s*::\@!\)\@!/
syntax match tileBinding /\%(\.\|::\)\@<!\<\%(const\|let\|var\)\>\%(\s*::\@!\)\@!/
syntax match tileClause /\%(\.\|::\)\@<!\<\%(where\|expect\|pdl\|resident\)\>\%(\s*::\@!\)\@!\%(\s*\%((\|\.\|::\)\)\@!/
syntax match tileClause /\%(\.\|::\)\@<!\<\%(grid\|cluster\)\>\%(\s*::\@!\)\@!\ze\s*\[/
syntax match tileClause /\%(\.\|::\)\@<!\<\%(warps\|regs\)\>\%(\s*::\@!\)\@!\ze\s*[0-9A-Za-z_(]/
syntax match tileClause /\%(\.\|::\)\@<!\<\%(requires\|allow\|on\)\>\%(\s*::\@!\)\@!\ze\s\+\h/
syntax match tileBlock /\%(\.\|::\)\@<!\<\%(roles\|elect\)\>\%(\s*::\@!\)\@!\ze\s*{/
syntax match tileBlock /\%(\.\|::\)\@<!\<\%(trust\)\>\%(\s*::\@!\)\@!\ze\s*"/
syntax match tileMemory /\%(\.\|::\)\@<!\<\%(global\|shared\|tmem\|tiles\|list\|peers\|workspace\)\>\%(\s*::\@!\)\@!/
syntax match tileModifier /\%(\.\|::\)\@<!\<\%(pub\|mut\|static\)\>\%(\s*::\@!\)\@!/
syntax match tileModifier /\%(\.\|::\)\@<!\<\%(own\)\>\%(\s*::\@!\)\@!\ze\s\+\h/
syntax match tileModifier /\%(\.\|::\)\@<!\<\%(strides\)\>\%(\s*::\@!\)\@!\ze\s*\[/
syntax match tileModifier /\%(\.\|::\)\@<!\<\%(align\)\>\%(\s*::\@!\)\@!\ze\s*[0-9A-Za-z_(]/
syntax match tileModifier /\%(\.\|::\)\@<!\<\%(zeroed\)\>\%(\s*::\@!\)\@!\%(\s*\%((\|\.\|::\)\)\@!/
syntax match tileValue /\%(\.\|::\)\@<!\<\%(true\|false\)\>\%(\s*::\@!\)\@!/
syntax match tileElement /\%(\.\|::\)\@<!\<\%(bool\|i8\|i16\|i32\|i64\|u8\|u16\|u32\|u64\|f16\|bf16\|tf32\|f32\|f64\|f8e4m3\|f8e5m2\|f8e4m3fnuz\|f8e5m2fnuz\|f6e2m3\|f6e3m2\|f4e2m1\|f8e8m0\)\>\%(\s*::\@!\)\@!/
syntax match tileKind /\%(\.\|::\)\@<!\<\%(int\|type\|layout\|str\|record\|barrier\)\>\%(\s*::\@!\)\@!/
syntax match tileValue /\%(\.\|::\)\@<!\<\%(none\|inf\)\>\%(\s*::\@!\)\@!/

syntax match tileNumber /\<\d[0-9A-Za-z_]*\>/
syntax match tileFloat /\<\d[0-9_]*\%(\.\d[0-9_]*\%([eE][+-]\?\d\+\)\?\|[eE][+-]\?\d\+\)\>/
syntax match tileEscape /\\./ contained
syntax region tileString start=/"/ end=/"/ oneline contains=tileEscape
syntax match tileComment /\/\/.*$/ contains=@Spell
syntax match tileDoc /\/\/[\/!].*$/ contains=@Spell

highlight default link tileItem Structure
highlight default link tileControl Statement
highlight default link tileBinding Keyword
highlight default link tileClause PreProc
highlight default link tileBlock Statement
highlight default link tileMemory StorageClass
highlight default link tileModifier StorageClass
highlight default link tileValue Constant
highlight default link tileElement Type
highlight default link tileKind Type
highlight default link tileTypeName Type
highlight default link tileConstant Constant
highlight default link tileCall Function
highlight default link tileNumber Number
highlight default link tileFloat Float
highlight default link tileEscape SpecialChar
highlight default link tileString String
highlight default link tileComment Comment
highlight default link tileDoc SpecialComment

let b:current_syntax = 'tile'
