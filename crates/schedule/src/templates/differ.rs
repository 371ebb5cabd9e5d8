//! What a changed template means for the clinics that were made of it: a preview, and the same carried out.

use std::collections::HashMap;

use base::{Date, HospitalId, UnixMs, WallTime};
use edge::Caller;
use serde::Serialize;
use serde_json::json;
use store::value::{One, Row};
use store::{Db, Tx, args};
use utoipa::ToSchema;

use super::{Exception, SegmentPlaces, Template, TemplateId};
use crate::calendar::{self, Calendar};
use crate::model::{CampusId, ClinicId, DepartmentId, DoctorId};
use crate::plan::{self, PlanError};
use crate::store as slots_sql;
use crate::store::templates as sql;

store::text_enum! {
    /// What would be done to a clinic.
    #[derive(ToSchema)]
    #[schema(as = TemplateEffect)]
    pub enum Effect {
        /// It becomes as the template says; nobody has booked it.
        Change = "change",
        /// Some have booked: segments get more places, nothing else changes.
        Raise = "raise",
        /// The template has no clinic there any more, and nobody has booked it: it is removed.
        Remove = "remove",
        /// A person changed it: it stays as it is.
        KeptByHand = "kept_by_hand",
        /// Some have booked, and it can't be brought in line by adding places: it stays. Stop it, or change it by hand.
        KeptBooked = "kept_booked",
    }
}

/// A clinic that differs from its template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TemplateDifference)]
pub struct Difference {
    /// The clinic …
    #[schema(value_type = String)]
    pub clinic_id: ClinicId,
    /// … of this date.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// How many places are taken.
    pub taken: i64,
    /// Its segments now.
    pub now: Vec<SegmentPlaces>,
    /// Its segments by the template; none when there is no clinic.
    pub wanted: Vec<SegmentPlaces>,
    /// What applying does.
    pub effect: Effect,
}

/// A clinic as it stands.
#[derive(Debug, Clone)]
struct Standing {
    clinic: ClinicId,
    date: Date,
    same_place: bool,
    closes_at: UnixMs,
    by_hand: bool,
    slots: Vec<SegmentPlaces>,
    taken: i64,
    numbers: i64,
}

/// What is to be done to a clinic, if anything. Pure.
fn judge(standing: &Standing, wanted: Option<&[SegmentPlaces]>, closes_at: Option<UnixMs>) -> Option<Effect> {
    let same_cutoff = closes_at.is_none_or(|at| at == standing.closes_at);
    let wanted = match wanted {
        Some(wanted) if standing.same_place && same_cutoff && wanted == standing.slots => return None,
        Some(wanted) => wanted,
        None if standing.by_hand => return Some(Effect::KeptByHand),
        None => return Some(if standing.numbers > 0 { Effect::KeptBooked } else { Effect::Remove }),
    };
    if standing.by_hand {
        return Some(Effect::KeptByHand);
    }
    if standing.numbers == 0 {
        return Some(Effect::Change);
    }
    let same_times = wanted.len() == standing.slots.len()
        && wanted.iter().zip(&standing.slots).all(|(w, s)| w.start == s.start && w.end == s.end);
    let never_less = wanted.iter().zip(&standing.slots).all(|(w, s)| w.capacity >= s.capacity);
    if same_times && never_less && wanted != standing.slots {
        Some(Effect::Raise)
    } else {
        Some(Effect::KeptBooked)
    }
}

/// How the clinics of a template from today on differ from it.
///
/// # Errors
/// [`PlanError::NotFound`], [`PlanError::Store`].
pub async fn preview(db: &Db, caller: &Caller, id: TemplateId) -> Result<Vec<Difference>, PlanError> {
    let hospital = &caller.hospital;
    let calendar = calendar::of_hospital(db, hospital.id).await?;
    let mut tx = db.begin().await?;
    let found = differences(&mut tx, caller, id, &calendar).await;
    tx.rollback().await?;
    found
}

