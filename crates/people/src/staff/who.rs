//! What members of staff are called where somebody looks at what they did.

use std::collections::HashMap;

use ::store::{Db, Result};
use base::HospitalId;
use edge::StaffId;

use super::store::member;

/// The logins of those actors (`stf_…`) that are on the list. Others, such as `system`, are not in the answer.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn logins(
    db: &Db,
    hospital: HospitalId,
    actors: impl Iterator<Item = &str>,
) -> Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    for actor in actors {
        if found.contains_key(actor) {
            continue;
        }
        let Ok(id) = actor.parse::<StaffId>() else { continue };
        if let Some(member) = member::get(db, hospital, id).await? {
            found.insert(actor.to_owned(), member.login);
        }
    }
    Ok(found)
}
