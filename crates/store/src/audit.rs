//! The audit log: who did what to which record, why, from where; chained by hash so that a change to it shows.
//!
//! Entries are plain rows in the command's transaction. Once a second one node links the new ones: each entry's hash covers
//! its content and the hash before it. `xinglin check audit` walks the chain.

use std::collections::HashSet;

use base::{HospitalId, UnixMs};

use crate::fault::{self, Point};
use crate::value::{FromRow, One, Row};
use crate::{Db, Result, Tx, args, lease};

crate::statements! {
    WRITE = "INSERT INTO audit (hospital_id, at, actor, action, entity, detail, request_id, source) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    // Each row is read as JSON once, not once for each of its columns.
    WRITE_ALL = sqlite "WITH r(value) AS MATERIALIZED (SELECT jsonb(value) FROM json_each($1))
             INSERT INTO audit (hospital_id, at, actor, action, entity, detail, request_id, source)
             SELECT CAST(value->>0 AS BIGINT), $2, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 FROM r"
         postgres "INSERT INTO audit (hospital_id, at, actor, action, entity, detail, request_id, source)
             SELECT hospital, $2, actor, action, entity, detail, request_id, source
             FROM unnest(CAST($1 AS BIGINT[]), CAST($3 AS TEXT[]), CAST($4 AS TEXT[]), CAST($5 AS TEXT[]), CAST($6 AS TEXT[]), CAST($7 AS TEXT[]),
                 CAST($8 AS TEXT[])) WITH ORDINALITY AS t(hospital, actor, action, entity, detail, request_id, source, n) ORDER BY n";
    UNLINKED_HOSPITALS = "SELECT DISTINCT hospital_id FROM audit WHERE link IS NULL";
    HOSPITALS = "SELECT hospital_id FROM audit_head UNION SELECT hospital_id FROM audit";
    HEAD = "SELECT link, hash FROM audit_head WHERE hospital_id = $1";
    HOLD_HEAD = "INSERT INTO audit_head (hospital_id, link, hash) VALUES ($1, 0, '')
                 ON CONFLICT (hospital_id) DO UPDATE SET link = audit_head.link RETURNING link, hash";
    SET_HEAD = "UPDATE audit_head SET link = $2, hash = $3 WHERE hospital_id = $1";
    UNLINKED = "SELECT seq, hospital_id, at, actor, action, entity, detail, request_id, source, link, hash FROM audit WHERE hospital_id = $1 AND link IS NULL ORDER BY seq LIMIT 1000";
    LINK = sqlite "UPDATE audit SET link = r.link, hash = r.hash
             FROM (SELECT value->>0 AS seq, value->>1 AS link, value->>2 AS hash FROM json_each($2)) AS r
             WHERE audit.hospital_id = $1 AND audit.seq = r.seq AND audit.link IS NULL"
         postgres "UPDATE audit SET link = r.link, hash = r.hash
             FROM unnest(CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]), CAST($4 AS TEXT[])) AS r(seq, link, hash)
             WHERE audit.hospital_id = $1 AND audit.seq = r.seq AND audit.link IS NULL";
    WALK = "SELECT seq, hospital_id, at, actor, action, entity, detail, request_id, source, link, hash FROM audit WHERE hospital_id = $1 AND link > $2 ORDER BY link LIMIT 1000";
    COUNT_UNLINKED = "SELECT CAST(COUNT(*) AS BIGINT) FROM audit WHERE link IS NULL";
    ENTITIES = "SELECT entity FROM audit WHERE action = $1 AND at >= $2";
    SEARCH = "SELECT seq, hospital_id, at, actor, action, entity, detail, request_id, source, link, hash FROM audit
              WHERE hospital_id = $1 AND at >= $2 AND at < $3 AND (at < $4 OR (at = $4 AND seq < $5))
                AND ($6 = '' OR actor = $6) AND ($7 = '' OR substr(action, 1, length($7)) = $7) AND ($8 = '' OR entity = $8)
              ORDER BY at DESC, seq DESC LIMIT $9";
    OF_ENTITY = "SELECT seq, hospital_id, at, actor, action, entity, detail, request_id, source, link, hash FROM audit WHERE hospital_id = $1 AND entity = $2 ORDER BY seq";
}

