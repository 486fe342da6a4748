//! Names: which declaration a name means.

/// Functions of one name.
#[derive(Clone, PartialEq, Debug)]
pub struct FnRef;

/// A struct, permit or enum.
#[derive(Clone, PartialEq, Debug)]
pub struct TypeRef;
