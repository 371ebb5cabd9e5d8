//! The patient allows the use of the electronic credential: sent to the region's page, back with a code, and the code is worth an
//! authorisation if it is the patient's own.

use std::time::Duration;

use base::Problem;
use edge::{Account, Hospital};
use pay::insurance::NotAuthorised;
use store::vault::Purpose;

use crate::merchants::{Line, Merchant};
use crate::model::{ChargeState, Way};
use crate::store::{charge as charges, payment as payments};
use crate::{BillingDeps, checkout, insurance, problems};

const PATIENCE: Duration = Duration::from_secs(8);

/// Where the patient's phone is sent, and comes back from to `path` of our pages with `authCode` in its query. `None` where the region
/// has its own way to authorise.
///
/// # Errors
/// 409 `way_not_offered`; 404 for a path that is none of ours.
pub(crate) fn page(
    deps: &BillingDeps,
    hospital: &Hospital,
    path: &str,
) -> std::result::Result<Option<String>, Problem> {
    insurance::offered(deps, hospital)?;
    // Only our own pages: nobody is sent elsewhere by a link of ours.
    let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r', '#']);
    if !ours || path.len() > 200 {
        return Err(Problem::not_found());
    }
    let bureau = insurance::bureau(deps, hospital.id).ok_or_else(problems::way_not_offered)?;
    let Line::Insurance(bureau) = &bureau.line else { return Err(problems::way_not_offered()) };
    let Some((portal, _)) = &bureau.portal else { return Ok(None) };
    let back = format!("{}{path}", deps.public_url.trim_end_matches('/'));
    portal.page(&back).map(Some).map_err(|_| Problem::internal())
}

/// What a code is worth. When the attempt that it belongs to is begun already, that one's authorisation: codes are good once.
///
/// # Errors
/// 404 when there is no such thing for this account; 409 `insurance_other_person`; 422 `authorisation_needed` when the code is worth
/// nothing; 502 `payment_unclear`.
pub(crate) async fn by_code(
    deps: &BillingDeps,
    who: &Account,
    merchant: &Merchant,
    subject: &str,
    code: &str,
) -> std::result::Result<Option<String>, Problem> {
    if code.is_empty() || code.len() > 200 {
        return Err(problems::authorisation_needed());
    }
    let hospital = &who.caller.hospital;
    let payable = deps.payables.of_subject(subject).ok_or_else(Problem::not_found)?;
    let mut tx = deps.db.begin().await?;
    let bill = payable.bill(&mut tx, hospital, subject, Some(who.id)).await?;
    let charge = charges::of_subject(&mut tx, hospital.id, payable.kind(), subject).await?;
    let begun = match &charge {
        Some(charge) => checkout::open_attempt(&mut tx, charge, Way::Insurance, who).await?,
        None => None,
    };
    tx.rollback().await?;
    if let Some(begun) = begun
        && let Some(insured) = payments::insured(&deps.db, hospital.id, begun.id).await?
    {
        let open =
            deps.vault.open_sealed(hospital.id, insurance::AUTH, &insured.pay_auth_no, Purpose::Export)?;
        return Ok(Some(open));
    }
    // Nothing to pay: whoever begins is told why, and the code stays good.
    let settled = charge.is_some_and(|charge| charge.state == ChargeState::Settled);
    let Some(bill) = bill.filter(|_| !settled) else { return Ok(Some("unused".to_owned())) };
    let person = bill.person;
    let openid =
        checkout::openid(deps, who, merchant, Way::Insurance).await?.ok_or_else(problems::wechat_needed)?;
    let bureau = insurance::bureau(deps, hospital.id).ok_or_else(problems::way_not_offered)?;
    let Line::Insurance(bureau) = &bureau.line else { return Err(problems::way_not_offered()) };
    let Some((portal, http)) = &bureau.portal else { return Err(problems::authorisation_needed()) };
    let authorised = match portal.ask(http, deps.db.now(), code, &openid, PATIENCE).await {
        Ok(authorised) => authorised,
        Err(NotAuthorised::Refused(why)) => {
            tracing::warn!(why, "an authorisation code is worth nothing");
            return Err(problems::authorisation_needed());
        }
        Err(NotAuthorised::Unknown(why)) => {
            tracing::warn!(why, "it is not known what an authorisation code is worth");
            return Err(problems::platform_unclear());
        }
    };
    let by = who.id.to_string();
    let identity =
        people::identity::of_person(&deps.db, &deps.vault, hospital.id, person, &by, Purpose::Export).await?;
    let identity = identity.ok_or_else(problems::insurance_refused)?;
    if !identity.number.expose().eq_ignore_ascii_case(authorised.user_card_no.reveal()) {
        return Err(problems::insurance_other_person());
    }
    Ok(Some(authorised.pay_auth_no.reveal().to_owned()))
}
