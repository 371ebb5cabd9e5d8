//! The SQL of the line.

use base::{HospitalId, UnixMs};
use edge::AccountId;
use store::value::{One, Row};
use store::{Db, Result, Tx, args};

use super::model::{Served, Ticket, TicketId};

store::statements! {
    // The draw is made here: `turn` is random for wave 0, by the database itself.
    ADD_ALL = sqlite "WITH r(value) AS MATERIALIZED (SELECT jsonb(value) FROM json_each($2))
            INSERT INTO rush_ticket (hospital_id, id, account_id, key, request_hash, person_id, slot_id, channel, request_id, source,
                due_at, wave, turn, arrived_at, pay, state)
            SELECT CAST($1 AS BIGINT), value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
                CAST(value->>9 AS BIGINT), CAST(value->>10 AS BIGINT),
                CASE WHEN CAST(value->>10 AS BIGINT) = 0 THEN abs(random() / 2) ELSE CAST(value->>11 AS BIGINT) * 1000 END,
                CAST(value->>11 AS BIGINT), value->>12, 'waiting'
            FROM r WHERE true ON CONFLICT DO NOTHING RETURNING id"
        postgres "INSERT INTO rush_ticket (hospital_id, id, account_id, key, request_hash, person_id, slot_id, channel, request_id, source,
                due_at, wave, turn, arrived_at, pay, state)
            SELECT CAST($1 AS BIGINT), value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
                CAST(value->>9 AS BIGINT), CAST(value->>10 AS BIGINT),
                CASE WHEN CAST(value->>10 AS BIGINT) = 0 THEN CAST(random() * 4611686018427387904 AS BIGINT) ELSE CAST(value->>11 AS BIGINT) * 1000 END,
                CAST(value->>11 AS BIGINT), value->>12, 'waiting'
            FROM jsonb_array_elements(CAST($2 AS jsonb)) AS t(value) ON CONFLICT DO NOTHING RETURNING id";
    // `hospital_id + 0`: by the index that leads with the account or the ticket, not by one that reads the whole line for each.
    OF_ACCOUNTS = sqlite "SELECT t.* FROM json_each($2) r CROSS JOIN rush_ticket t ON t.hospital_id + 0 = $1 AND t.account_id = r.value"
        postgres "SELECT t.* FROM unnest(CAST($2 AS TEXT[])) AS r(value) CROSS JOIN LATERAL (
                SELECT * FROM rush_ticket WHERE hospital_id + 0 = $1 AND account_id = r.value OFFSET 0) AS t";
    GET = "SELECT * FROM rush_ticket WHERE hospital_id = $1 AND id = $2";
    OF_ACCOUNT = "SELECT * FROM rush_ticket WHERE hospital_id + 0 = $1 AND account_id = $2 AND (state = 'waiting' OR done_at >= $3)
            ORDER BY arrived_at DESC, id DESC LIMIT 20";
    TRY_LOCK = sqlite "SELECT 1" postgres "SELECT CASE WHEN pg_try_advisory_xact_lock(7240961, CAST($1 AS INTEGER)) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END";
    NEXT = "SELECT * FROM rush_ticket WHERE hospital_id = $1 AND state = 'waiting' AND due_at <= $2 AND (wave = 0 OR arrived_at <= $3)
            ORDER BY due_at, wave, turn, id LIMIT $4";
    WAITING = "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(COALESCE(MIN(due_at), 0) AS BIGINT) AS due_at FROM rush_ticket WHERE hospital_id = $1 AND state = 'waiting'";
    LINE = "SELECT id FROM rush_ticket WHERE hospital_id = $1 AND state = 'waiting' ORDER BY due_at, wave, turn, id LIMIT 20000";
    // On PostgreSQL by `done_at`: `state = 'waiting'` would let it read the whole line, an index of those who wait, for each ticket.
    DONE_ALL = sqlite "UPDATE rush_ticket SET state = 'done', outcome = CAST($2 ->> id AS TEXT) , done_at = $3, served = CAST($4 ->> id AS BIGINT)
            WHERE hospital_id + 0 = $1 AND id IN (SELECT key FROM json_each($2)) AND state = 'waiting'"
        postgres "UPDATE rush_ticket SET state = 'done', outcome = r.outcome, done_at = $2, served = r.served
            FROM unnest(CAST($3 AS TEXT[]), CAST($4 AS TEXT[]), CAST($5 AS BIGINT[])) AS r(id, outcome, served)
            WHERE rush_ticket.hospital_id + 0 = $1 AND rush_ticket.id = r.id AND rush_ticket.done_at IS NULL";
    SERVED = sqlite "SELECT * FROM rush_ticket WHERE hospital_id + 0 = $1 AND id IN (SELECT value FROM json_each($2)) AND state = 'done'"
        postgres "SELECT * FROM rush_ticket WHERE hospital_id + 0 = $1 AND id = ANY($2) AND state = 'done'";
    FORGET = "DELETE FROM rush_ticket WHERE hospital_id = $1 AND state = 'done' AND done_at < $2";
}

