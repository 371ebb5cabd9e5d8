//! What the phones were told against what the database holds.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Result, ensure};
use base::Clock;
use booking::AppointmentId;
use schedule::SlotId;
use server::Config;
use store::value::{FromRow, Row};
use store::{Db, Sql, args};

use crate::load::Booked;

const TEXT: &str = "SELECT id, slot_id, number FROM appointment WHERE state = 'booked'";
const LIVE: Sql = Sql { name: "LIVE", sqlite: TEXT, postgres: TEXT };

/// A live appointment as the database has it.
impl FromRow for Booked {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            id: row.get::<AppointmentId>("id")?.to_string(),
            slot: row.get::<SlotId>("slot_id")?.to_string(),
            number: row.get("number")?,
        })
    }
}

/// Looks whether both agree. (Whether the database agrees with itself is what `xinglin check` says.)
///
/// # Errors
/// What does not.
pub(super) async fn agrees(config: &Config, told: &[Booked], expected: usize) -> Result<()> {
    let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
    let held: Vec<Booked> = db.all(LIVE, args![]).await?;
    db.close().await;
    compare(told, &held, expected)
}

fn compare(told: &[Booked], held: &[Booked], expected: usize) -> Result<()> {
    ensure!(told.len() == expected, "{} places were given, there are {expected}", told.len());
    let different = |all: &[Booked]| all.iter().map(|one| one.id.clone()).collect::<BTreeSet<_>>().len();
    ensure!(different(told) == told.len(), "two phones were told the same appointment");
    let by_id: HashMap<&str, &Booked> = held.iter().map(|one| (one.id.as_str(), one)).collect();
    for one in told {
        let there = by_id.get(one.id.as_str());
        ensure!(there == Some(&one), "a phone was told {one:?}, the database has {there:?}");
    }
    ensure!(held.len() == told.len(), "{} places are taken, {} phones know of one", held.len(), told.len());
    let numbers: BTreeSet<(&str, i64)> = held.iter().map(|one| (one.slot.as_str(), one.number)).collect();
    ensure!(numbers.len() == held.len(), "a number was given twice");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: &str, slot: &str, number: i64) -> Booked {
        Booked { id: id.into(), slot: slot.into(), number }
    }

    #[test]
    fn what_does_not_agree_is_found() {
        let held = [place("a", "s", 1), place("b", "s", 2)];
        assert!(compare(&[held[1].clone(), held[0].clone()], &held, 2).is_ok());
        assert!(compare(&held, &held, 3).is_err(), "a phone went away without a place");
        assert!(compare(&held[..1], &held, 1).is_err(), "a place that nobody knows of");
        assert!(compare(&[place("a", "s", 1), place("c", "s", 2)], &held, 2).is_err(), "told, not held");
        assert!(compare(&[place("a", "s", 1), place("b", "s", 3)], &held, 2).is_err(), "another number");
        let same = [place("a", "s", 1), place("a", "s", 1)];
        assert!(compare(&same, &same, 2).is_err(), "told twice");
        let twice = [place("a", "s", 1), place("b", "s", 1)];
        assert!(compare(&twice, &twice, 2).is_err(), "one number for two");
    }
}
