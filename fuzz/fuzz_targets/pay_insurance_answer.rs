//! See `pay::fuzz::insurance_answer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pay::fuzz::insurance_answer(data));
