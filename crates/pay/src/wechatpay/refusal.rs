//! What an answer that is not a success means for money.

use serde::Deserialize;

use crate::outcome::{Doubt, Refusal, Retry, Why};

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    code: String,
    message: String,
}

/// Sorts an answer outside 2xx. Its body decides about trying again at most, never about money.
pub(crate) fn classify(status: u16, body: &[u8], request_id: Option<String>) -> Result<Refusal, Doubt> {
    let ErrorBody { code, message } = serde_json::from_slice(body).unwrap_or_default();
    let trouble = status >= 500
        || status == 429
        || status < 400
        || matches!(
            code.as_str(),
            "SYSTEM_ERROR" | "SYSTEMERROR" | "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" | "BIZERR_NEED_RETRY"
        )
        // Somebody between us, not WeChat: a 4xx of WeChat's has a code.
        || code.is_empty();
    if trouble {
        let why = Why::Trouble { status, code };
        return Err(Doubt { why, retry: Retry::QueryThenSame, request_id });
    }
    Ok(Refusal { retry: retry(&code), code, message, status, request_id })
}

fn retry(code: &str) -> Retry {
    match code {
        "ORDER_CLOSED" | "ORDERCLOSED" => Retry::NewNumber,
        // That number is known over there, or paid already: look before anything else.
        "OUT_TRADE_NO_USED" | "ORDERPAID" | "ORDER_PAID" | "ALREADY_EXISTS" | "USERPAYING" => {
            Retry::QueryThenSame
        }
        // Top up or wait, then the same request.
        "NOT_ENOUGH" | "RULE_LIMIT" | "STATEMENT_CREATING" => Retry::SameNumber,
        // A refund that was not found may be sent again under its number.
        "ORDER_NOT_EXIST" | "RESOURCE_NOT_EXISTS" => Retry::SameNumber,
        _ => Retry::Never,
    }
}

impl Refusal {
    /// WeChat says that the order is paid already: query it and treat it as paid.
    #[must_use]
    pub fn is_paid_already(&self) -> bool {
        matches!(self.code.as_str(), "ORDERPAID" | "ORDER_PAID")
    }

    /// WeChat knows no such order or refund. Right after placing that may be lag.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.code.as_str(), "ORDER_NOT_EXIST" | "RESOURCE_NOT_EXISTS")
    }
}
