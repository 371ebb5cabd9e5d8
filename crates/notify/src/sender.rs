//! Codes by SMS, for signing in and adding persons.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::Lang;
use edge::Hospital;
use people::CodePurpose;
use people::settings::CodeRules;
use serde::{Deserialize, Serialize};
use store::vault::Purpose;
use store::{Result, Sealed, StoreError, Tx, Vault};

use crate::api::wake;
use crate::model::{Kind, MessageId};
use crate::store::message::{self, NewMessage};

const FIELD: &str = "message.secret";

/// Sends codes: what `people` needs, done here.
#[derive(Debug, Clone)]
pub struct Sender {
    vault: Arc<Vault>,
}

/// What a message must not show in the database: sealed until it is sent, then wiped.
#[derive(Serialize, Deserialize)]
struct Content {
    phone: String,
    code: String,
    minutes: i64,
}

/// The same, opened for sending.
pub(crate) struct Opened {
    pub(crate) phone: base::Secret,
    pub(crate) data: BTreeMap<String, crate::model::Arg>,
}

impl Sender {
    /// Codes are sealed with this vault until they are sent.
    #[must_use]
    pub fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }
}

#[async_trait]
impl people::SendCode for Sender {
    async fn send_code(
        &self,
        tx: &mut Tx,
        hospital: &Hospital,
        phone: &str,
        code: &str,
        lang: Lang,
        purpose: CodePurpose,
    ) -> Result<(), StoreError> {
        // What could not be sent while the code holds is not sent.
        let valid_s = hospital.settings::<CodeRules>(CodeRules::SECTION).valid_s;
        let minutes = i64::from(valid_s.div_ceil(60));
        let content = Content { phone: phone.to_owned(), code: code.to_owned(), minutes };
        let content = serde_json::to_string(&content).map_err(|_| StoreError::Sealed("not written"))?;
        let id = MessageId::new();
        let now = tx.now();
        let new = NewMessage {
            id,
            kind: Kind::SmsCode,
            // Each code is a message of its own.
            subject: format!("{}:{}", purpose.code(), id.db()),
            account: None,
            person: None,
            lang: Some(lang),
            data: "{}".to_owned(),
            sealed: Some(self.vault.seal(hospital.id, FIELD, &content)?),
            link: String::new(),
            due: now,
            expires: now.plus(Duration::from_secs(valid_s.into())),
        };
        message::add(tx, hospital.id, new).await?;
        tx.touch(wake());
        Ok(())
    }
}

/// Opens what a message keeps sealed.
pub(crate) fn open(vault: &Vault, hospital: base::HospitalId, sealed: &Sealed) -> Result<Opened> {
    let text = vault.open_sealed(hospital, FIELD, sealed, Purpose::Notify)?;
    let content: Content =
        serde_json::from_str(&text).map_err(|_| StoreError::Sealed("not what was sealed"))?;
    let data = BTreeMap::from([
        ("code".to_owned(), content.code.into()),
        ("minutes".to_owned(), content.minutes.into()),
    ]);
    Ok(Opened { phone: base::Secret::new(content.phone), data })
}