async fn differences(
    tx: &mut Tx,
    caller: &Caller,
    id: TemplateId,
    calendar: &Calendar,
) -> Result<Vec<Difference>, PlanError> {
    let hospital = &caller.hospital;
    let template: Template =
        tx.opt(sql::TEMPLATE, args![hospital.id, id]).await?.ok_or(PlanError::NotFound)?;
    let today = hospital.zone.date(tx.now());
    let exceptions: Vec<Exception> = tx.all(sql::EXCEPTIONS, args![hospital.id, today]).await?;
    let mut found = Vec::new();
    for standing in standing(tx, hospital.id, &template, today).await? {
        let exception = exceptions.iter().find(|e| e.template == id && e.date == standing.date);
        let wanted = template.on(standing.date, calendar.kind(standing.date), exception);
        let closes_at =
            wanted.and_then(|w| super::generate::closes_at(hospital, &template, standing.date, w));
        if let Some(effect) = judge(&standing, wanted, closes_at) {
            found.push(Difference {
                clinic_id: standing.clinic,
                date: standing.date,
                taken: standing.taken,
                now: standing.slots,
                wanted: wanted.map(<[_]>::to_vec).unwrap_or_default(),
                effect,
            });
        }
    }
    Ok(found)
}

async fn standing(
    tx: &mut Tx,
    hospital: HospitalId,
    template: &Template,
    today: Date,
) -> store::Result<Vec<Standing>> {
    let mut slots: HashMap<ClinicId, (Vec<SegmentPlaces>, i64, i64)> = HashMap::new();
    for row in tx.all::<Row>(sql::SLOTS_MADE_OF, args![hospital, template.id, today]).await? {
        let known = slots.entry(row.get("clinic_id")?).or_default();
        let (start, end): (WallTime, WallTime) = (row.get("start_wall")?, row.get("end_wall")?);
        known.0.push(SegmentPlaces { start, end, capacity: row.get("capacity")? });
        known.1 += row.get::<i64>("taken")?;
        known.2 += row.get::<i64>("last_number")?;
    }
    let mut all = Vec::new();
    let says = &template.says;
    for row in tx.all::<Row>(sql::MADE_OF, args![hospital, template.id, today]).await? {
        let clinic: ClinicId = row.get("id")?;
        let room = row.get::<Option<String>>("room_zh")?.zip(row.get::<Option<String>>("room_en")?);
        let same_place = row.get::<DepartmentId>("department_id")? == says.department_id
            && row.get::<Option<DoctorId>>("doctor_id")? == says.doctor_id
            && row.get::<CampusId>("campus_id")? == says.campus_id
            && row.get::<base::HalfDay>("half_day")? == says.half_day
            && row.get::<crate::ClinicKind>("kind")? == says.kind
            && row.get::<bool>("online")? == says.online
            && row.get::<base::Fen>("fee_fen")? == says.fee_fen
            && room == says.room.as_ref().map(|r| (r.zh.clone(), r.en.clone()));
        let (places, taken, numbers) = slots.remove(&clinic).unwrap_or_default();
        all.push(Standing {
            clinic,
            date: row.get("date")?,
            same_place,
            closes_at: row.get("closes_at")?,
            by_hand: row.get::<bool>("by_hand")? || row.get::<String>("state")? == "stopped",
            slots: places,
            taken,
            numbers,
        });
    }
    Ok(all)
}

/// Brings the clinics of a template in line with it, as far as the preview says. Gives what was done.
///
/// # Errors
/// [`PlanError::NotFound`], [`PlanError::Store`]; [`PlanError::InUse`] when somebody books a clinic at this very moment (the
/// preview is to be looked at again).
pub async fn apply(db: &Db, caller: &Caller, id: TemplateId) -> Result<Vec<Difference>, PlanError> {
    let hospital = &caller.hospital;
    let calendar = calendar::of_hospital(db, hospital.id).await?;
    let mut tx = db.begin().await?;
    // Locked before they are judged: a booking under way ends first, the next one sees what was done.
    for One(clinic) in clinics(&mut tx, hospital.id, id).await? {
        tx.all::<Row>(slots_sql::SLOTS_OF_CLINIC, args![hospital.id, clinic]).await?;
    }
    let found = differences(&mut tx, caller, id, &calendar).await?;
    let template: Template =
        tx.opt(sql::TEMPLATE, args![hospital.id, id]).await?.ok_or(PlanError::NotFound)?;
    for one in &found {
        match one.effect {
            Effect::Remove => remove(&mut tx, hospital.id, id, one).await?,
            Effect::Raise => {
                plan::resize(&mut tx, hospital, one.clinic_id, &one.wanted).await?;
            }
            Effect::Change => {
                // Another doctor, campus or time is another clinic: the old one, which nobody has booked, makes room for it.
                remove(&mut tx, hospital.id, id, one).await?;
                let now = tx.now();
                tx.exec(sql::MARK, args![hospital.id, id, one.date, now]).await?;
                let mut new = template.says.clinic(one.date, &one.wanted);
                new.closes_at = super::generate::closes_at(hospital, &template, one.date, &one.wanted);
                let (clinic, _) = plan::make_clinic(&mut tx, hospital, &new).await?;
                tx.exec(sql::MARK_CLINIC, args![hospital.id, id, one.date, clinic]).await?;
            }
            Effect::KeptByHand | Effect::KeptBooked => {}
        }
    }
    let detail = json!({"applied": found.iter().map(|d| (d.date, d.effect.code())).collect::<Vec<_>>()});
    tx.audit(caller.audit("schedule.template", id, detail)).await?;
    tx.commit().await?;
    Ok(found)
}

