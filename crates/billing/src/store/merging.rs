//! What billing keeps of a person: for merging two records. Payments and the ledger know charges, not persons, and stay as they are.

use base::HospitalId;
use people::PersonId;
use people::records::merge::{Belonging, give};
use store::{Result, Tx};

store::statements! {
    CHARGES_OF = "SELECT id FROM charge WHERE hospital_id = $1 AND person_id = $2 ORDER BY id";
    CHARGE_GIVE = "UPDATE charge SET person_id = $4 WHERE hospital_id = $1 AND id = $2 AND person_id = $3";
    OF_SUBJECT_GIVE = "UPDATE charge SET person_id = $4 WHERE hospital_id = $1 AND subject = $2 AND person_id = $3";
}

const KEPT: [Belonging; 1] =
    [Belonging { name: "charge", of: CHARGES_OF, give: CHARGE_GIVE, with: &[("subject", OF_SUBJECT_GIVE)] }];

/// Gives one person's charges to another: all, or what `only` names. What is noted there as `subject:…` is a thing that goes back;
/// a charge for it that came later goes with it. Gives what moved.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn hand_over(
    tx: &mut Tx,
    h: HospitalId,
    from: PersonId,
    to: PersonId,
    only: Option<&[String]>,
) -> Result<Vec<String>> {
    give(tx, h, &KEPT, from, to, only).await
}
