//! nsl
fn main() {}