/// Writes tickets down; gives the ids of those that were, which excludes who stands in line already or used the key before.
pub(crate) async fn add_all(tx: &mut Tx, hospital: HospitalId, tickets: &[Ticket]) -> Result<Vec<TicketId>> {
    let rows: Vec<serde_json::Value> = tickets
        .iter()
        .map(|t| {
            serde_json::json!([
                t.id.db(),
                t.account.db(),
                t.key,
                t.hash,
                t.person.db(),
                t.slot.db(),
                t.channel,
                t.request_id,
                t.source,
                t.due_at.0,
                t.wave,
                t.arrived_at.0,
                t.pay.code()
            ])
        })
        .collect();
    let added: Vec<One<TicketId>> = tx.all(ADD_ALL, args![hospital, serde_json::Value::from(rows)]).await?;
    Ok(added.into_iter().map(|one| one.0).collect())
}

/// All tickets of these accounts.
pub(crate) async fn of_accounts(
    tx: &mut Tx,
    hospital: HospitalId,
    accounts: &[AccountId],
) -> Result<Vec<Ticket>> {
    let accounts: Vec<Option<String>> = accounts.iter().map(|a| Some(a.db())).collect();
    tx.all(OF_ACCOUNTS, args![hospital, accounts]).await
}

/// A ticket, whoever it belongs to: the caller checks that.
pub(crate) async fn read(db: &Db, hospital: HospitalId, id: TicketId) -> Result<Option<Ticket>> {
    db.opt(GET, args![hospital, id]).await
}

/// The tickets of an account: the one that waits, and those served since; the last first.
pub(crate) async fn of_account(
    db: &Db,
    hospital: HospitalId,
    account: AccountId,
    since: UnixMs,
) -> Result<Vec<Ticket>> {
    db.all(OF_ACCOUNT, args![hospital, account, since]).await
}

/// Whether this transaction is the one that serves the line; false while another node does.
pub(crate) async fn try_lock(tx: &mut Tx, hospital: HospitalId) -> Result<bool> {
    if !tx.is_postgres() {
        return Ok(true);
    }
    Ok(tx.one::<One<i64>>(TRY_LOCK, args![hospital]).await?.0 == 1)
}

/// The next of the line: due before `due`, and of those behind the draw who came before `arrived`.
pub(crate) async fn next(
    tx: &mut Tx,
    hospital: HospitalId,
    due: UnixMs,
    arrived: UnixMs,
    limit: i64,
) -> Result<Vec<Ticket>> {
    tx.all(NEXT, args![hospital, due, arrived, limit]).await
}

/// How many wait, and from when on the first is served.
pub(crate) async fn waiting(tx: &mut Tx, hospital: HospitalId) -> Result<(i64, UnixMs)> {
    let row: Row = tx.one(WAITING, args![hospital]).await?;
    Ok((row.get("n")?, row.get("due_at")?))
}

/// As [`waiting`], as of the last commit.
pub(crate) async fn how_many_wait(db: &Db, hospital: HospitalId) -> Result<i64> {
    let row: Row = db.one(WAITING, args![hospital]).await?;
    row.get("n")
}

/// Everybody in line, the next first.
pub(crate) async fn line(db: &Db, hospital: HospitalId) -> Result<Vec<TicketId>> {
    let rows: Vec<One<TicketId>> = db.all(LINE, args![hospital]).await?;
    Ok(rows.into_iter().map(|one| one.0).collect())
}

/// Writes down what came of tickets, in the order in which they were served.
pub(crate) async fn done_all(
    tx: &mut Tx,
    hospital: HospitalId,
    served: &[(TicketId, Served)],
) -> Result<u64> {
    let now = tx.now();
    let text = |served: &Served| serde_json::to_string(served).unwrap_or_default();
    // Grows from batch to batch: the milliseconds, and the place in the batch.
    let order = (now.0 * 1_000..).take(served.len());
    if tx.is_postgres() {
        let ids: Vec<Option<String>> = served.iter().map(|(id, _)| Some(id.db())).collect();
        let outcomes: Vec<Option<String>> = served.iter().map(|(_, s)| Some(text(s))).collect();
        let order: Vec<i64> = order.collect();
        return tx.exec(DONE_ALL, args![hospital, now, ids, outcomes, order]).await;
    }
    let outcomes: serde_json::Map<_, _> = served.iter().map(|(id, s)| (id.db(), text(s).into())).collect();
    let orders: serde_json::Map<_, _> =
        served.iter().zip(order).map(|((id, _), n)| (id.db(), n.into())).collect();
    let values = args![hospital, serde_json::Value::Object(outcomes), now, serde_json::Value::Object(orders)];
    tx.exec(DONE_ALL, values).await
}

/// Which of these tickets were served.
pub(crate) async fn served(db: &Db, hospital: HospitalId, ids: &[TicketId]) -> Result<Vec<Ticket>> {
    let ids: Vec<Option<String>> = ids.iter().map(|id| Some(id.db())).collect();
    db.all(SERVED, args![hospital, ids]).await
}

/// Removes tickets that were served before.
pub(crate) async fn forget(tx: &mut Tx, hospital: HospitalId, before: UnixMs) -> Result<u64> {
    tx.exec(FORGET, args![hospital, before]).await
}
