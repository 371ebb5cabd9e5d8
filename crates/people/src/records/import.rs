//! Many patients from a file, row by row. A row that is wrong is reported with its line and stops no other; a file that comes again
//! adds nobody twice, since each patient is known by document, card or phone.
//!
//! The rows are kept sealed first, with the answer to who sent them; a job works them off, some hundred in a transaction, and
//! wipes each. So a node may die in between, and another goes on.

pub mod csv;

use std::sync::Arc;
use std::time::Duration;

use ::store::events::Failure;
use ::store::value::{FromRow, One, Row};
use ::store::vault::Purpose;
use ::store::{Db, Job, JobHandler, NewJob, Result, Sealed, StoreError, Tx, Vault, args};
use async_trait::async_trait;
use base::{Date, HospitalId, Kind, Problem, UnixMs};
use edge::{Caller, Hospital, Hospitals};
use serde::Deserialize;
use serde_json::json;

use super::ImportId;
use super::store::import::{
    IMPORT_ADD, IMPORT_BY_KEY, IMPORT_DONE, IMPORT_GET, IMPORT_LATEST, ROW_ADD, ROW_DONE, ROWS_WAITING,
    ROWS_WRONG,
};
use crate::PeopleDeps;
use crate::{cards, enrol, patients};
use csv::{Line, NotATable};

/// Sealed: a row of a file.
const FIELD: &str = "import.row";
/// The kind of [`WorkOff`]'s jobs.
const WORK: &str = "people.import";
/// So many rows in one transaction.
const AT_ONCE: i64 = 200;
/// The most rows of one file.
pub const MOST: usize = 10_000;

/// How far a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Its id.
    pub id: ImportId,
    /// What the file was called.
    pub file_name: String,
    /// Whether all rows are worked on.
    pub done: bool,
    /// How many rows it has.
    pub total: i64,
    /// Of these: new on file …
    pub added: i64,
    /// … on file already …
    pub there: i64,
    /// … and not taken.
    pub wrong: i64,
    /// By whom.
    pub by: String,
    /// When it came.
    pub started_at: UnixMs,
    /// When the last row was worked on.
    pub ended_at: Option<UnixMs>,
}

