//! A person's name and main document, sealed as they are kept.

use ::store::value::Row;
use ::store::{Db, Result, args};
use base::HospitalId;

use crate::model::PersonId;

::store::statements! {
    WHO = "SELECT p.name, d.kind, d.number FROM person p
           JOIN person_document d ON d.hospital_id = p.hospital_id AND d.person_id = p.id AND d.is_main = 1 AND d.voided_at IS NULL
           WHERE p.hospital_id = $1 AND p.id = $2";
}

pub(crate) async fn who(db: &Db, hospital: HospitalId, person: PersonId) -> Result<Option<Row>> {
    db.opt(WHO, args![hospital, person]).await
}
