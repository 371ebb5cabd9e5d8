//! Slots that this node believes to be full.
//!
//! Nobody is refused for a belief: it only decides where a wish is looked at. At the window ([`crate::window`]) the database is
//! asked without locks, which is cheap; whoever could have a place after all is sent on to the lane.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::RwLock;
use schedule::SlotId;

/// More slots than hospitals release at a time; what does not fit is forgotten and found out again.
const MOST: usize = 20_000;

/// The belief. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Full {
    slots: Arc<RwLock<HashSet<SlotId>>>,
}

impl Full {
    /// Whether the slot was full when the database was asked last.
    pub(crate) fn holds(&self, slot: SlotId) -> bool {
        self.slots.read().contains(&slot)
    }

    /// The database said that it is.
    pub(crate) fn remember(&self, slot: SlotId) {
        if self.holds(slot) {
            return;
        }
        let mut slots = self.slots.write();
        if slots.len() >= MOST {
            slots.clear();
        }
        slots.insert(slot);
    }

    /// It may have a place again.
    pub(crate) fn forget(&self, slot: SlotId) {
        if self.holds(slot) {
            self.slots.write().remove(&slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_belief_holds_until_it_is_given_up() {
        let (full, slot) = (Full::default(), SlotId::new());
        full.remember(slot);
        let same = full.clone();
        assert!(same.holds(slot) && !same.holds(SlotId::new()));
        same.forget(slot);
        assert!(!full.holds(slot));
        for _ in 0..=MOST {
            full.remember(SlotId::new());
        }
        assert_eq!(full.slots.read().len(), 1, "the crowd is forgotten, not kept for ever");
    }
}
