//! Our contracts with those who move money.

use base::HospitalId;
use store::value::{FromRow, One, Row};
use store::{Db, Result, Sealed, Tx, args};

use crate::model::{PayAccountId, Provider};

store::statements! {
    LIST = "SELECT hospital_id, id, name, provider, merchant, app, base_url, secrets, revision FROM pay_account WHERE active = 1
           ORDER BY hospital_id, created_at, id";
    PUT = "INSERT INTO pay_account (hospital_id, id, name, provider, merchant, app, base_url, secrets, active, created_at, revision)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, 1)
           ON CONFLICT (name) DO UPDATE SET merchant = excluded.merchant, app = excluded.app, base_url = excluded.base_url, secrets = excluded.secrets,
               active = 1, revision = pay_account.revision + 1
           WHERE pay_account.hospital_id = excluded.hospital_id AND pay_account.provider = excluded.provider
           RETURNING id";
}

/// A contract as it is kept.
#[derive(Clone)]
pub(crate) struct AccountRow {
    pub(crate) hospital: HospitalId,
    pub(crate) id: PayAccountId,
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) merchant: String,
    pub(crate) app: String,
    pub(crate) base_url: Option<String>,
    pub(crate) secrets: Sealed,
    pub(crate) revision: i64,
}

impl FromRow for AccountRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            name: row.get("name")?,
            provider: row.get("provider")?,
            merchant: row.get("merchant")?,
            app: row.get("app")?,
            base_url: row.get("base_url")?,
            secrets: row.get("secrets")?,
            revision: row.get("revision")?,
        })
    }
}

pub(crate) async fn list(db: &Db) -> Result<Vec<AccountRow>> {
    db.all(LIST, args![]).await
}

/// Adds a contract, or changes the one of this name; `None` when the name is another's.
pub(crate) async fn put(tx: &mut Tx, row: AccountRow) -> Result<Option<PayAccountId>> {
    let now = tx.now();
    let values = args![
        row.hospital,
        row.id,
        row.name,
        row.provider,
        row.merchant,
        row.app,
        row.base_url,
        row.secrets,
        now
    ];
    Ok(tx.opt::<One<PayAccountId>>(PUT, values).await?.map(|one| one.0))
}
