//! See `wechat::fuzz::answer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wechat::fuzz::answer(data));
