//! A value in memory that is read again when its topic is touched or it has grown old: once for all who want it.

use std::sync::Arc;
use std::time::Duration;

use base::UnixMs;
use tokio::sync::watch;

/// A kept value.
pub(super) struct Slot<T> {
    kept: tokio::sync::Mutex<Kept<T>>,
}

struct Kept<T> {
    changed: watch::Receiver<u64>,
    at: UnixMs,
    value: Option<Arc<T>>,
}

impl<T> Slot<T> {
    /// Empty; `changed` goes up when what is kept is no longer true.
    pub(super) fn new(changed: watch::Receiver<u64>) -> Self {
        Self { kept: tokio::sync::Mutex::new(Kept { changed, at: UnixMs(0), value: None }) }
    }

    /// What was read last, however old; `None` while it is being read.
    pub(super) fn last(&self) -> Option<Arc<T>> {
        self.kept.try_lock().ok()?.value.clone()
    }

    /// The value, read again when it must be. Those who come meanwhile wait for the one reading. When what is read is the `same` as
    /// what was kept, that stays: readers see by the pointer that nothing has changed.
    pub(super) async fn get<E, F: Future<Output = Result<T, E>>>(
        &self,
        now: UnixMs,
        good_for: Duration,
        same: impl Fn(&T, &T) -> bool,
        read: impl FnOnce() -> F,
    ) -> Result<Arc<T>, E> {
        let mut kept = self.kept.lock().await;
        let fresh = now >= kept.at && now.since(kept.at) < good_for;
        if let Some(value) = &kept.value
            && fresh
            && !kept.changed.has_changed().unwrap_or(true)
        {
            return Ok(value.clone());
        }
        // Marked before reading: what is touched while we read is read again.
        kept.changed.borrow_and_update();
        let value = Arc::new(read().await?);
        let value = match &kept.value {
            Some(old) if same(old, &value) => old.clone(),
            _ => value,
        };
        kept.at = now;
        kept.value = Some(value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(slot: &Slot<u32>, now: i64, value: u32) -> Arc<u32> {
        let read = || async { Ok::<_, ()>(value) };
        slot.get(UnixMs(now), Duration::from_millis(100), PartialEq::eq, read).await.unwrap()
    }

    #[tokio::test]
    async fn it_is_read_again_when_touched_or_old_and_kept_when_the_same() {
        let (touch, changed) = watch::channel(0);
        let slot = Slot::new(changed);
        let first = get(&slot, 0, 1).await;
        assert!(Arc::ptr_eq(&first, &get(&slot, 99, 2).await), "still good");
        assert_eq!(*get(&slot, 100, 2).await, 2, "old");
        touch.send(1).unwrap();
        assert_eq!(*get(&slot, 101, 3).await, 3, "touched");
        let kept = get(&slot, 150, 4).await;
        assert_eq!(*kept, 3);
        assert!(Arc::ptr_eq(&kept, &get(&slot, 500, 3).await), "the same again");
    }
}
