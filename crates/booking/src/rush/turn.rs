//! Whose turn it is: the next of the line, decided at the desk in one transaction with what came of their tickets.

use std::time::{Duration, Instant};

use base::{HospitalId, UnixMs};

use super::hall::Shared;
use super::model::{Served, Ticket};
use super::store as sql;
use crate::lane::BATCH;
use crate::model::Request;

/// Tickets of the draw that were on their way when its time was over are waited for so long …
const GRACE: Duration = Duration::from_millis(60);
/// … and so long it may take until a ticket is in the database: before that nobody who came after it is served.
const SETTLES: Duration = Duration::from_millis(150);
/// Between two looks while another node serves the line, or the time has not come.
const LOOK: Duration = Duration::from_millis(40);

/// What a look at the line gave.
pub(crate) enum Turn {
    /// Somebody was served; there may be more.
    Served,
    /// Nobody can be served before this has passed.
    Later(Duration),
    /// Nobody stands in line.
    Over,
}

/// Serves the next of the line.
pub(crate) async fn next(shared: &Shared, hospital: HospitalId) -> store::Result<Turn> {
    let mut limit = BATCH;
    loop {
        match serve(shared, hospital, limit).await {
            Err(error) if !error.is_transient() && limit > 1 => {
                tracing::error!(%error, tickets = limit, "a turn failed for one of its tickets; fewer are taken");
                limit /= 2;
            }
            Err(error) if !error.is_transient() => {
                tracing::error!(%error, "a ticket could not be decided");
                return give_up_first(shared, hospital).await;
            }
            other => return other,
        }
    }
}

async fn serve(shared: &Shared, hospital: HospitalId, limit: usize) -> store::Result<Turn> {
    let begun = Instant::now();
    let counter = &shared.counter;
    let Some(house) = counter.hospitals.get(hospital) else { return Ok(Turn::Over) };
    let mut tx = counter.db.begin_planned().await?;
    if !sql::try_lock(&mut tx, hospital).await? {
        tx.rollback().await?;
        return Ok(Turn::Later(LOOK));
    }
    let now = tx.now();
    let most = i64::try_from(limit).unwrap_or(1);
    let tickets = sql::next(&mut tx, hospital, now.minus(GRACE), now.minus(SETTLES), most).await?;
    if tickets.is_empty() {
        let (waiting, due) = sql::waiting(&mut tx, hospital).await?;
        tx.rollback().await?;
        return Ok(if waiting == 0 { Turn::Over } else { Turn::Later(pause(due, now)) });
    }
    counter.crowd(tickets.len());
    let mut requests: Vec<Request> = tickets.iter().map(|ticket| ticket.request(&house, now)).collect();
    let Some(settled) = counter.settle(&mut tx, &house, &mut requests).await? else {
        tx.rollback().await?;
        metrics::counter!("booking_batch_lost_race").increment(1);
        return Ok(Turn::Served);
    };
    let outcomes: Vec<_> = tickets
        .iter()
        .zip(&settled.replies)
        .map(|(ticket, reply)| (ticket.id, Served::from(&reply.outcome)))
        .collect();
    sql::done_all(&mut tx, hospital, &outcomes).await?;
    tx.commit().await?;
    settled.count();
    let served: Vec<Ticket> = tickets
        .into_iter()
        .zip(outcomes)
        .map(|(ticket, (_, outcome))| Ticket { served: Some(outcome), ..ticket })
        .collect();
    metrics::counter!("rush_served").increment(u64::try_from(served.len()).unwrap_or(0));
    shared.measured(served.len(), begun.elapsed());
    shared.deliver(hospital, served);
    Ok(Turn::Served)
}

/// A ticket that can't be decided must not hold up those behind it.
async fn give_up_first(shared: &Shared, hospital: HospitalId) -> store::Result<Turn> {
    let mut tx = shared.counter.db.begin().await?;
    if !sql::try_lock(&mut tx, hospital).await? {
        return Ok(Turn::Later(LOOK));
    }
    let now = tx.now();
    let tickets = sql::next(&mut tx, hospital, now.minus(GRACE), now.minus(SETTLES), 1).await?;
    let outcomes: Vec<_> = tickets.iter().map(|ticket| (ticket.id, Served::Failed)).collect();
    sql::done_all(&mut tx, hospital, &outcomes).await?;
    tx.commit().await?;
    let served = tickets.into_iter().map(|ticket| Ticket { served: Some(Served::Failed), ..ticket });
    shared.deliver(hospital, served.collect());
    Ok(Turn::Served)
}

/// How long nothing happens: until the draw, or until those who came last are surely in the database.
fn pause(due: UnixMs, now: UnixMs) -> Duration {
    let until = due.plus(GRACE);
    if until > now {
        until.since(now).min(Duration::from_millis(100)).max(Duration::from_millis(1))
    } else {
        LOOK
    }
}
