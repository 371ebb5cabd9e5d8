//! Charges, their items, the price list and e-invoices.

use base::{Date, Fen, HospitalId, UnixMs};
use people::PersonId;
use store::value::{FromRow, Row};
use store::{Db, Result, Tx, args};

use crate::model::{Charge, ChargeId, ChargeState, Item, PaymentId};

store::statements! {
    INSERT = "INSERT INTO charge (hospital_id, id, kind, subject, person_id, account_id, department_id, title_zh, title_en, total_fen, state,
                pay_until, due_date, remind, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12, $13, $14) ON CONFLICT DO NOTHING";
    INSERT_ITEM = "INSERT INTO charge_item (hospital_id, charge_id, line, code, name_zh, name_en, price_fen, count, amount_fen)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    GET = "SELECT * FROM charge WHERE hospital_id = $1 AND id = $2";
    LOCK = sqlite "SELECT * FROM charge WHERE hospital_id = $1 AND id = $2"
        postgres "SELECT * FROM charge WHERE hospital_id = $1 AND id = $2 FOR UPDATE";
    OF_SUBJECT = "SELECT * FROM charge WHERE hospital_id = $1 AND kind = $2 AND subject = $3 AND state <> 'void'
           ORDER BY CASE state WHEN 'returned' THEN 1 ELSE 0 END, created_at DESC, id DESC";
    // The one that counts; where it came to nothing, the last of those that did: money may have come for it all the same.
    LAST_OF_SUBJECT = "SELECT * FROM charge WHERE hospital_id = $1 AND kind = $2 AND subject = $3
            ORDER BY CASE WHEN state = 'void' THEN 1 ELSE 0 END, created_at DESC, id DESC LIMIT 1";
    ITEMS = "SELECT * FROM charge_item WHERE hospital_id = $1 AND charge_id = $2 ORDER BY line";
    SERVED = "UPDATE charge SET state = 'settled', served_by = $3 WHERE hospital_id = $1 AND id = $2 AND state IN ('open', 'void')";
    SET_STATE = "UPDATE charge SET state = $3 WHERE hospital_id = $1 AND id = $2";
    FOLLOW = "UPDATE charge SET subject = $4, due_date = $5 WHERE hospital_id = $1 AND kind = $2 AND subject = $3 AND state IN ('open', 'settled')";
    RECOGNISED = "UPDATE charge SET recognised_at = $3 WHERE hospital_id = $1 AND id = $2 AND recognised_at IS NULL";
    TO_RECOGNISE = "SELECT * FROM charge WHERE hospital_id = $1 AND due_date < $2 AND state = 'settled' AND recognised_at IS NULL ORDER BY due_date LIMIT $3";
    TO_REMIND = "SELECT * FROM charge WHERE hospital_id = $1 AND due_date = $2 AND remind = 1 AND reminded_at IS NULL AND state = 'settled'
           AND done_at IS NULL LIMIT $3";
    REMINDED = "UPDATE charge SET reminded_at = $3 WHERE hospital_id = $1 AND id = $2 AND reminded_at IS NULL AND done_at IS NULL";
    DONE = "UPDATE charge SET done_at = $4 WHERE hospital_id = $1 AND kind = $2 AND subject = $3 AND done_at IS NULL";
    OF_PERSONS = sqlite "SELECT c.* FROM json_each($2) r CROSS JOIN charge c ON c.hospital_id = $1 AND c.person_id = r.value
                WHERE c.created_at < $3 ORDER BY c.created_at DESC, c.id DESC LIMIT $4"
        postgres "SELECT c.* FROM jsonb_array_elements_text(CAST($2 AS jsonb)) AS r(value) JOIN charge c ON c.hospital_id = $1 AND c.person_id = r.value
                WHERE c.created_at < $3 ORDER BY c.created_at DESC, c.id DESC LIMIT $4";
    PRICE = "SELECT code, name_zh, name_en, price_fen, insurance_code FROM price WHERE hospital_id = $1 AND code = $2";
    SET_PRICE = "INSERT INTO price (hospital_id, code, name_zh, name_en, price_fen, insurance_code, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (hospital_id, code) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, price_fen = excluded.price_fen,
               insurance_code = excluded.insurance_code, changed_at = excluded.changed_at";
    WANT_INVOICE = "INSERT INTO invoice (hospital_id, charge_id, state, wanted_at) VALUES ($1, $2, 'wanted', $3) ON CONFLICT DO NOTHING";
    INVOICE = "SELECT state, number, link, issued_at FROM invoice WHERE hospital_id = $1 AND charge_id = $2";
    REVERSED = "UPDATE invoice SET state = 'reversed', tries = 0, next_at = NULL WHERE hospital_id = $1 AND charge_id = $2 AND state = 'issued'";
}

