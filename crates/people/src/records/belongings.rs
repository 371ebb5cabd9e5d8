//! What a capability keeps of persons, as far as merging two records goes: it moves, and is found again when they are parted.

use ::store::value::Row;
use ::store::{Result, Sql, Tx, args};
use base::HospitalId;

use crate::model::PersonId;

/// One kind of thing that belongs to a person.
#[derive(Clone, Copy)]
pub struct Belonging {
    /// What stands before its ids in the note of what moved; visits, which were there first, have nothing before theirs.
    pub name: &'static str,
    /// The ids (`id`) of all that a person has; `$1` hospital, `$2` person.
    pub of: Sql,
    /// Gives one to another person; `$1` hospital, `$2` id, `$3` from whom, `$4` to whom. What can't move stays where it is.
    pub give: Sql,
    /// What came after the merge for something that goes back goes back with it: the kind of that something, and as `give`
    /// with its id as `$2`.
    pub with: &'static [(&'static str, Sql)],
}

/// Gives what `from` has of these kinds to `to`: all, or what `only` names. Gives what moved, to be handed in again as `only`.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn give(
    tx: &mut Tx,
    h: HospitalId,
    kinds: &[Belonging],
    from: PersonId,
    to: PersonId,
    only: Option<&[String]>,
) -> Result<Vec<String>> {
    let mut moved = Vec::new();
    for kind in kinds {
        let ids = match only {
            Some(noted) => noted.iter().filter_map(|one| bare(kind.name, one)).collect(),
            None => {
                let rows: Vec<Row> = tx.all(kind.of, args![h, from]).await?;
                rows.iter().map(|row| row.get("id")).collect::<Result<Vec<String>>>()?
            }
        };
        for id in ids {
            if tx.exec(kind.give, args![h, &id, from, to]).await? == 1 {
                moved.push(noted(kind.name, &id));
            }
        }
        for (name, give) in kind.with {
            for id in only.unwrap_or_default().iter().filter_map(|one| bare(name, one)) {
                tx.exec(*give, args![h, &id, from, to]).await?;
            }
        }
    }
    Ok(moved)
}

fn noted(name: &str, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { format!("{name}:{id}") }
}

/// The id in a note, when it is of this kind.
fn bare(name: &str, note: &str) -> Option<String> {
    let (kind, id) = note.split_once(':').unwrap_or(("", note));
    (kind == name).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_by_those_who_wrote_them() {
        for (name, id) in [("", "018f"), ("ticket", "018f"), ("waitlist", "a:b")] {
            let note = noted(name, id);
            assert_eq!(bare(name, &note).as_deref(), Some(id), "{note}");
            assert_eq!(bare("charge", &note), None);
        }
        // A merge of before there was anything but visits.
        assert_eq!(bare("", "018f").as_deref(), Some("018f"));
    }
}
