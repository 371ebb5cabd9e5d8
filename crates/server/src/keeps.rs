//! What the capabilities above `people` keep of a person: for merging two records, and for showing people what is on file.

use base::HospitalId;
use booking::AppointmentId;
use people::PersonId;
use people::records::merge::Merging;
use store::{Result, Tx};

/// Asks each of them.
pub(crate) struct Kept;

#[async_trait::async_trait]
impl Merging for Kept {
    async fn clashes(&self, tx: &mut Tx, h: HospitalId, kept: PersonId, gone: PersonId) -> Result<u32> {
        let visits = booking::merging::clashes(tx, h, kept, gone).await?;
        Ok(visits.saturating_add(queue::merging::clashes(tx, h, kept, gone).await?))
    }

    async fn hand_over(
        &self,
        tx: &mut Tx,
        h: HospitalId,
        from: PersonId,
        to: PersonId,
        only: Option<&[String]>,
    ) -> Result<Vec<String>> {
        let mut moved = booking::merging::hand_over(tx, h, from, to, only).await?;
        moved.extend(queue::merging::hand_over(tx, h, from, to, only).await?);
        let noted = only.map(with_subjects);
        moved.extend(billing::merging::hand_over(tx, h, from, to, noted.as_deref()).await?);
        Ok(moved)
    }

    async fn on_file(&self, tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<serde_json::Value> {
        booking::merging::on_file(tx, h, person).await
    }

    async fn ahead(&self, tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<u32> {
        booking::merging::ahead(tx, h, person).await
    }
}

/// What moved, and each visit among it as the subject of its charge.
fn with_subjects(noted: &[String]) -> Vec<String> {
    let visits = noted.iter().filter_map(|note| AppointmentId::from_db(note).ok());
    let subjects = visits.map(|id| format!("subject:{id}")).collect::<Vec<_>>();
    noted.iter().cloned().chain(subjects).collect()
}
