//! What must always hold, derived again from the rows: `xinglin check stock` and `xinglin check events`. Read-only, on a
//! database in use: each comparison is one statement, or reads first what is committed together with the rest.

use std::time::Duration;

use store::check::Found;
use store::{Db, Result};

use crate::store::look;

/// So far back is looked whether everybody was told: events are kept for a week, and a day of the largest hospital fits
/// into memory.
const RECENT: Duration = Duration::from_secs(24 * 3600);
/// Rows of one transaction may carry instants that lie so far apart.
const APART: Duration = Duration::from_secs(60);

/// Places taken are those that somebody has; numbers 1 to the last of each slot all exist; nobody has two places where one is
/// allowed; one request made one appointment; places by channel add up to the clinic's.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn stock(db: &Db) -> Result<Found> {
    let (slots, appointments) = look::totals(db).await?;
    let mut found =
        Found { seen: vec![format!("{slots} slots, {appointments} appointments")], faults: Vec::new() };
    look::stock(db, &mut found).await?;
    look::once(db, &mut found).await?;
    schedule::quota::keep::check(db, &mut found).await?;
    Ok(found)
}

/// Everything that was booked or given up in the last day was told to the rest of the program (an event) and stands in the
/// audit log.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn told(db: &Db) -> Result<Found> {
    let since = db.now().minus(RECENT);
    // The appointments first: what is committed with them is there by the time it is looked for.
    let booked = look::booked_since(db, since).await?;
    let cancelled = look::cancelled_since(db, since).await?;
    let before = since.minus(APART);
    let mut found = Found::default();
    found.seen.push(format!("{} booked and {} given up in the last day", booked.len(), cancelled.len()));
    let events = store::events::published(db, "booking.booked", "appointment", before).await?;
    let gone = store::events::published(db, "booking.cancelled", "appointment", before).await?;
    let [books, moves, cancels] = [
        store::audit::entities(db, "booking.book", before).await?,
        store::audit::entities(db, "booking.move", before).await?,
        store::audit::entities(db, "booking.cancel", before).await?,
    ];
    for one in &booked {
        if !events.contains(&one.id) {
            found.faults.push(format!("appointment {} was booked, but nobody was told (no event)", one.id));
        }
        if !(if one.moved { &moves } else { &books }).contains(&one.id) {
            found
                .faults
                .push(format!("appointment {} was booked, but the audit log does not say so", one.id));
        }
    }
    for one in &cancelled {
        if !gone.contains(&one.id) {
            found.faults.push(format!("appointment {} was given up, but nobody was told (no event)", one.id));
        }
        if !cancels.contains(&one.id) {
            found
                .faults
                .push(format!("appointment {} was given up, but the audit log does not say so", one.id));
        }
    }
    found.faults.truncate(100);
    Ok(found)
}
