//! See `wechat::fuzz::reply`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wechat::fuzz::reply(data));
