//! Launching kernel libraries.
