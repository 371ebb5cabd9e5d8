//! What the capabilities above `people` keep of a person: for merging two records, and for showing people what is on file.

use base::HospitalId;
use booking::merging;
use people::PersonId;
use people::records::merge::Merging;
use store::{Result, Tx};

/// Asks each of them. So far that is booking.
pub(crate) struct Kept;

#[async_trait::async_trait]
impl Merging for Kept {
    async fn clashes(&self, tx: &mut Tx, h: HospitalId, kept: PersonId, gone: PersonId) -> Result<u32> {
        merging::clashes(tx, h, kept, gone).await
    }

    async fn hand_over(
        &self,
        tx: &mut Tx,
        h: HospitalId,
        from: PersonId,
        to: PersonId,
        only: Option<&[String]>,
    ) -> Result<Vec<String>> {
        merging::hand_over(tx, h, from, to, only).await
    }

    async fn on_file(&self, tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<serde_json::Value> {
        merging::on_file(tx, h, person).await
    }

    async fn ahead(&self, tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<u32> {
        merging::ahead(tx, h, person).await
    }
}
