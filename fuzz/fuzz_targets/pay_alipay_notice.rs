//! See `pay::fuzz::alipay_notice`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pay::fuzz::alipay_notice(data));