/// One entry.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// In which hospital.
    pub hospital: HospitalId,
    /// Who: `account:acc_…`, `staff:stf_…`, `system`.
    pub actor: String,
    /// What: `booking.book`, `person.open`.
    pub action: &'static str,
    /// To which record: `apt_…`.
    pub entity: String,
    /// Why and how: ids, codes, reasons. Nothing personal.
    pub detail: serde_json::Value,
    /// Under which request.
    pub request_id: String,
    /// From where: an address, a channel.
    pub source: String,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its number in the table.
    pub seq: i64,
    /// In which hospital.
    pub hospital: HospitalId,
    /// When.
    pub at: UnixMs,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To which record.
    pub entity: String,
    /// Why and how, JSON.
    pub detail: String,
    /// Under which request.
    pub request_id: String,
    /// From where.
    pub source: String,
    link: Option<i64>,
    hash: Option<String>,
}

impl Tx {
    /// Writes an entry of the audit log, with this transaction.
    ///
    /// # Errors
    /// Any [`crate::StoreError`].
    pub async fn audit(&mut self, entry: AuditEntry) -> Result<()> {
        let now = self.now();
        let values = args![
            entry.hospital,
            now,
            entry.actor,
            entry.action,
            entry.entity,
            entry.detail,
            entry.request_id,
            entry.source
        ];
        self.exec(WRITE, values).await.map(drop)
    }

    /// Writes many entries in one statement, in this order.
    ///
    /// # Errors
    /// Any [`crate::StoreError`].
    pub async fn audit_all(&mut self, entries: &[AuditEntry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let now = self.now();
        if self.is_postgres() {
            let hospitals: Vec<i64> = entries.iter().map(|e| e.hospital.0).collect();
            let texts = |of: fn(&AuditEntry) -> String| -> Vec<Option<String>> {
                entries.iter().map(|e| Some(of(e))).collect()
            };
            let values = args![
                hospitals,
                now,
                texts(|e| e.actor.clone()),
                texts(|e| e.action.to_owned()),
                texts(|e| e.entity.clone()),
                texts(|e| e.detail.to_string()),
                texts(|e| e.request_id.clone()),
                texts(|e| e.source.clone())
            ];
            return self.exec(WRITE_ALL, values).await.map(drop);
        }
        let rows: Vec<_> = entries
            .iter()
            .map(|e| {
                (e.hospital.0, &e.actor, e.action, &e.entity, e.detail.to_string(), &e.request_id, &e.source)
            })
            .collect();
        self.exec(WRITE_ALL, args![serde_json::json!(rows), now]).await.map(drop)
    }
}

/// The entries about a record, oldest first.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn of_entity(db: &Db, hospital: HospitalId, entity: &str) -> Result<Vec<Logged>> {
    db.all(OF_ENTITY, args![hospital, entity]).await
}

/// The records that an action was done to since `since`. Reads the whole table; for checks.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn entities(db: &Db, action: &str, since: UnixMs) -> Result<HashSet<String>> {
    let rows = db.all::<One<String>>(ENTITIES, args![action, since]).await?;
    Ok(rows.into_iter().map(|one| one.0).collect())
}

/// Which entries to look for; an empty text means any.
#[derive(Debug, Clone)]
pub struct Search {
    /// From this instant on …
    pub from: UnixMs,
    /// … and before this one.
    pub until: UnixMs,
    /// By whom, in the form of the log.
    pub actor: String,
    /// What: the beginning of an action.
    pub action: String,
    /// To which record.
    pub entity: String,
    /// Older than the entry of this instant and number.
    pub after: Option<(UnixMs, i64)>,
    /// So many.
    pub most: u32,
}

/// Entries of a hospital, the newest first.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn search(db: &Db, hospital: HospitalId, s: &Search) -> Result<Vec<Logged>> {
    let (at, seq) = s.after.unwrap_or((s.until, 0));
    db.all(SEARCH, args![hospital, s.from, s.until, at, seq, &s.actor, &s.action, &s.entity, s.most]).await
}

/// How many entries wait to be linked.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn unlinked(db: &Db) -> Result<i64> {
    Ok(db.one::<One<i64>>(COUNT_UNLINKED, args![]).await?.0)
}

/// Links what is new, on the one node that has the lease. Gives how many entries.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn link(db: &Db) -> Result<usize> {
    // The look without the lease is cheap and mostly finds nothing.
    if db.all::<One<i64>>(UNLINKED_HOSPITALS, args![]).await?.is_empty()
        || lease::take(db, "audit", std::time::Duration::from_secs(10)).await?.is_none()
    {
        return Ok(0);
    }
    let mut linked = 0;
    for One(hospital) in db.all::<One<i64>>(UNLINKED_HOSPITALS, args![]).await? {
        linked += link_one(db, HospitalId(hospital)).await?;
    }
    Ok(linked)
}

