//! Which template serves which kind.

use std::collections::BTreeMap;

use base::HospitalId;
use people::ChannelAccountId;
use store::{Db, FromRow, Result, Row, StoreError, Tx, args};

use crate::model::Kind;

store::statements! {
    LIST = "SELECT channel_account_id, kind, template_id, fields, chosen_by FROM template_map WHERE hospital_id = $1 AND kind = $2";
    OF_ACCOUNT = "SELECT channel_account_id, kind, template_id, fields, chosen_by FROM template_map
                  WHERE hospital_id = $1 AND channel_account_id = $2 ORDER BY kind";
    PUT = "INSERT INTO template_map (hospital_id, channel_account_id, kind, template_id, fields, chosen_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (hospital_id, channel_account_id, kind) DO UPDATE SET template_id = excluded.template_id, fields = excluded.fields,
               chosen_by = excluded.chosen_by, changed_at = excluded.changed_at";
    SUGGEST = "INSERT INTO template_map (hospital_id, channel_account_id, kind, template_id, fields, chosen_by, changed_at) VALUES ($1, $2, $3, $4, $5, 'xinglin', $6)
           ON CONFLICT (hospital_id, channel_account_id, kind) DO UPDATE SET template_id = excluded.template_id, fields = excluded.fields, changed_at = excluded.changed_at
           WHERE template_map.chosen_by = 'xinglin'";
}

/// Which template of an account serves a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The kind.
    pub kind: Kind,
    /// The account's template.
    pub template_id: String,
    /// The template's field → the name of our argument (see [`crate::text::Words`]).
    pub fields: BTreeMap<String, String>,
}

/// A mapping and the account it is for.
#[derive(Debug, Clone)]
pub(crate) struct Mapped {
    pub(crate) account: ChannelAccountId,
    pub(crate) mapping: Mapping,
}

/// The mappings of all accounts for a kind.
pub(crate) async fn for_kind(db: &Db, hospital: HospitalId, kind: Kind) -> Result<Vec<Mapped>> {
    db.all(LIST, args![hospital, kind]).await
}

/// The mappings of an account.
pub(crate) async fn of_account(
    db: &Db,
    hospital: HospitalId,
    account: ChannelAccountId,
) -> Result<Vec<Mapping>> {
    let all: Vec<Mapped> = db.all(OF_ACCOUNT, args![hospital, account]).await?;
    Ok(all.into_iter().map(|m| m.mapping).collect())
}

/// Sets a mapping that a person has chosen.
pub(crate) async fn put(
    tx: &mut Tx,
    hospital: HospitalId,
    account: ChannelAccountId,
    mapping: &Mapping,
    by: &str,
) -> Result<()> {
    let now = tx.now();
    let fields = serde_json::to_string(&mapping.fields).unwrap_or_default();
    let values = args![hospital, account, mapping.kind, &mapping.template_id, fields, by, now];
    tx.exec(PUT, values).await.map(drop)
}

/// Sets a mapping that we have found by ourselves; what a person has chosen stays.
pub(crate) async fn suggest(
    tx: &mut Tx,
    hospital: HospitalId,
    account: ChannelAccountId,
    mapping: &Mapping,
) -> Result<()> {
    let now = tx.now();
    let fields = serde_json::to_string(&mapping.fields).unwrap_or_default();
    let values = args![hospital, account, mapping.kind, &mapping.template_id, fields, now];
    tx.exec(SUGGEST, values).await.map(drop)
}

impl FromRow for Mapped {
    fn from_row(row: &Row) -> Result<Self> {
        let fields: String = row.get("fields")?;
        let fields = serde_json::from_str(&fields)
            .map_err(|e| StoreError::Decode { column: "fields".into(), what: e.to_string() })?;
        let mapping = Mapping { kind: row.get("kind")?, template_id: row.get("template_id")?, fields };
        Ok(Self { account: row.get("channel_account_id")?, mapping })
    }
}