async fn clinics(tx: &mut Tx, hospital: HospitalId, id: TemplateId) -> store::Result<Vec<One<ClinicId>>> {
    let rows = tx.all::<Row>(sql::MADE_OF, args![hospital, id, Date::MIN]).await?;
    let mut ids: Vec<ClinicId> = rows.iter().map(|row| row.get("id")).collect::<store::Result<_>>()?;
    ids.sort_unstable();
    Ok(ids.into_iter().map(One).collect())
}

async fn remove(tx: &mut Tx, hospital: HospitalId, id: TemplateId, one: &Difference) -> store::Result<()> {
    tx.exec(sql::UNMARK, args![hospital, id, one.date]).await?;
    tx.exec(sql::DROP_QUOTAS, args![hospital, one.clinic_id]).await?;
    tx.exec(sql::DROP_CHANGES, args![hospital, one.clinic_id]).await?;
    tx.exec(slots_sql::DROP_SLOTS, args![hospital, one.clinic_id]).await?;
    tx.exec(sql::DROP_CLINIC, args![hospital, one.clinic_id]).await?;
    plan::bump(tx, hospital).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(all: &[(&str, &str, u32)]) -> Vec<SegmentPlaces> {
        let one = |(start, end, capacity): &(&str, &str, u32)| SegmentPlaces {
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
            capacity: *capacity,
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn what_is_booked_or_changed_by_hand_is_never_overwritten() {
        let free = Standing {
            clinic: ClinicId::new(),
            date: "2026-12-01".parse().unwrap(),
            same_place: true,
            closes_at: UnixMs(0),
            by_hand: false,
            slots: places(&[("08:00", "08:30", 4), ("08:30", "09:00", 4)]),
            taken: 0,
            numbers: 0,
        };
        let same = free.slots.clone();
        let more = places(&[("08:00", "08:30", 6), ("08:30", "09:00", 4)]);
        let fewer = places(&[("08:00", "08:30", 3), ("08:30", "09:00", 6)]);
        let later = places(&[("09:00", "09:30", 9)]);
        let of =
            |s: &Standing, wanted: Option<&Vec<SegmentPlaces>>| judge(s, wanted.map(Vec::as_slice), None);
        assert_eq!(of(&free, Some(&same)), None);
        assert_eq!(judge(&free, Some(&same), Some(UnixMs(60_000))), Some(Effect::Change), "another cut-off");
        assert_eq!(of(&free, Some(&later)), Some(Effect::Change));
        assert_eq!(of(&free, None), Some(Effect::Remove));
        let elsewhere = Standing { same_place: false, ..free.clone() };
        assert_eq!(of(&elsewhere, Some(&same)), Some(Effect::Change));
        let booked = Standing { taken: 1, numbers: 2, ..free.clone() };
        assert_eq!(of(&booked, Some(&more)), Some(Effect::Raise));
        assert_eq!(of(&booked, Some(&fewer)), Some(Effect::KeptBooked));
        assert_eq!(of(&booked, Some(&later)), Some(Effect::KeptBooked));
        assert_eq!(of(&booked, None), Some(Effect::KeptBooked));
        let by_hand = Standing { by_hand: true, ..free };
        for wanted in [Some(&more), Some(&later), None] {
            assert_eq!(of(&by_hand, wanted), Some(Effect::KeptByHand));
        }
    }
}
