//! Codes by SMS: a phone is proven by typing what was sent to it.
//!
//! Whether a phone is known here never shows: a code is sent to every mobile number alike. What keeps strangers from being
//! bombed and the hospital from paying for it are counts in the database: by phone, by address, by account, and in all.
//! A code is six digits, kept as a keyed hash only; it holds for five minutes and five tries, of which each is counted
//! before it is compared.

use std::time::Duration;

use ::store::{Db, StoreError, Tx, Vault};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base::Lang;
use edge::{AccountId, Hospital};

use crate::cover;
use crate::documents::{self, Mobile};
use crate::model::{CodePurpose, SendCode};
use crate::refusal::Refusal;
use crate::settings::CodeRules;
use crate::store::{CODE, code};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// How long a code is remembered after it was used, so that a request that comes again is known for what it is.
pub(crate) const KEPT: Duration = DAY;

/// What a code was sent or is tried for.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The phone that is to be proven.
    pub phone: &'a Mobile,
    /// What for.
    pub purpose: CodePurpose,
    /// Who asks, when somebody has signed in. The code is worth nothing for others.
    pub account: Option<AccountId>,
    /// From which address.
    pub source: &'a str,
}

/// A code that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The next one may be asked for after so many seconds.
    pub resend_after_s: u32,
    /// It holds for so many seconds.
    pub expires_in_s: u32,
}

/// A code that was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Right {
    id: String,
    /// What it was used for before, if it was: then this is the same request come again, or a misuse.
    pub(crate) used_for: Option<String>,
}

/// Sends a code.
///
/// # Errors
/// [`Refusal::SmsTooSoon`], [`Refusal::SmsLimit`].
pub async fn send(
    db: &Db,
    vault: &Vault,
    sender: &dyn SendCode,
    hospital: &Hospital,
    ask: &Ask<'_>,
    lang: Lang,
) -> Result<Sent, Refusal> {
    let h = hospital.id;
    let rules: CodeRules = hospital.settings(CodeRules::SECTION);
    let key = key(vault, hospital, ask);
    let resend = Duration::from_secs(rules.resend_after_s.into());
    let per_address = if rules.shared_addresses.iter().any(|a| a == ask.source) {
        rules.per_shared_address_hour
    } else {
        rules.per_address_hour
    };
    let address = cover::source(vault, h, ask.source);
    let mut tx = db.begin().await?;
    // A refusal drops the transaction, so that what was refused counts nowhere.
    if let Some(wait) = over(&mut tx, hospital, "sms.pause", &key.phone_blind, resend, 1).await? {
        return Err(Refusal::SmsTooSoon(wait));
    }
    let mut counts = vec![
        ("sms.phone", key.phone_blind.as_str(), DAY, rules.per_phone_day),
        ("sms.address", address.as_str(), HOUR, per_address),
    ];
    if !key.account.is_empty() {
        counts.push(("sms.account", key.account.as_str(), DAY, rules.per_account_day));
    }
    // One row that all share comes last, so that it is held for the shortest time.
    counts.push(("sms.all", "", DAY, rules.per_day));
    for (scope, who, window, most) in counts {
        if let Some(wait) = over(&mut tx, hospital, scope, who, window, most).await? {
            metrics::counter!("people_sms_refused", "scope" => scope).increment(1);
            return Err(Refusal::SmsLimit(wait));
        }
    }
    let digits = six_digits()?;
    let id = base::id::Uuid::now_v7().simple().to_string();
    let valid = Duration::from_secs(rules.valid_s.into());
    code::add(&mut tx, h, &id, &key, &hash(vault, hospital, &id, &digits), valid).await?;
    sender.send_code(&mut tx, hospital, ask.phone.digits(), &digits, lang, ask.purpose).await?;
    tx.commit().await?;
    metrics::counter!("people_sms_codes", "purpose" => ask.purpose.code()).increment(1);
    Ok(Sent { resend_after_s: rules.resend_after_s, expires_in_s: rules.valid_s })
}

