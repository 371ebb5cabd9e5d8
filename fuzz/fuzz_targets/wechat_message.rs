//! See `wechat::fuzz::message`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wechat::fuzz::message(data));
