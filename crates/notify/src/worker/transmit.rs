//! Step two: send. Nothing is written here.

use std::time::Duration;

use store::fault::{self, Point};

use super::parcel::Parcel;
use super::prepare::{Attempt, Mode};
use crate::rules::{self, Outcome, Why};
use crate::sms::{Asked, Sms, Vendor};

/// Well within the lease: the outcome must be written down before another worker takes over.
const LONGEST: Duration = Duration::from_secs(45);

/// Sends an attempt's parcel, or asks what became of it.
pub async fn transmit(attempt: &Attempt) -> Outcome {
    let sending = async {
        match &attempt.parcel {
            Parcel::No(outcome) => outcome.clone(),
            Parcel::Template(client, message) => {
                fault::pass(Point::TemplateBefore);
                let answer = client.send_template(message).await;
                fault::pass(Point::TemplateAfter);
                match answer {
                    Ok(msgid) => Outcome::Accepted { platform_id: Some(msgid.to_string()) },
                    Err(error) => rules::wechat(&error),
                }
            }
            Parcel::Custom(client, openid, message) => {
                fault::pass(Point::ChatBefore);
                let answer = client.send_custom(openid, message, None).await;
                fault::pass(Point::ChatAfter);
                match answer {
                    Ok(()) => Outcome::Accepted { platform_id: None },
                    Err(error) => rules::wechat(&error),
                }
            }
            Parcel::Sms(vendor, sms) => by_sms(attempt, vendor, sms).await,
        }
    };
    let late = |_| Outcome::Unclear(Why::new("time_out", "no outcome in time"));
    tokio::time::timeout(LONGEST, sending).await.unwrap_or_else(late)
}

async fn by_sms(attempt: &Attempt, vendor: &Vendor, sms: &Sms) -> Outcome {
    if attempt.mode == Mode::Send {
        fault::pass(Point::SmsBefore);
        let outcome = vendor.send(sms).await;
        fault::pass(Point::SmsAfter);
        return outcome;
    }
    match (vendor.ask(sms.out_id).await, attempt.mode) {
        (Asked::Known(Outcome::Accepted { .. }), Mode::Ask) => Outcome::NoNews,
        (Asked::Known(outcome), _) => outcome,
        (Asked::Failed(_) | Asked::NotThere, Mode::Ask) => Outcome::NoNews,
        (Asked::Failed(why), _) => Outcome::Unclear(why),
        (Asked::NotThere, _) if !attempt.in_time => Outcome::TooLate,
        (Asked::NotThere, _) => vendor.send(sms).await,
    }
}
