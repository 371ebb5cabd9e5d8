//! How long service took, as it is learned.

use base::{HalfDay, HospitalId};
use schedule::DepartmentId;
use store::value::{FromRow, Row};
use store::{Db, Result, Tx, args};

use crate::model::QueueId;

store::statements! {
    GET = "SELECT queue_id, band, visit, weight_e3, mean_e6, square_e6 FROM queue_pace WHERE hospital_id = $1 AND queue_id = $2";
    OF_DEPARTMENT = "SELECT p.queue_id, p.band, p.visit, p.weight_e3, p.mean_e6, p.square_e6 FROM queue q
        JOIN queue_pace p ON p.hospital_id = q.hospital_id AND p.queue_id = q.id
        WHERE q.hospital_id = $1 AND q.department_id = $2 AND q.kind = 'clinic' AND q.id <> $3";
    LOCK = sqlite "SELECT queue_id, band, visit, weight_e3, mean_e6, square_e6 FROM queue_pace
            WHERE hospital_id = $1 AND queue_id = $2 AND band = $3 AND visit = $4"
        postgres "SELECT queue_id, band, visit, weight_e3, mean_e6, square_e6 FROM queue_pace
            WHERE hospital_id = $1 AND queue_id = $2 AND band = $3 AND visit = $4 FOR NO KEY UPDATE";
    PUT = "INSERT INTO queue_pace (hospital_id, queue_id, band, visit, weight_e3, mean_e6, square_e6) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (hospital_id, queue_id, band, visit) DO UPDATE
        SET weight_e3 = excluded.weight_e3, mean_e6 = excluded.mean_e6, square_e6 = excluded.square_e6";
}

/// Sums of one part of the day and one kind of visit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sums {
    /// Which part of the day.
    pub(crate) band: HalfDay,
    /// Whether these were people back from an exam.
    pub(crate) back: bool,
    /// How many services, old ones fading.
    pub(crate) weight: f64,
    /// The mean of the logarithms of seconds …
    pub(crate) mean: f64,
    /// … and of their squares.
    pub(crate) square: f64,
}

impl FromRow for Sums {
    fn from_row(row: &Row) -> Result<Self> {
        let band: String = row.get("band")?;
        let visit: String = row.get("visit")?;
        let wrong = || store::StoreError::Decode { column: "band".into(), what: "no part of a day".into() };
        Ok(Self {
            band: HalfDay::from_code(&band).ok_or_else(wrong)?,
            back: visit == "return",
            weight: real(row.get("weight_e3")?) / 1e3,
            mean: real(row.get("mean_e6")?) / 1e6,
            square: real(row.get("square_e6")?) / 1e6,
        })
    }
}

/// What is kept of a line.
pub(crate) async fn of_queue(db: &Db, h: HospitalId, queue: QueueId) -> Result<Vec<Sums>> {
    db.all(GET, args![h, queue]).await
}

/// What is kept of the other lines of a department.
pub(crate) async fn of_department(
    db: &Db,
    h: HospitalId,
    department: DepartmentId,
    but: QueueId,
) -> Result<Vec<Sums>> {
    db.all(OF_DEPARTMENT, args![h, department, but]).await
}

/// Adds one service of so many seconds.
pub(crate) async fn add(
    tx: &mut Tx,
    h: HospitalId,
    queue: QueueId,
    band: HalfDay,
    back: bool,
    seconds: f64,
) -> Result<()> {
    let visit = if back { "return" } else { "first" };
    let kept: Option<Sums> = tx.opt(LOCK, args![h, queue, band, visit]).await?;
    let new = Sums { band, back, ..learned(kept, seconds) };
    let args = args![h, queue, band, visit, micros(new.weight) / 1_000, micros(new.mean), micros(new.square)];
    tx.exec(PUT, args).await.map(drop)
}

/// The sums with one more; what is older than some hundreds of services has faded.
fn learned(kept: Option<Sums>, seconds: f64) -> Sums {
    const LONGEST: f64 = 300.0;
    let log = seconds.clamp(5.0, 4.0 * 3600.0).ln();
    let before = kept.unwrap_or(Sums { band: HalfDay::Am, back: false, weight: 0.0, mean: 0.0, square: 0.0 });
    let weight = (before.weight + 1.0).min(LONGEST);
    let part = 1.0 / weight;
    Sums {
        weight,
        mean: before.mean + (log - before.mean) * part,
        square: before.square + (log * log - before.square) * part,
        ..before
    }
}

fn real(n: i64) -> f64 {
    // Kept numbers are small: logarithms of seconds in millionths.
    f64::from(i32::try_from(n).unwrap_or(i32::MAX))
}

/// A positive number in thousandths of thousandths, as far as it is one.
fn micros(value: f64) -> i64 {
    let rounded = std::time::Duration::try_from_secs_f64(value).unwrap_or_default();
    i64::try_from(rounded.as_micros()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_that_of_what_was_added() {
        let kept = [100.0, 200.0, 400.0].into_iter().fold(None, |kept, s| Some(learned(kept, s))).unwrap();
        assert!((kept.mean - 200_f64.ln()).abs() < 1e-9 && kept.weight == 3.0);
        let spread = (kept.square - kept.mean.powi(2)).sqrt();
        assert!((spread - 0.566).abs() < 0.001, "{spread}");
    }
}