/// Tries a code. That it was tried stays counted whatever becomes of the request. The code is not used up: see [`use_up`].
///
/// # Errors
/// [`Refusal::CodeWrong`], [`Refusal::CodeExpired`], [`Refusal::TooManyTries`].
pub(crate) async fn check(
    db: &Db,
    vault: &Vault,
    hospital: &Hospital,
    ask: &Ask<'_>,
    typed: &str,
) -> Result<Right, Refusal> {
    let rules: CodeRules = hospital.settings(CodeRules::SECTION);
    let key = key(vault, hospital, ask);
    let mut tx = db.begin().await?;
    let tried = code::count_try(&mut tx, hospital.id, &key, rules.tries).await?;
    let newest = code::newest(&mut tx, hospital.id, &key).await?;
    tx.commit().await?;
    let now = db.now();
    let wait = |sent: base::UnixMs| {
        let due = sent.plus(Duration::from_secs(rules.resend_after_s.into()));
        seconds(due.since(now))
    };
    let Some(tried) = tried else {
        return Err(match newest {
            Some(n) if n.expires_at > now && n.tries >= i64::from(rules.tries) => {
                Refusal::TooManyTries(wait(n.sent_at))
            }
            _ => Refusal::CodeExpired,
        });
    };
    let want = hash(vault, hospital, &tried.id, &documents::normalise(typed));
    if verify_slices_are_equal(want.as_bytes(), tried.hash.as_bytes()).is_ok() {
        return Ok(Right { id: tried.id, used_for: tried.used_for });
    }
    let left = i64::from(rules.tries).saturating_sub(tried.tries);
    match (u32::try_from(left), newest) {
        (Ok(0) | Err(_), Some(n)) => Err(Refusal::TooManyTries(wait(n.sent_at))),
        (Ok(left), _) => Err(Refusal::CodeWrong(left)),
        (Err(_), None) => Err(Refusal::CodeExpired),
    }
}

/// Uses a code up, together with what it was typed for. `used_for` is the id of that, for a request that comes again.
///
/// # Errors
/// [`Refusal::CodeExpired`] when it was used meanwhile.
pub(crate) async fn use_up(
    tx: &mut Tx,
    hospital: &Hospital,
    right: &Right,
    used_for: &str,
) -> Result<(), Refusal> {
    if code::use_up(tx, hospital.id, &right.id, used_for).await? { Ok(()) } else { Err(Refusal::CodeExpired) }
}

/// Counts one more; gives the seconds to wait when there may be no more.
pub(crate) async fn over(
    tx: &mut Tx,
    hospital: &Hospital,
    scope: &'static str,
    who: &str,
    window: Duration,
    most: u32,
) -> Result<Option<u32>, StoreError> {
    if most > 0 && code::count(tx, hospital.id, scope, who, window, most).await? {
        return Ok(None);
    }
    let until = code::full_until(tx, hospital.id, scope, who, most).await?;
    let now = tx.now();
    Ok(Some(until.map_or(seconds(window), |u| seconds(u.since(now)))))
}

/// Whole seconds, rounded up, at least one.
pub(crate) fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

fn key(vault: &Vault, hospital: &Hospital, ask: &Ask<'_>) -> code::Key {
    code::Key {
        phone_blind: cover::phone_blind(vault, hospital.id, ask.phone),
        purpose: ask.purpose,
        account: ask.account.map(|a| a.db()).unwrap_or_default(),
    }
}

fn hash(vault: &Vault, hospital: &Hospital, id: &str, digits: &str) -> String {
    vault.blind(hospital.id, CODE, &format!("{id}|{digits}"))
}

/// Six digits from the machine's randomness, each as likely as the other.
fn six_digits() -> Result<String, StoreError> {
    // The largest multiple of a million that four bytes hold: what lies above would favour small codes.
    const FAIR: u32 = 4_294_000_000;
    loop {
        let mut bytes = [0_u8; 4];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::Config("no random bytes".into()))?;
        let number = u32::from_be_bytes(bytes);
        if number < FAIR {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_six_digits_and_differ() {
        let codes: std::collections::HashSet<_> = (0..200).map(|_| six_digits().unwrap()).collect();
        assert!(codes.iter().all(|c| c.len() == 6 && c.bytes().all(|b| b.is_ascii_digit())));
        assert!(codes.len() > 190);
    }

    #[test]
    fn waits_are_whole_seconds() {
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::from_millis(1001)), 2);
        assert_eq!(seconds(Duration::MAX), u32::MAX);
    }
}
