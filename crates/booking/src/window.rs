//! The window: wishes for slots that are believed full.
//!
//! In a rush nearly all wishes come too late. Here those that arrive while the last look ran are looked at together, without
//! locks and without writing. The same rules decide as in the lanes, on what was committed before the look began and so
//! after each of these wishes arrived: whoever is refused here would have been refused there. As soon as one of them could have
//! a place, they are sent on to their lanes.

use std::sync::Arc;

use base::HospitalId;
use store::StoreError;
use tokio::sync::mpsc;

use crate::desk::{Reply, lane_of};
use crate::lane::{self, BATCH, Counter, Waiting};
use crate::model::{Outcome, Request};
use crate::rules::decide;

/// Serves the window until all senders are gone.
pub(crate) async fn serve(
    counter: Counter,
    mut arriving: mpsc::Receiver<Waiting>,
    lanes: Arc<[mpsc::Sender<Waiting>]>,
) {
    let mut buffer = Vec::with_capacity(BATCH);
    while arriving.recv_many(&mut buffer, BATCH).await > 0 {
        counter.crowd(buffer.len());
        for (hospital, (mut requests, answers)) in lane::by_hospital(&mut buffer) {
            // A look that did not go through decides nothing: the lanes find out, and say what is wrong.
            let replies = look(&counter, hospital, &mut requests).await.ok().flatten();
            let replies = replies.map_or_else(
                || requests.iter().map(|_| None).collect(),
                |replies| replies.into_iter().map(Some).collect::<Vec<_>>(),
            );
            for ((request, answer), reply) in requests.into_iter().zip(answers).zip(replies) {
                match reply {
                    Some(reply) => drop(answer.send(Ok(reply))),
                    // A lane that is full drops it, and its sender is asked to come again.
                    None => {
                        if let Some(lane) = lane_of(&lanes, request.slot) {
                            let _ = lane.try_send(Waiting { hospital, request, answer });
                        }
                    }
                }
            }
        }
    }
}

/// Looks once; `None` when one of them could have a place.
async fn look(
    counter: &Counter,
    hospital: HospitalId,
    requests: &mut [Request],
) -> Result<Option<Vec<Reply>>, StoreError> {
    let Some(hospital) = counter.hospitals.get(hospital) else { return Ok(None) };
    let limits = hospital.settings("booking.limits");
    let mut tx = counter.db.begin_planned().await?;
    let (mut facts, bound) = counter.gather(&mut tx, &hospital, requests, false).await?;
    let now = crate::rules::Now { at: tx.now(), zone: &hospital.zone, limits: &limits };
    tx.rollback().await?;
    let (outcomes, plan) = decide(requests, &mut facts, &now, lane::new_ids);
    if plan.rows.is_empty() {
        metrics::counter!("booking_window").increment(u64::try_from(requests.len()).unwrap_or(0));
        return Ok(Some(lane::replies(requests, outcomes, &bound)));
    }
    for row in &plan.rows {
        counter.full.forget(row.slot);
    }
    debug_assert!(outcomes.iter().any(|one| matches!(one, Outcome::Booked(_))));
    Ok(None)
}
