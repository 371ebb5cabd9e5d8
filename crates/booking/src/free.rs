//! Where a place goes that somebody had and has no more.

use edge::Hospital;
use schedule::stock::Stock;
use store::{Result, Tx};

use crate::lane::Counter;
use crate::model::{Appointment, State};
use crate::quota;

/// Gives the place of an appointment back that was just ended, as it stood before. Its slot is locked.
pub(crate) async fn place(
    tx: &mut Tx,
    counter: &Counter,
    hospital: &Hospital,
    stock: &Stock,
    was: &Appointment,
) -> Result<()> {
    if was.state == State::Held {
        schedule::stock::hold(tx, hospital.id, stock.slot, -1).await?;
    }
    schedule::stock::give_back(tx, hospital.id, stock.slot).await?;
    quota::give_back(tx, &counter.board, hospital.id, stock, was.id).await?;
    counter.show(tx, hospital.id, stock, stock.taken - 1);
    counter.is_free_again(tx, stock.slot);
    Ok(())
}