/// Writes a charge down with its items; false when its subject has one already.
pub(crate) async fn insert(tx: &mut Tx, charge: &Charge, items: &[Item], remind: bool) -> Result<bool> {
    let values = args![
        charge.hospital,
        charge.id,
        &charge.kind,
        &charge.subject,
        charge.person,
        charge.account,
        charge.department.clone(),
        &charge.title.zh,
        &charge.title.en,
        charge.total,
        charge.pay_until,
        charge.due,
        remind,
        charge.created_at
    ];
    if tx.exec(INSERT, values).await? != 1 {
        return Ok(false);
    }
    for (line, item) in items.iter().enumerate() {
        let values = args![
            charge.hospital,
            charge.id,
            i64::try_from(line).unwrap_or(i64::MAX),
            &item.code,
            &item.name.zh,
            &item.name.en,
            item.price,
            item.count,
            item.amount().unwrap_or_default()
        ];
        tx.exec(INSERT_ITEM, values).await?;
    }
    Ok(true)
}

pub(crate) async fn get(tx: &mut Tx, hospital: HospitalId, id: ChargeId) -> Result<Option<Charge>> {
    tx.opt(GET, args![hospital, id]).await
}

pub(crate) async fn read(db: &Db, hospital: HospitalId, id: ChargeId) -> Result<Option<Charge>> {
    db.opt(GET, args![hospital, id]).await
}

/// As [`get`], and keeps everybody else who means to change it waiting.
pub(crate) async fn lock(tx: &mut Tx, hospital: HospitalId, id: ChargeId) -> Result<Option<Charge>> {
    tx.opt(LOCK, args![hospital, id]).await
}

pub(crate) async fn of_subject(
    tx: &mut Tx,
    hospital: HospitalId,
    kind: &str,
    subject: &str,
) -> Result<Option<Charge>> {
    tx.opt(OF_SUBJECT, args![hospital, kind, subject]).await
}

/// As [`of_subject`], as of the last commit.
pub(crate) async fn read_of_subject(
    db: &Db,
    hospital: HospitalId,
    kind: &str,
    subject: &str,
) -> Result<Option<Charge>> {
    db.opt(LAST_OF_SUBJECT, args![hospital, kind, subject]).await
}

pub(crate) async fn items(db: &Db, hospital: HospitalId, id: ChargeId) -> Result<Vec<Item>> {
    db.all(ITEMS, args![hospital, id]).await
}

/// The service was given for this payment; false when the charge is not open any more.
pub(crate) async fn served(
    tx: &mut Tx,
    hospital: HospitalId,
    id: ChargeId,
    payment: PaymentId,
) -> Result<bool> {
    Ok(tx.exec(SERVED, args![hospital, id, payment]).await? == 1)
}

pub(crate) async fn set_state(
    tx: &mut Tx,
    hospital: HospitalId,
    id: ChargeId,
    state: ChargeState,
) -> Result<()> {
    tx.exec(SET_STATE, args![hospital, id, state]).await.map(drop)
}

