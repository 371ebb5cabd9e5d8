//! The program: serve, demo, migrate, seed, check.
fn main() {}
