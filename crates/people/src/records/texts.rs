//! The wordings that people agree to: the privacy notice, and the consent to the use of a person's data. Each has versions in both
//! languages; which one is in force stands in the settings (section `consent`), and is what an agreement names.

use ::store::value::{FromRow, Row};
use ::store::{Db, Result, StoreError, args};
use base::{HospitalId, Kind, Problem, Text2, UnixMs};
use edge::{Caller, Hospitals};
use serde_json::json;

use super::store::texts::{TEXT_AGREED, TEXT_GET, TEXT_LIST, TEXT_PUBLISH, TEXT_PUT};
use crate::PeopleDeps;
use crate::settings::ConsentVersions;

::store::text_enum! {
    /// Which wording.
    #[derive(utoipa::ToSchema)]
    #[schema(as = ConsentTextKind)]
    pub enum TextKind {
        /// The privacy notice.
        #[schema(rename = "privacy")]
        Privacy = "privacy",
        /// The consent to the use of a person's data.
        #[schema(rename = "consent")]
        Consent = "consent",
    }
}

/// A wording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// Which.
    pub kind: TextKind,
    /// Its version: 1 to 20 letters, digits, `-` and `.`.
    pub version: String,
    /// Its heading.
    pub title: Text2,
    /// The text; paragraphs are parted by an empty line.
    pub body: Text2,
    /// When it was last written.
    pub written_at: UnixMs,
    /// Since when it may not be changed any more.
    pub published_at: Option<UnixMs>,
}

impl FromRow for Wording {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            kind: row.get("kind")?,
            version: row.get("version")?,
            title: Text2::new(row.get::<String>("title_zh")?, row.get::<String>("title_en")?),
            body: Text2::new(row.get::<String>("body_zh")?, row.get::<String>("body_en")?),
            written_at: row.get("written_at")?,
            published_at: row.get("published_at")?,
        })
    }
}

/// Why a wording is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TextRefusal {
    /// 404
    #[error("not found")]
    NotFound,
    /// 422 `version_invalid`
    #[error("no version")]
    Version,
    /// 422 `text_incomplete`: both languages are needed.
    #[error("a language is missing")]
    Incomplete,
    /// 409 `text_published`: people agreed to it; it is not changed any more.
    #[error("published")]
    Published,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TextRefusal> for Problem {
    fn from(refusal: TextRefusal) -> Self {
        let new = Self::new;
        match refusal {
            TextRefusal::NotFound => Self::not_found(),
            TextRefusal::Store(error) => error.into(),
            TextRefusal::Version => new(
                Kind::Invalid,
                "version_invalid",
                "版本号应为 1 到 20 个字母、数字、- 或 .，例如 2026-12。",
                "A version has 1 to 20 letters, digits, - or ., such as 2026-12.",
            ),
            TextRefusal::Incomplete => new(
                Kind::Invalid,
                "text_incomplete",
                "标题和正文都要有中文和英文，正文不超过 20,000 字。",
                "Heading and text are needed in Chinese and in English, of 20,000 characters at most.",
            ),
            TextRefusal::Published => new(
                Kind::Conflict,
                "text_published",
                "这个版本已经发布过，有人同意过它，不能再改。请另存为新版本。",
                "This version was published and people agreed to it. Please save a new version instead.",
            ),
        }
    }
}

/// Writes a version, or writes one anew that was never published.
///
/// # Errors
/// [`TextRefusal`].
pub async fn write(
    deps: &PeopleDeps,
    caller: &Caller,
    kind: TextKind,
    version: &str,
    title: &Text2,
    body: &Text2,
) -> Result<(), TextRefusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if !(1..=20).contains(&version.len()) || !version.chars().all(plain) {
        return Err(TextRefusal::Version);
    }
    let full = |text: &Text2, most: usize| {
        [&text.zh, &text.en].iter().all(|t| (1..=most).contains(&t.trim().chars().count()))
    };
    if !full(title, 60) || !full(body, 20_000) {
        return Err(TextRefusal::Incomplete);
    }
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let (now, by) = (tx.now(), caller.actor.to_string());
    let values = args![h, kind, version, &title.zh, &title.en, &body.zh, &body.en, by, now];
    if tx.exec(TEXT_PUT, values).await? == 0 {
        return Err(TextRefusal::Published);
    }
    tx.audit(caller.audit("consent_text.write", version, json!({"kind": kind}))).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts a version in force. Whoever joins from then on agrees to it; earlier agreements stand as they are.
///
/// # Errors
/// [`TextRefusal::NotFound`].
pub async fn publish(
    deps: &PeopleDeps,
    caller: &Caller,
    hospitals: &Hospitals,
    kind: TextKind,
    version: &str,
) -> Result<(), TextRefusal> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let now = tx.now();
    if tx.exec(TEXT_PUBLISH, args![h, kind, version, now]).await? == 0 {
        return Err(TextRefusal::NotFound);
    }
    tx.audit(caller.audit("consent_text.publish", version, json!({"kind": kind}))).await?;
    tx.commit().await?;
    // The wording is fixed before anybody is asked for it; if this fails, publishing again goes on from here.
    let mut in_force: ConsentVersions = caller.hospital.settings(ConsentVersions::SECTION);
    match kind {
        TextKind::Privacy => in_force.privacy_version = version.to_owned(),
        TextKind::Consent => in_force.consent_version = version.to_owned(),
    }
    hospitals.set(h, ConsentVersions::SECTION, &in_force, &caller.actor.to_string()).await?;
    Ok(())
}

/// A version.
///
/// # Errors
/// [`TextRefusal::NotFound`].
pub async fn get(db: &Db, h: HospitalId, kind: TextKind, version: &str) -> Result<Wording, TextRefusal> {
    db.opt(TEXT_GET, args![h, kind, version]).await?.ok_or(TextRefusal::NotFound)
}

/// All versions, the newest of each kind first.
///
/// # Errors
/// Any [`StoreError`].
pub async fn list(db: &Db, h: HospitalId) -> Result<Vec<Wording>> {
    db.all(TEXT_LIST, args![h]).await
}

/// For how many persons each version of the consent was agreed to and not taken back.
///
/// # Errors
/// Any [`StoreError`].
pub async fn agreed(db: &Db, h: HospitalId) -> Result<Vec<(String, i64)>> {
    let rows: Vec<Row> = db.all(TEXT_AGREED, args![h]).await?;
    rows.iter().map(|row| Ok((row.get("version")?, row.get("persons")?))).collect()
}