/// A charge goes with a thing that was moved; gives how many did.
pub(crate) async fn follow(
    tx: &mut Tx,
    hospital: HospitalId,
    kind: &str,
    (from, to): (&str, &str),
    due: Date,
) -> Result<u64> {
    tx.exec(FOLLOW, args![hospital, kind, from, to, due]).await
}

pub(crate) async fn recognised(tx: &mut Tx, hospital: HospitalId, id: ChargeId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(RECOGNISED, args![hospital, id, now]).await? == 1)
}

pub(crate) async fn to_recognise(
    tx: &mut Tx,
    hospital: HospitalId,
    before: Date,
    most: i64,
) -> Result<Vec<Charge>> {
    tx.all(TO_RECOGNISE, args![hospital, before, most]).await
}

pub(crate) async fn to_remind(
    tx: &mut Tx,
    hospital: HospitalId,
    date: Date,
    most: i64,
) -> Result<Vec<Charge>> {
    tx.all(TO_REMIND, args![hospital, date, most]).await
}

pub(crate) async fn reminded(tx: &mut Tx, hospital: HospitalId, id: ChargeId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(REMINDED, args![hospital, id, now]).await? == 1)
}

pub(crate) async fn done(tx: &mut Tx, hospital: HospitalId, kind: &str, subject: &str) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(DONE, args![hospital, kind, subject, now]).await? == 1)
}

/// What these persons owe or have paid, the last first.
pub(crate) async fn of_persons(
    db: &Db,
    hospital: HospitalId,
    persons: &[PersonId],
    before: UnixMs,
    most: i64,
) -> Result<Vec<Charge>> {
    let persons: serde_json::Value =
        persons.iter().map(|person| serde_json::Value::from(person.db())).collect();
    db.all(OF_PERSONS, args![hospital, persons, before, most]).await
}

/// A line of the price list.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Its code.
    pub code: String,
    /// What it is.
    pub name: base::Text2,
    /// What it costs.
    pub price: Fen,
    /// Its code in the national catalogue.
    pub insurance_code: Option<String>,
}

impl FromRow for Price {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            code: row.get("code")?,
            name: base::Text2::new(row.get::<String>("name_zh")?, row.get::<String>("name_en")?),
            price: row.get("price_fen")?,
            insurance_code: row.get("insurance_code")?,
        })
    }
}

pub(crate) async fn price(tx: &mut Tx, hospital: HospitalId, code: &str) -> Result<Option<Price>> {
    tx.opt(PRICE, args![hospital, code]).await
}

pub(crate) async fn set_price(tx: &mut Tx, hospital: HospitalId, price: &Price) -> Result<()> {
    let now = tx.now();
    let values = args![
        hospital,
        &price.code,
        &price.name.zh,
        &price.name.en,
        price.price,
        price.insurance_code.clone(),
        now
    ];
    tx.exec(SET_PRICE, values).await.map(drop)
}

/// An e-invoice, as far as it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    /// `wanted`, `issued`, `reversed`.
    pub state: String,
    /// Its number.
    pub number: Option<String>,
    /// Where it can be seen.
    pub link: Option<String>,
    /// When it was issued.
    pub issued_at: Option<UnixMs>,
}

impl FromRow for Invoice {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            state: row.get("state")?,
            number: row.get("number")?,
            link: row.get("link")?,
            issued_at: row.get("issued_at")?,
        })
    }
}

pub(crate) async fn want_invoice(tx: &mut Tx, hospital: HospitalId, charge: ChargeId) -> Result<()> {
    let now = tx.now();
    tx.exec(WANT_INVOICE, args![hospital, charge, now]).await.map(drop)
}

pub(crate) async fn invoice(db: &Db, hospital: HospitalId, charge: ChargeId) -> Result<Option<Invoice>> {
    db.opt(INVOICE, args![hospital, charge]).await
}

pub(crate) async fn reversed(tx: &mut Tx, hospital: HospitalId, charge: ChargeId) -> Result<()> {
    tx.exec(REVERSED, args![hospital, charge]).await.map(drop)
}