impl FromRow for Progress {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            file_name: row.get("file_name")?,
            done: row.get::<String>("state")? == "done",
            total: row.get("total")?,
            added: row.get("added")?,
            there: row.get("there")?,
            wrong: row.get("wrong")?,
            by: row.get("started_by")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportRefusal {
    /// 404
    #[error("not found")]
    NotFound,
    /// 422 with what is wrong with the file as a whole.
    #[error("not a table of patients")]
    Table(NotATable),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ImportRefusal> for Problem {
    fn from(refusal: ImportRefusal) -> Self {
        match refusal {
            ImportRefusal::NotFound => Self::not_found(),
            ImportRefusal::Store(error) => error.into(),
            ImportRefusal::Table(fault) => {
                let (code, zh, en) = match fault {
                    NotATable::NotUtf8 => (
                        "import_encoding",
                        "文件不是 UTF-8 编码，请另存为“CSV UTF-8”。",
                        "The file is not UTF-8. Please save it as “CSV UTF-8”.",
                    ),
                    NotATable::Empty => {
                        ("import_empty", "文件里没有数据行。", "There are no rows in the file.")
                    }
                    NotATable::Columns(_) => (
                        "import_columns",
                        "第一行应为列名，且必须有“姓名”。",
                        "The first line must name the columns, “name” among them.",
                    ),
                    NotATable::TooMany => (
                        "import_too_long",
                        "一个文件最多 10,000 行，请分成几个文件。",
                        "A file has 10,000 rows at most. Please split it.",
                    ),
                };
                let problem = Self::new(Kind::Invalid, code, zh, en);
                match fault {
                    NotATable::Columns(unknown) => problem.with("unknown", unknown),
                    _ => problem,
                }
            }
        }
    }
}

/// Takes a file. The same key again gives the import that is there.
///
/// # Errors
/// [`ImportRefusal::Table`]; then nothing of it is kept.
pub async fn take(
    deps: &PeopleDeps,
    caller: &Caller,
    key: &str,
    file_name: &str,
    bytes: &[u8],
) -> Result<ImportId, ImportRefusal> {
    let h = caller.hospital.id;
    let lines = csv::read(bytes, MOST).map_err(ImportRefusal::Table)?;
    let id = ImportId::new();
    let mut tx = deps.db.begin().await?;
    let now = tx.now();
    let total = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let name: String = file_name.chars().filter(|c| !c.is_control()).take(80).collect();
    let key = format!("{}-{key}", caller.actor);
    let values = args![h, id, &key, name, total, caller.actor.to_string(), now];
    if tx.exec(IMPORT_ADD, values).await? == 0 {
        let there: One<ImportId> = tx.one(IMPORT_BY_KEY, args![h, key]).await?;
        return Ok(there.0);
    }
    for line in &lines {
        let text = serde_json::to_string(line).map_err(|e| StoreError::Config(e.to_string()))?;
        let body = deps.vault.seal(h, FIELD, &text)?;
        tx.exec(ROW_ADD, args![h, id, line.line, body]).await?;
    }
    let payload = json!({"import": id.to_string()});
    tx.at(now, NewJob { hospital: h, kind: WORK, dedupe: id.db(), payload }).await?;
    tx.audit(caller.audit("person.import", id, json!({"rows": total}))).await?;
    tx.commit().await?;
    Ok(id)
}

/// How far an import is.
///
/// # Errors
/// [`ImportRefusal::NotFound`].
pub async fn progress(db: &Db, h: HospitalId, id: ImportId) -> Result<Progress, ImportRefusal> {
    db.opt(IMPORT_GET, args![h, id]).await?.ok_or(ImportRefusal::NotFound)
}

/// The latest imports.
///
/// # Errors
/// The database.
pub async fn latest(db: &Db, h: HospitalId) -> Result<Vec<Progress>, ImportRefusal> {
    let mut all = Vec::new();
    for One(id) in db.all::<One<ImportId>>(IMPORT_LATEST, args![h]).await? {
        all.push(progress(db, h, id).await?);
    }
    Ok(all)
}

/// Rows that were not taken, after a line: their line in the file, and why.
///
/// # Errors
/// The database.
pub async fn wrong(db: &Db, h: HospitalId, id: ImportId, after: i64) -> Result<Vec<(i64, String)>> {
    let rows: Vec<Row> = db.all(ROWS_WRONG, args![h, id, after, 500_i64]).await?;
    rows.iter().map(|row| Ok((row.get("line")?, row.get("problem")?))).collect()
}

/// Works off the rows of a file.
pub struct WorkOff {
    vault: Arc<Vault>,
    hospitals: Hospitals,
}

impl WorkOff {
    /// The handler.
    #[must_use]
    pub fn new(vault: Arc<Vault>, hospitals: Hospitals) -> Self {
        Self { vault, hospitals }
    }

    /// Some rows, in one transaction; false when there were none left.
    async fn some(&self, db: &Db, hospital: &Arc<Hospital>, id: ImportId) -> Result<bool> {
        let h = hospital.id;
        let mut tx = db.begin().await?;
        let rows: Vec<Row> = tx.all(ROWS_WAITING, args![h, id, AT_ONCE]).await?;
        if rows.is_empty() {
            let now = tx.now();
            tx.exec(IMPORT_DONE, args![h, id, now]).await?;
            tx.commit().await?;
            return Ok(false);
        }
        let caller = Caller::system(hospital.clone());
        for row in &rows {
            let (number, body): (i64, Sealed) = (row.get("line")?, row.get("body")?);
            let text = self.vault.open_sealed(h, FIELD, &body, Purpose::Match)?;
            let outcome = match serde_json::from_str::<Line>(&text) {
                Ok(line) => self.one(&mut tx, &caller, &line).await?,
                Err(error) => Outcome::Wrong(vec![error.to_string()]),
            };
            let (code, problem, person) = match outcome {
                Outcome::Added(person) => ("added", None, Some(person)),
                Outcome::There(person) => ("there", None, Some(person)),
                Outcome::Wrong(codes) => ("wrong", Some(codes.join(",")), None),
            };
            tx.exec(ROW_DONE, args![h, id, number, code, problem, person]).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn one(&self, tx: &mut Tx, caller: &Caller, line: &Line) -> Result<Outcome> {
        let h = caller.hospital.id;
        let today: Date = caller.hospital.zone.date(tx.now());
        let read = match csv::patient(line, today) {
            Ok(read) => read,
            Err(codes) => return Ok(Outcome::Wrong(codes.iter().map(|c| (*c).to_owned()).collect())),
        };
        let known = patients::find(tx, &self.vault, h, &read.patient).await?;
        let holder = match &read.card {
            Some(card) => cards::person_of(tx, &self.vault, h, card).await?,
            None => None,
        };
        // Nobody but the card and the name tells who it is: then the name on file must be the same.
        let known = match (known, holder) {
            (None, Some(holder))
                if enrol::is_name_of(tx, &self.vault, h, holder, &read.patient.name).await? =>
            {
                Some(holder)
            }
            (known, _) => known,
        };
        if holder.is_some() && holder != known {
            return Ok(Outcome::Wrong(vec![Problem::from(crate::Refusal::CardTaken).code.to_owned()]));
        }
        let person = match known {
            Some(person) => person,
            None => patients::put(tx, &self.vault, h, &read.patient).await?,
        };
        if let Some(card) = &read.card {
            match cards::add(tx, &self.vault, caller, person, card, true).await {
                Ok(()) => {}
                Err(crate::Refusal::Store(error)) => return Err(error),
                Err(refusal) => return Ok(Outcome::Wrong(vec![Problem::from(refusal).code.to_owned()])),
            }
        }
        Ok(if known.is_none() { Outcome::Added(person) } else { Outcome::There(person) })
    }
}

enum Outcome {
    Added(crate::PersonId),
    There(crate::PersonId),
    /// The codes of what is wrong.
    Wrong(Vec<String>),
}

#[derive(Deserialize)]
struct Which {
    import: ImportId,
}

#[async_trait]
impl JobHandler for WorkOff {
    fn kind(&self) -> &'static str {
        WORK
    }

    async fn run(&self, db: &Db, job: &Job) -> std::result::Result<(), Failure> {
        let which: Which =
            serde_json::from_value(job.payload.clone()).map_err(|e| Failure::Final(e.to_string()))?;
        let hospital = self.hospitals.get(job.hospital);
        let hospital = hospital.ok_or_else(|| Failure::Again("the hospital is not known here yet".into()))?;
        loop {
            db.after_people(Duration::from_secs(2)).await;
            if !self.some(db, &hospital, which.import).await? {
                return Ok(());
            }
        }
    }
}
