//! The language's database, with the files of one command in it.
//!
//! The only file that talks to it: everything that comes out has places in files.
