//! The words of codes and of joining.

use base::{Text2, UnixMs};
use edge::AccountId;
use people::PersonId;
use serde::{Deserialize, Serialize};
use store::{FromRow, Result, Row};

store::typed_id! {
    /// A code that people scan.
    CodeId = "cod";
    /// Somebody who is to be bound to whoever scans first.
    EnrolmentId = "enr";
    /// Something that the chat says.
    ReplyId = "rpl";
}

store::text_enum! {
    /// Whose menu.
    #[derive(utoipa::ToSchema)]
    #[schema(as = MenuAudience)]
    pub enum Audience {
        /// Everybody's.
        #[schema(rename = "all")]
        All = "all",
        /// Of those who chose English.
        #[schema(rename = "en")]
        En = "en",
    }
}

store::text_enum! {
    /// What a code is for.
    #[derive(utoipa::ToSchema)]
    #[schema(as = CodePurpose)]
    pub enum Purpose {
        /// A doctor's card: leads to their next free places.
        #[schema(rename = "doctor")]
        Doctor = "doctor",
        /// A department's door.
        #[schema(rename = "department")]
        Department = "department",
        /// A place in the house: an entrance, a desk, a ward.
        #[schema(rename = "place")]
        Place = "place",
        /// A poster or a leaflet.
        #[schema(rename = "poster")]
        Poster = "poster",
        /// Beside the Wi-Fi's own code.
        #[schema(rename = "wifi")]
        Wifi = "wifi",
        /// Made for one person who is to be bound; works once.
        #[schema(rename = "enrolment")]
        Enrolment = "enrolment",
    }
}

/// A code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Its id.
    pub id: CodeId,
    /// What a scan tells.
    pub scene: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The doctor, department or enrolment, as the database keeps ids.
    pub target: Option<String>,
    /// The page that it leads to.
    pub path: String,
    /// What it is called on lists and in the chat.
    pub name: Text2,
    /// What WeChat wants in the picture, once WeChat has made it.
    pub url: Option<String>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it ends by itself.
    pub expires_at: Option<UnixMs>,
    /// When it was closed.
    pub closed_at: Option<UnixMs>,
}

impl FromRow for Code {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            scene: row.get("scene")?,
            purpose: row.get("purpose")?,
            target: row.get("target")?,
            path: row.get("path")?,
            name: Text2::new(row.get::<String>("name_zh")?, row.get::<String>("name_en")?),
            url: row.get("url")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            closed_at: row.get("closed_at")?,
        })
    }
}

/// The network that a Wi-Fi poster lets people into. Kept sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wifi {
    /// Its name.
    pub ssid: String,
    /// Its password; empty for an open network.
    pub password: String,
}

impl std::fmt::Debug for Wifi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wifi").field("ssid", &self.ssid).finish_non_exhaustive()
    }
}

impl Wifi {
    /// What stands in the code by which a phone joins the network (the form that Android and iOS read).
    #[must_use]
    pub fn join_text(&self) -> String {
        let plain = |text: &str| {
            let special = |c: char| matches!(c, '\\' | ';' | ',' | ':' | '"');
            text.chars().fold(String::new(), |mut out, c| {
                if special(c) {
                    out.push('\\');
                }
                out.push(c);
                out
            })
        };
        if self.password.is_empty() {
            format!("WIFI:T:nopass;S:{};;", plain(&self.ssid))
        } else {
            format!("WIFI:T:WPA;S:{};P:{};;", plain(&self.ssid), plain(&self.password))
        }
    }
}

store::text_enum! {
    /// Where somebody is joined to a phone.
    #[derive(utoipa::ToSchema)]
    #[schema(as = EnrolmentDoor)]
    pub enum Door {
        /// At a machine, with the card in it.
        #[schema(rename = "kiosk")]
        Kiosk = "kiosk",
        /// With staff: at the desk, or at the end of a consultation.
        #[schema(rename = "desk")]
        Desk = "desk",
    }
}

store::text_enum! {
    /// Where an enrolment stands.
    #[derive(utoipa::ToSchema)]
    #[schema(as = EnrolmentState)]
    pub enum Stage {
        /// Nobody has scanned yet.
        #[schema(rename = "open")]
        Open = "open",
        /// One account has scanned, and has to confirm the patient's name.
        #[schema(rename = "claimed")]
        Claimed = "claimed",
        /// Bound.
        #[schema(rename = "bound")]
        Bound = "bound",
        /// Ended by staff, or after too many wrong names.
        #[schema(rename = "ended")]
        Ended = "ended",
    }
}

/// Somebody who is to be bound to whoever scans first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// Who is to be bound.
    pub person: PersonId,
    /// Its code.
    pub code: CodeId,
    /// Where.
    pub door: Door,
    /// Whether a relative holds the phone: then the name is always asked for.
    pub proxy: bool,
    /// The version of the consent that was shown before.
    pub consent_version: String,
    /// Who began it: a member of staff, a machine.
    pub started_by: String,
    /// Until when it can be scanned, and then confirmed.
    pub expires_at: UnixMs,
    /// Where it stands.
    pub stage: Stage,
    /// Who has scanned.
    pub account: Option<AccountId>,
    /// When they were bound.
    pub bound_at: Option<UnixMs>,
    /// How often another name was given.
    pub wrong: i64,
}

impl FromRow for Enrolment {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            person: row.get("person_id")?,
            code: row.get("code_id")?,
            door: row.get("door")?,
            proxy: row.get("proxy")?,
            consent_version: row.get("consent_version")?,
            started_by: row.get("started_by")?,
            expires_at: row.get("expires_at")?,
            stage: row.get("state")?,
            account: row.get("account_id")?,
            bound_at: row.get("bound_at")?,
            wrong: row.get("wrong")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_as_phones_read_it() {
        let wifi =
            |ssid: &str, password: &str| Wifi { ssid: ssid.into(), password: password.into() }.join_text();
        assert_eq!(wifi("杏林医院", "a;b:c\\"), "WIFI:T:WPA;S:杏林医院;P:a\\;b\\:c\\\\;;");
        assert_eq!(wifi("Guest", ""), "WIFI:T:nopass;S:Guest;;");
        let shown = format!("{:?}", Wifi { ssid: "G".into(), password: "secret".into() });
        assert!(!shown.contains("secret"));
    }
}
