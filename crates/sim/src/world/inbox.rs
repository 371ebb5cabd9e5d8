//! What has arrived on this side, in order, for tests and for the curious.

use serde_json::{Value, json};

use super::World;

/// Older entries are forgotten.
const KEPT: usize = 20_000;

impl World {
    /// Files an entry: `entry` is an object; `seq`, `at_ms` and `kind` are added. Gives its number.
    pub(crate) fn file(&mut self, kind: &str, now: i64, entry: Value) -> u64 {
        self.seq = self.seq.saturating_add(1);
        let mut entry = entry;
        if let Value::Object(map) = &mut entry {
            map.insert("seq".into(), json!(self.seq));
            map.insert("at_ms".into(), json!(now));
            map.insert("kind".into(), json!(kind));
        }
        self.inbox.push_back(entry);
        if self.inbox.len() > KEPT {
            self.inbox.pop_front();
        }
        self.arrived.send_replace(self.seq);
        self.seq
    }

    /// Entries after `after`, filtered by kind, account and phone.
    pub(crate) fn filed(
        &self,
        kind: Option<&str>,
        account: Option<&str>,
        phone: Option<&str>,
        after: u64,
    ) -> Vec<Value> {
        let is = |entry: &Value, name: &str, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| entry.get(name).and_then(Value::as_str) == Some(wanted))
        };
        self.inbox
            .iter()
            .filter(|entry| entry.get("seq").and_then(Value::as_u64).is_some_and(|seq| seq > after))
            .filter(|entry| {
                is(entry, "kind", kind) && is(entry, "account", account) && is(entry, "phone", phone)
            })
            .cloned()
            .collect()
    }
}
