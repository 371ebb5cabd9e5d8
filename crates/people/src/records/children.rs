//! Coming of age: the record of a child is handed over to the person when they are 18.
//!
//! Their guardians are told, and hold the record for some months more, so that nobody is left without help; then their bindings
//! end, unless the person made new ones. Bindings that were made after the birthday were made by a grown-up and stay.

use std::time::Duration;

use ::store::events::Failure;
use ::store::value::{One, Row};
use ::store::{Db, NewEvent, Sweep, args};
use async_trait::async_trait;
use base::{Date, HospitalId, UnixMs, WallTime};
use edge::{Hospital, Hospitals};
use serde_json::json;

use super::store as sql;
use crate::model::PersonId;
use crate::rules::ADULT_FROM;
use crate::settings::PersonRules;
use crate::store::person;

/// Looks daily for who has come of age, and ends what is over.
pub struct HandOver {
    hospitals: Hospitals,
}

impl HandOver {
    /// The sweep.
    #[must_use]
    pub fn new(hospitals: Hospitals) -> Self {
        Self { hospitals }
    }

    /// Tells the guardians of those who have come of age within the last year.
    async fn tell(&self, db: &Db, hospital: &Hospital) -> Result<bool, Failure> {
        let h = hospital.id;
        let mut tx = db.begin().await?;
        let now = tx.now();
        let today = hospital.zone.date(now);
        let Some((from, to)) = birthdays(today) else { return Ok(false) };
        let grown: Vec<One<PersonId>> = tx.all(sql::OF_AGE, args![h, from, to, now]).await?;
        let rules: PersonRules = hospital.settings(PersonRules::SECTION);
        let ends = now.plus(Duration::from_secs(u64::from(rules.hand_over_days) * 86_400));
        for One(id) in &grown {
            let birth = person::facts(&mut tx, h, *id).await?.and_then(|f| f.birth);
            let since = birth.map_or(now, |b| of_age_at(hospital, b));
            let guardians = sql::guardians(&mut tx, h, *id, since).await?;
            if tx.exec(sql::HAND_OVER_ADD, args![h, *id, now, ends]).await? == 0 || guardians.is_empty() {
                continue;
            }
            let accounts: Vec<String> = guardians.iter().map(|(_, account)| account.to_string()).collect();
            let payload = json!({"person": id.to_string(), "accounts": accounts, "ends_at": ends.0});
            tx.publish(NewEvent { hospital: h, kind: "people.came_of_age", key: id.db(), payload }).await?;
        }
        tx.commit().await?;
        Ok(!grown.is_empty())
    }
}

/// Who was born after the first and up to the second of these days has come of age within the last year.
fn birthdays(today: Date) -> Option<(Date, Date)> {
    let years = |n: i16| today.checked_sub(jiff::Span::new().years(n)).ok();
    Some((years(ADULT_FROM + 1)?, years(ADULT_FROM)?))
}

fn of_age_at(hospital: &Hospital, birth: Date) -> UnixMs {
    let day = birth.checked_add(jiff::Span::new().years(ADULT_FROM)).unwrap_or(birth);
    hospital.zone.at(day, WallTime::from_minutes(0))
}

#[async_trait]
impl Sweep for HandOver {
    fn name(&self) -> &'static str {
        "people.hand_over"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut more = false;
        for hospital in self.hospitals.all() {
            more |= self.tell(db, &hospital).await?;
        }
        let mut tx = db.begin().await?;
        let now = tx.now();
        let due: Vec<Row> = tx.all(sql::HAND_OVER_DUE, args![now]).await?;
        for row in &due {
            let (h, id): (HospitalId, PersonId) = (row.get("hospital_id")?, row.get("person_id")?);
            let told: UnixMs = row.get("told_at")?;
            for (binding, account) in sql::guardians(&mut tx, h, id, told).await? {
                tx.exec(sql::BINDING_VOID, args![h, binding, now, "came_of_age"]).await?;
                let next = person::oldest(&mut tx, h, account).await?;
                person::set_default(&mut tx, h, account, next).await?;
                let payload = json!({"account": account.to_string(), "person": id.to_string()});
                tx.publish(NewEvent { hospital: h, kind: "people.unbound", key: id.db(), payload }).await?;
            }
            tx.exec(sql::HAND_OVER_END, args![h, id, now]).await?;
        }
        tx.commit().await?;
        Ok(more || !due.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_age_on_the_birthday() {
        let (from, to) = birthdays("2026-11-29".parse().unwrap()).unwrap();
        assert_eq!((from.to_string(), to.to_string()), ("2007-11-29".into(), "2008-11-29".into()));
    }
}
