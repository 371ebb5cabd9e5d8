//! One-time codes for added numbers: a doctor shows one as a QR code, and one patient takes the number with it.

use base::HospitalId;
use store::Vault;

/// Hashed: a code for an added number.
const FIELD: &str = "booking.add_on_code";

/// The form in which a code is kept.
pub(crate) fn hash(vault: &Vault, hospital: HospitalId, code: &str) -> String {
    vault.blind(hospital, FIELD, &code.trim().to_ascii_uppercase())
}

/// A new code: 100 random bits, in letters and digits that are not mistaken for each other.
pub(crate) fn new() -> String {
    crate::lane::new_ids().1
}

/// The page that a patient opens with it.
pub(crate) fn link(code: &str) -> String {
    format!("/add-on/{code}")
}
