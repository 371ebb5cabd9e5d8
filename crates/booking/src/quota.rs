//! Places by channel in the desk's transaction. A clinic whose places are not divided costs nothing here: whether it is stands
//! in the slot's own row, which is read anyway.
//!
//! Locks come in one order: persons, slots, lines. An appointment is charged to the channel that it came by
//! ([`Channel::of_request`]); where that channel holds no taken place (it was booked before the clinic was divided), its place
//! counts as online.

use std::collections::HashMap;

use base::HospitalId;
use schedule::quota::{self, Channel, Line};
use schedule::stock::Stock;
use schedule::{Board, ClinicId};
use store::{Result, Tx};

use crate::model::AppointmentId;
use crate::rules::Plan;
use crate::store as sql;

/// The lines of the clinics among these that are divided, locked, as they stand at this moment.
pub(crate) async fn lines(
    tx: &mut Tx,
    hospital: HospitalId,
    stock: &[Stock],
) -> Result<HashMap<ClinicId, Vec<Line>>> {
    let mut divided: Vec<ClinicId> = stock.iter().filter(|s| s.divided).map(|s| s.clinic).collect();
    divided.sort_unstable();
    divided.dedup();
    let mut lines = quota::keep::lock(tx, hospital, &divided).await?;
    let now = tx.now();
    for line in lines.values_mut() {
        quota::settle(line, now);
    }
    Ok(lines)
}

/// Writes down what a plan has taken of channels, and shows it after the commit.
pub(crate) async fn write(
    tx: &mut Tx,
    board: &Board,
    hospital: HospitalId,
    plan: &Plan,
    lines: &HashMap<ClinicId, Vec<Line>>,
) -> Result<()> {
    for clinic in &plan.divided {
        if let Some(lines) = lines.get(clinic) {
            quota::keep::write(tx, hospital, *clinic, lines).await?;
            show(tx, board, hospital, *clinic, lines.clone());
        }
    }
    Ok(())
}

/// Gives a place back to the channel that it came by, where its clinic is divided.
pub(crate) async fn give_back_by(
    tx: &mut Tx,
    board: &Board,
    hospital: HospitalId,
    stock: &Stock,
    channel: &str,
) -> Result<()> {
    if !stock.divided {
        return Ok(());
    }
    let channel = Channel::of_request(channel);
    if let Some(lines) = quota::keep::give_back(tx, hospital, stock.clinic, channel).await? {
        show(tx, board, hospital, stock.clinic, lines);
    }
    Ok(())
}

/// Gives the place of an appointment back among lines that are going to be written anyway.
pub(crate) async fn release(
    tx: &mut Tx,
    hospital: HospitalId,
    lines: &mut [Line],
    appointment: AppointmentId,
) -> Result<()> {
    let channel = Channel::of_request(&sql::channel_of(tx, hospital, appointment).await?);
    quota::release(lines, channel);
    Ok(())
}

/// Takes the place of an appointment once more from the channel that it came by, where its clinic is divided; false when that
/// has none left.
pub(crate) async fn take_again(
    tx: &mut Tx,
    desk: &crate::Desk,
    stock: &Stock,
    appointment: AppointmentId,
    hospital: HospitalId,
) -> Result<bool> {
    let mut all = lines(tx, hospital, std::slice::from_ref(stock)).await?;
    let Some(lines) = all.get_mut(&stock.clinic) else { return Ok(true) };
    let channel = Channel::of_request(&sql::channel_of(tx, hospital, appointment).await?);
    if !has_place(lines, channel) {
        return Ok(false);
    }
    take(lines, channel);
    quota::keep::write(tx, hospital, stock.clinic, lines).await?;
    show(tx, &desk.counter().board, hospital, stock.clinic, lines.clone());
    Ok(true)
}

/// Whether a channel has a place left among these lines; they are settled.
pub(crate) fn has_place(lines: &[Line], channel: Channel) -> bool {
    lines.iter().any(|l| l.channel == channel && l.left() > 0)
}

/// Takes one.
pub(crate) fn take(lines: &mut [Line], channel: Channel) {
    if let Some(line) = lines.iter_mut().find(|l| l.channel == channel) {
        line.taken += 1;
    }
}

pub(crate) fn show(tx: &mut Tx, board: &Board, hospital: HospitalId, clinic: ClinicId, lines: Vec<Line>) {
    let board = board.clone();
    tx.after_commit(move || board.divided(hospital, clinic, lines));
}
