//! Tokens: the smallest pieces of text that mean something.
//!
//! Tokens carry no data, so the parser moves bytes; a name's text is looked up by its place. Every
//! word that is special anywhere is a token of its own here; [`crate::words`] turns those that
//! stand outside their context back into names. The last group is never lexed: those tokens tell
//! the one parser what to parse, and stand for text that repair gave up on.

use logos::Logos;

macro_rules! tokens {
    (
        written { $($name:ident = $text:literal,)* }
        matched { $($(#[$attr:meta])* $class:ident = $what:literal,)* }
        made { $($made:ident = $made_what:literal,)* }
    ) => {
        /// One token.
        #[derive(Logos, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Token {
            $(#[doc = concat!("`", $text, "`")] #[token($text)] $name,)*
            $($(#[$attr])* #[doc = $what] $class,)*
            $(#[doc = $made_what] $made,)*
        }

        impl Token {
            /// The tokens that are always written the same, in order.
            pub const WRITTEN: &[Token] = &[$(Token::$name),*];

            /// How the token is written, or what it is if that varies.
            pub fn text(self) -> &'static str {
                match self {
                    $(Token::$name => $text,)*
                    $(Token::$class => $what,)*
                    $(Token::$made => $made_what,)*
                }
            }

            /// The token of that text, if there is one whose text never varies.
            pub fn from_text(text: &str) -> Option<Token> {
                match text {
                    $($text => Some(Token::$name),)*
                    _ => None,
                }
            }

            /// Whether the token is always written the same.
            pub fn is_written(self) -> bool {
                matches!(self, $(Token::$name)|*)
            }
        }
    };
}

tokens! {
    written {
        LParen = "(", RParen = ")", LBracket = "[", RBracket = "]", LBrace = "{", RBrace = "}",
        Semi = ";", Comma = ",", Colon = ":", Path = "::", Dot = ".", Arrow = "->", At = "@",
        Question = "?", Range = "..", RangeIn = "..=", RangeLen = "..+",
        Assign = "=", AddAssign = "+=", SubAssign = "-=", MulAssign = "*=", DivAssign = "/=",
        RemAssign = "%=", AndAssign = "&=", OrAssign = "|=", XorAssign = "^=", ShlAssign = "<<=",
        ShrAssign = ">>=",
        Plus = "+", Minus = "-", Star = "*", Slash = "/", Percent = "%", Shl = "<<", Shr = ">>",
        And = "&", Or = "|", Xor = "^", AndAnd = "&&", OrOr = "||", Not = "!",
        Eq = "==", Ne = "!=", Lt = "<", Le = "<=", Gt = ">", Ge = ">=",

        Use = "use", Pub = "pub", Const = "const", Struct = "struct", Enum = "enum",
        Impl = "impl", Fn = "fn", Kernel = "kernel", Let = "let", Var = "var", Mut = "mut",
        If = "if", Else = "else", For = "for", In = "in", While = "while", Return = "return",
        Static = "static", Yield = "yield", True = "true", False = "false", As = "as",
        Break = "break", Continue = "continue", Step = "step",
        Global = "global", Shared = "shared", Tmem = "tmem", Tiles = "tiles", List = "list",
        Peers = "peers", Workspace = "workspace",

        Iter = "iter", Permit = "permit", Build = "build", Tune = "tune", Test = "test",
        Bench = "bench", Init = "init", Own = "own",
        Where = "where", Grid = "grid", Warps = "warps", Cluster = "cluster",
        Requires = "requires", Expect = "expect", Allow = "allow", Pdl = "pdl",
        Resident = "resident", Regs = "regs", On = "on",
        Roles = "roles", Elect = "elect", Trust = "trust",
        Strides = "strides", Align = "align", Zeroed = "zeroed",
    }
    matched {
        #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
        Name = "a name",
        #[regex(r"[0-9][0-9_]*|0x[0-9a-fA-F_]*[0-9a-fA-F][0-9a-fA-F_]*|0b[01_]*[01][01_]*|0o[0-7_]*[0-7][0-7_]*", priority = 8)]
        Int = "an integer",
        #[regex(r"[0-9][0-9_]*\.[0-9][0-9_]*([eE][+-]?[0-9]+)?|[0-9][0-9_]*[eE][+-]?[0-9]+", priority = 9)]
        Float = "a float",
        #[regex(r"[0-9][0-9A-Za-z_]*", priority = 4)]
        #[regex(r"[0-9][0-9_]*\.[0-9][0-9A-Za-z_]*", priority = 4)]
        BadNumber = "a number with letters in it",
        #[regex(r#""([^"\\\r\n]|\\[^\r\n])*""#)]
        Str = "a string",
        #[regex(r#""([^"\\\r\n]|\\[^\r\n])*\\?"#, priority = 1)]
        OpenStr = "a string without an end",
        #[regex(r"//[^\r\n]*", allow_greedy = true)]
        Comment = "a comment",
        #[token("/*")]
        BlockComment = "`/*`",
        #[regex(r"[ \t\r\n\f]+")]
        Space = "white space",
    }
    made {
        GoItem = "an item",
        GoBody = "statements",
        GoRoles = "roles",
        GoMembers = "members",
        GoExpr = "an expression",
        Hole = "a statement that cannot be read",
        HoleHead = "the head of a block that cannot be read",
        ExprHole = "an expression that cannot be read",
    }
}

impl Token {
    /// Whether it is an identifier by its letters: a name or any special word.
    pub fn is_word(self) -> bool {
        self == Token::Name
            || (self.is_written() && self.text().as_bytes()[0].is_ascii_alphabetic())
    }

    /// `(`, `[` or `{`.
    pub fn is_opener(self) -> bool {
        matches!(self, Token::LParen | Token::LBracket | Token::LBrace)
    }

    /// `)`, `]` or `}`.
    pub fn is_closer(self) -> bool {
        matches!(self, Token::RParen | Token::RBracket | Token::RBrace)
    }

    /// The bracket that closes this one; `None` if this is no opening bracket.
    pub fn closer(self) -> Option<Token> {
        match self {
            Token::LParen => Some(Token::RParen),
            Token::LBracket => Some(Token::RBracket),
            Token::LBrace => Some(Token::RBrace),
            _ => None,
        }
    }

    /// Whether an operand can end with it, so that a following name begins something new.
    pub fn ends_operand(self) -> bool {
        use Token::*;
        matches!(
            self,
            Name | Int | Float | Str | True | False | RParen | RBracket | Question | ExprHole
        )
    }

    /// Whether it joins what stands before it to what follows, so that no statement begins here.
    pub fn is_joint(self) -> bool {
        use Token::*;
        matches!(
            self,
            Dot | Path
                | At
                | Arrow
                | Range
                | RangeIn
                | RangeLen
                | Assign
                | AddAssign
                | SubAssign
                | MulAssign
                | DivAssign
                | RemAssign
                | AndAssign
                | OrAssign
                | XorAssign
                | ShlAssign
                | ShrAssign
                | Plus
                | Minus
                | Star
                | Slash
                | Percent
                | Shl
                | Shr
                | And
                | Or
                | Xor
                | AndAnd
                | OrOr
                | Eq
                | Ne
                | Lt
                | Le
                | Gt
                | Ge
                | Comma
                | Colon
                | Else
        )
    }
}
