//! See `pay::fuzz::alipay_bill`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pay::fuzz::alipay_bill(data));