async fn link_one(db: &Db, hospital: HospitalId) -> Result<usize> {
    let mut tx = db.begin().await?;
    // Held until the commit: should our lease run out, whoever comes next waits here and goes on behind us.
    let Head { mut link, mut hash } = tx.one(HOLD_HEAD, args![hospital]).await?;
    let entries = tx.all::<Logged>(UNLINKED, args![hospital]).await?;
    let mut linked: Vec<(i64, i64, String)> = Vec::with_capacity(entries.len());
    for entry in &entries {
        link += 1;
        hash = entry.hashed(link, &hash);
        linked.push((entry.seq, link, hash.clone()));
    }
    if tx.is_postgres() {
        let (seqs, links): (Vec<i64>, Vec<i64>) = linked.iter().map(|(seq, link, _)| (*seq, *link)).unzip();
        let hashes: Vec<Option<String>> = linked.into_iter().map(|(_, _, hash)| Some(hash)).collect();
        tx.exec(LINK, args![hospital, seqs, links, hashes]).await?;
    } else {
        tx.exec(LINK, args![hospital, serde_json::json!(linked)]).await?;
    }
    tx.exec(SET_HEAD, args![hospital, link, hash]).await?;
    fault::pass(Point::LinkBefore);
    tx.commit().await?;
    fault::pass(Point::LinkAfter);
    Ok(entries.len())
}

/// Where a hospital's chain ends.
#[derive(Debug, Default)]
struct Head {
    link: i64,
    hash: String,
}

impl FromRow for Head {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { link: row.get("link")?, hash: row.get("hash")? })
    }
}

/// What a walk along the chain found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// Entries that were read.
    pub entries: i64,
    /// What is wrong, in words.
    pub faults: Vec<String>,
}

/// Walks the chain of every hospital and recomputes each hash. Read-only, also while entries are written and linked.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn walk(db: &Db) -> Result<Walk> {
    let mut found = Walk::default();
    for One(hospital) in db.all::<One<i64>>(HOSPITALS, args![]).await? {
        // Read before the entries: what is linked in the meantime only lies behind it.
        let head: Option<Head> = db.opt(HEAD, args![hospital]).await?;
        let known = head.unwrap_or_default();
        let mut fault = |what: String| found.faults.push(format!("hospital {hospital}: {what}"));
        let (mut number, mut hash) = (0, String::new());
        loop {
            let entries: Vec<Logged> = db.all(WALK, args![hospital, number]).await?;
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                found.entries += 1;
                let link = entry.link.unwrap_or_default();
                if link != number + 1 {
                    fault(format!("entries {} to {} are missing", number + 1, link - 1));
                }
                if entry.hash.as_deref() != Some(&entry.hashed(link, &hash)) {
                    fault(format!("entry {link} was changed"));
                }
                number = link;
                hash = entry.hash.unwrap_or_default();
                if number == known.link && hash != known.hash {
                    fault(format!("entry {link} is not the one that the chain ended with"));
                }
            }
        }
        if number < known.link {
            fault(format!("entries {} to {} are missing", number + 1, known.link));
        } else if number > 0 && known.link == 0 {
            // Unless the first entries were linked just now.
            let head: Option<Head> = db.opt(HEAD, args![hospital]).await?;
            if head.is_none_or(|h| h.link < number) {
                fault("the record of the chain's end is missing".into());
            }
        }
    }
    Ok(found)
}

impl Logged {
    fn hashed(&self, link: i64, before: &str) -> String {
        // JSON keeps the fields apart, whatever they hold.
        let content = serde_json::json!([
            before,
            link,
            self.hospital.0,
            self.at.0,
            self.actor,
            self.action,
            self.entity,
            self.detail,
            self.request_id,
            self.source
        ]);
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.to_string().as_bytes()))
    }
}

impl FromRow for Logged {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            hospital: row.get("hospital_id")?,
            at: row.get("at")?,
            actor: row.get("actor")?,
            action: row.get("action")?,
            entity: row.get("entity")?,
            detail: row.get("detail")?,
            request_id: row.get("request_id")?,
            source: row.get("source")?,
            link: row.get("link")?,
            hash: row.get("hash")?,
        })
    }
}
