//! Patients' records as staff work on them, and as their owners may see, take along, and close them.
//!
//! - [`search`]: finding a patient by what they bring; [`desk`]: putting one on file at the counter
//! - [`merge`]: two records that were one patient, and back again
//! - [`import`]: many patients from a file, row by row, as often as one likes
//! - [`texts`]: the wordings that people agree to
//! - [`own`]: what is on file, for whom it is about; [`own::lock`] closes a record on request
//! - [`reach`]: who can still be told something about a patient
//! - [`children`]: the sweep that hands a record over when a child comes of age
//!
//! **Invariants.** Lists show masked names only. Opening a name is audited. A record is never deleted: merged, it points at the
//! other; locked, nothing finds it, and its contents are wiped when the time is over for which the law asks it to be kept.

pub(crate) mod api;
mod belongings;
pub mod children;
pub mod desk;
pub mod import;
pub mod merge;
pub mod own;
pub mod reach;
pub mod search;
pub(crate) mod store;
pub mod texts;

/// Its statements, for the test that prepares them all.
pub(crate) fn statements() -> Vec<::store::Sql> {
    [store::ALL, store::import::ALL, store::texts::ALL].concat()
}

::store::typed_id! {
    /// Two records that were made one.
    MergeId = "mrg";
    /// A file of patients.
    ImportId = "imp";
}
