//! See `wechat::fuzz::field`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wechat::fuzz::field(data));
