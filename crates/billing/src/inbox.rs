//! What platforms tell us: proved over the raw bytes, kept, and only then acknowledged. [`crate::worker`] applies it.

use std::sync::Arc;

use base::UnixMs;
use http::HeaderMap;
use pay::{alipay, insurance, wechatpay};
use store::fault::{self, Point};
use store::{Db, Result, StoreError};

use crate::BillingDeps;
use crate::apply::{Applied, Seen, apply};
use crate::merchants::{Line, Merchant};
use crate::model::{ObservationId, Provider, ShiftId};
use crate::observation::{Observation, Source};
use crate::store::observation::{self as sql, New};

/// No notice is longer than this.
pub const MAX_BODY: usize = 128 << 10;

/// Why a notice was not taken. The platform sends it again.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No contract has this name.
    #[error("there is no such account")]
    Account,
    /// It does not prove itself, or is no notice. `probe`: WeChat's own test of whether we look.
    #[error("{why}")]
    Forged {
        /// Why, for the log.
        why: String,
        /// A test of WeChat's.
        probe: bool,
    },
    /// The database did not keep it.
    #[error(transparent)]
    NotKept(#[from] StoreError),
}

/// A notice of WeChat Pay to the contract of this name. When this returns well it is durable. Gives whether it was new.
///
/// # Errors
/// [`Refused`].
pub async fn wechatpay(
    deps: &BillingDeps,
    name: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<bool, Refused> {
    let merchant = deps.merchants.by_name(Provider::Wechatpay, name).ok_or(Refused::Account)?;
    let Line::Wechatpay(client) = &merchant.line else { return Err(Refused::Account) };
    let notice = client.receive(headers, body).await.map_err(|error| {
        use wechatpay::ReceiveError;
        use wechatpay::notice::NoticeError;
        use wechatpay::verify::VerifyError;
        let ReceiveError::Notice(notice) = &error;
        let probe = matches!(notice, NoticeError::Verify(VerifyError::Signature { probe: true, .. }));
        Refused::Forged { why: error.to_string(), probe }
    })?;
    let observation = Observation::wechat_notice(&notice, &merchant.merchant);
    Ok(keep(deps, &merchant, &format!("n:{}", notice.id), &observation, body).await?)
}

/// A notice of Alipay to the contract of this name.
///
/// # Errors
/// [`Refused`].
pub async fn alipay(deps: &BillingDeps, name: &str, body: &[u8]) -> Result<bool, Refused> {
    let merchant = deps.merchants.by_name(Provider::Alipay, name).ok_or(Refused::Account)?;
    let Line::Alipay(client) = &merchant.line else { return Err(Refused::Account) };
    let notice: pay::Verified<alipay::notice::Notice> = client
        .merchant()
        .open_notice(body)
        .map_err(|error| Refused::Forged { why: error.to_string(), probe: false })?;
    let observation = Observation::alipay_notice(&notice);
    Ok(keep(deps, &merchant, &format!("n:{}", notice.notify_id), &observation, body).await?)
}

/// A push of the insurance bureau. It is a hint: whatever it says, WeChat and the bureau are asked. Gives whether it is about an
/// order of ours.
///
/// # Errors
/// [`Refused`].
pub async fn insurance(deps: &BillingDeps, name: &str, body: &[u8]) -> Result<bool, Refused> {
    let merchant = deps.merchants.by_name(Provider::Insurance, name).ok_or(Refused::Account)?;
    let Line::Insurance(bureau) = &merchant.line else { return Err(Refused::Account) };
    let state = insurance::judge_push(&bureau.province, &bureau.key, body)
        .map_err(|error| Refused::Forged { why: error.to_string(), probe: false })?;
    let mut tx = deps.db.begin().await?;
    let asked = crate::store::payment::ask_insured(&mut tx, merchant.hospital, &state.pay_ord_id).await?;
    tx.touch(crate::wake());
    fault::pass(Point::NoticeKeepBefore);
    tx.commit().await?;
    fault::pass(Point::NoticeKeepAfter);
    Ok(asked)
}

async fn keep(
    deps: &BillingDeps,
    merchant: &Merchant,
    dedup: &str,
    observation: &Observation,
    body: &[u8],
) -> Result<bool> {
    let raw = deps.vault.seal(merchant.hospital, "observation.raw", &String::from_utf8_lossy(body))?;
    let mut tx = deps.db.begin().await?;
    let new = New {
        hospital: merchant.hospital,
        id: ObservationId::new(),
        account: Some(merchant.id),
        dedup,
        source: Source::Notice,
        observation,
        raw: Some(raw),
        applied: false,
    };
    let is_new = sql::keep(&mut tx, new).await?;
    if is_new {
        tx.touch(crate::wake());
    }
    fault::pass(Point::NoticeKeepBefore);
    tx.commit().await?;
    fault::pass(Point::NoticeKeepAfter);
    Ok(is_new)
}

/// What a platform answered to us, kept and applied in one transaction. What changes nothing leaves no row.
///
/// # Errors
/// Any [`StoreError`]; nothing of it stays then, and the platform is asked again.
pub(crate) async fn observe(
    deps: &BillingDeps,
    merchant: &Merchant,
    source: Source,
    observation: &Observation,
) -> Result<Applied> {
    let hospital = deps.hospitals.get(merchant.hospital).ok_or(StoreError::NoRow)?;
    let mut tx = deps.db.begin().await?;
    let id = ObservationId::new();
    let seen = Seen {
        hospital: &hospital,
        account: Some(merchant.id),
        contract: merchant.contract(),
        id,
        observation,
        shift: None,
        request: "",
    };
    let applied = apply(&mut tx, &deps.payables, &seen).await?;
    if applied.changed {
        // The same incident found by asking every hour is one incident.
        let dedup = if applied.incident {
            format!("i:{}:{}", observation.number, applied.outcome)
        } else {
            format!("q:{id}")
        };
        let new = New {
            hospital: merchant.hospital,
            id,
            account: Some(merchant.id),
            dedup: &dedup,
            source,
            observation,
            raw: None,
            applied: !applied.incident,
        };
        if sql::keep(&mut tx, new).await? && applied.incident {
            sql::incident(&mut tx, merchant.hospital, id, &applied.outcome).await?;
        }
    }
    fault::pass(Point::AppliedBefore);
    tx.commit().await?;
    fault::pass(Point::AppliedAfter);
    Ok(applied)
}

/// What a cashier did, kept and applied in the transaction of the deed.
pub(crate) async fn at_the_desk(
    tx: &mut store::Tx,
    deps: &BillingDeps,
    caller: &edge::Caller,
    shift: ShiftId,
    observation: &Observation,
) -> Result<Applied> {
    let id = ObservationId::new();
    let seen = Seen {
        hospital: &caller.hospital,
        account: None,
        contract: crate::rules::Contract::default(),
        id,
        observation,
        shift: Some(shift),
        request: &caller.request_id,
    };
    let new = New {
        hospital: caller.hospital.id,
        id,
        account: None,
        dedup: &format!("d:{id}"),
        source: Source::Desk,
        observation,
        raw: None,
        applied: true,
    };
    sql::keep(tx, new).await?;
    apply(tx, &deps.payables, &seen).await
}

/// How many notices wait to be applied.
///
/// # Errors
/// Any [`StoreError`].
pub async fn waiting(db: &Db) -> Result<i64> {
    sql::waiting(db).await
}

/// One turn of applying: takes a batch and works on it. Gives how many it took.
pub(crate) async fn turn(deps: &BillingDeps) -> Result<usize> {
    let mut tx = deps.db.begin().await?;
    let until = tx.now().plus(LEASE);
    let taken = sql::claim(&mut tx, until, 64).await?;
    if taken.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    tx.commit().await?;
    fault::pass(Point::NoticeTaken);
    let count = taken.len();
    let mut running = tokio::task::JoinSet::new();
    for one in taken {
        while running.len() >= SIDE_BY_SIDE {
            running.join_next().await;
        }
        let deps = deps.clone();
        running.spawn(async move {
            if let Err(error) = work_on(&deps, &one).await {
                tracing::warn!(%error, observation = %one.id, "what a platform told could not be applied; it is tried again");
                let later = deps.db.now().plus(crate::rules::after_doubt(one.attempts));
                if let Err(error) = put_back(&deps, &one, later, &error.to_string()).await {
                    tracing::warn!(%error, observation = %one.id, "it could not be put back either; its lease runs out");
                }
            }
        });
    }
    while running.join_next().await.is_some() {}
    Ok(count)
}

const LEASE: std::time::Duration = std::time::Duration::from_secs(60);
const SIDE_BY_SIDE: usize = 8;
/// After so many tries a person looks.
const TRIES: i64 = 12;

async fn work_on(deps: &BillingDeps, one: &sql::Taken) -> Result<()> {
    let merchant: Option<Arc<Merchant>> = one.account.and_then(|id| deps.merchants.get(id));
    let hospital = deps.hospitals.get(one.hospital);
    let (Some(hospital), Some(merchant)) = (hospital, merchant) else {
        return Err(StoreError::Config("the hospital or its contract is not known here".into()));
    };
    let mut tx = deps.db.begin().await?;
    let seen = Seen {
        hospital: &hospital,
        account: one.account,
        contract: merchant.contract(),
        id: one.id,
        observation: &one.observation,
        shift: None,
        request: "",
    };
    let applied = apply(&mut tx, &deps.payables, &seen).await?;
    if sql::mark(&mut tx, one, applied.incident, &applied.outcome).await? {
        fault::pass(Point::AppliedBefore);
        tx.commit().await?;
        fault::pass(Point::AppliedAfter);
    } else {
        tx.rollback().await?;
    }
    Ok(())
}

async fn put_back(deps: &BillingDeps, one: &sql::Taken, later: UnixMs, why: &str) -> Result<()> {
    let mut tx = deps.db.begin().await?;
    if one.attempts >= TRIES {
        tracing::error!(observation = %one.id, why, "what a platform told can't be applied; a person must look");
        sql::mark(&mut tx, one, true, why).await?;
    } else {
        sql::again(&mut tx, one, later, why).await?;
    }
    tx.commit().await
}
