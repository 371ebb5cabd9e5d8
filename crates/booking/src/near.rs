//! What can be had instead of a slot that is full: worked out a few times a second for each slot, whoever asks.
//!
//! In a rush thousands come too late for the same slots, and each is shown the nearest others. That is a hint and no promise: the
//! desk decides when they choose one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::HospitalId;
use base::problem::Written;
use parking_lot::RwLock;
use schedule::{Board, SlotId};

/// So long an answer is given again.
const FRESH: Duration = Duration::from_millis(250);
/// More slots than are sold out at one moment.
const MOST: usize = 20_000;

/// By slot: since when, and the answer as it is written.
type Known = HashMap<(HospitalId, SlotId), (Instant, Written)>;

/// The answers. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Near {
    known: Arc<RwLock<Known>>,
}

impl Near {
    /// The nearest free places for somebody who wanted this slot; `None` when the board does not know the slot.
    pub(crate) fn to(&self, board: &Board, hospital: HospitalId, slot: SlotId) -> Option<Written> {
        let key = (hospital, slot);
        if let Some((at, value)) = self.known.read().get(&key)
            && at.elapsed() < FRESH
        {
            return Some(value.clone());
        }
        let facts = board.slot(hospital, slot)?;
        let nearest = board.nearest(hospital, facts.department, facts.doctor, facts.start_at);
        let value = Written::of(&nearest)?;
        let mut known = self.known.write();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, (Instant::now(), value.clone()));
        Some(value)
    }
}
