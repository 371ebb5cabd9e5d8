//! See `wechat::fuzz::seal`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wechat::fuzz::seal(data));
