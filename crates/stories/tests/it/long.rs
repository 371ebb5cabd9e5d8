//! How much of a story is played: `cargo xtask test` has little time, `cargo xtask test --long` has all that it takes.

/// The first in `cargo xtask test`, the second in its long form.
pub fn or_long<T>(short: T, long: T) -> T {
    if std::env::var_os("XINGLIN_LONG").is_some() { long } else { short }
}

/// Limits under which one person may have any number of places, as long as each is with another doctor or in another half
/// day: a crowd of few does the work of many.
pub fn no_limits() -> serde_json::Value {
    serde_json::json!({"per_day": 99, "per_department_day": 99, "per_week": 999, "per_quarter": 999, "per_account_day": 0})
}
