//! See `pay::fuzz::wechatpay_notice`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pay::fuzz::wechatpay_notice(data));
