//! Where a place goes that somebody had and has no more.

use edge::Hospital;
use schedule::added;
use schedule::quota::Line;
use schedule::stock::Stock;
use store::{Result, Tx};

use crate::lane::Counter;
use crate::model::{Appointment, State, Visit};
use crate::{lane, quota, store as sql, waitlist};

/// Gives the place of an appointment back that was just ended, as it stood before: to who waits for it, else to everybody. Its
/// slot is locked.
pub(crate) async fn place(
    tx: &mut Tx,
    counter: &Counter,
    hospital: &Hospital,
    stock: &Stock,
    was: &Appointment,
) -> Result<()> {
    if was.marks.visit.is_beyond_plan() {
        return beyond_plan(tx, counter, hospital, stock, was).await;
    }
    let channel = sql::channel_of(tx, hospital.id, was.id).await?;
    if waitlist::freed::keep(tx, hospital, stock, &channel, was).await? {
        return Ok(());
    }
    if was.state == State::Held {
        schedule::stock::hold(tx, hospital.id, stock.slot, -1).await?;
    }
    schedule::stock::give_back(tx, hospital.id, stock.slot).await?;
    quota::give_back_by(tx, &counter.board, hospital.id, stock, &channel).await?;
    counter.show(tx, hospital.id, stock, stock.taken - 1);
    counter.is_free_again(tx, stock.slot);
    Ok(())
}

/// A place that was added for one appointment goes with it: nobody else gets it.
async fn beyond_plan(
    tx: &mut Tx,
    counter: &Counter,
    hospital: &Hospital,
    stock: &Stock,
    was: &Appointment,
) -> Result<()> {
    let lines = added::shrink(tx, hospital.id, stock).await?;
    if was.marks.visit == Visit::AddOn {
        added::disallow(tx, hospital.id, stock.clinic).await?;
    }
    show_again(tx, counter, hospital, stock, lines);
    Ok(())
}

/// Places and capacity of a slot have changed together: the boards read them again.
pub(crate) fn show_again(
    tx: &mut Tx,
    counter: &Counter,
    hospital: &Hospital,
    stock: &Stock,
    lines: Option<Vec<Line>>,
) {
    if let Some(lines) = lines {
        quota::show(tx, &counter.board, hospital.id, stock.clinic, lines);
    }
    lane::touch(tx, stock);
    let board = counter.board.clone();
    tx.after_commit(move || board.wake());
}
