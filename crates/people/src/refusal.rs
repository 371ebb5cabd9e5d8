//! What people are told when something can't be done.

use ::store::StoreError;
use base::{Kind, Problem};

use crate::documents::Fault;

/// Why a request was refused. Its [`Problem`] has a stable code and a sentence in both languages.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// 422 `name_invalid`
    #[error("no real name")]
    Name,
    /// 422 `document_invalid` with `reason`
    #[error("no document number: {0:?}")]
    Document(Fault),
    /// 422 `country_invalid`: a passport without its country.
    #[error("no country")]
    Country,
    /// 422 `birth_date_invalid`: missing where the document does not tell it, or not a date that has been.
    #[error("no birth date")]
    BirthDate,
    /// 422 `sex_missing`: missing where the document does not tell it.
    #[error("no sex")]
    Sex,
    /// 422 `phone_invalid`
    #[error("no mobile number")]
    Phone,
    /// 422 `consent_required`, with the version that is in force.
    #[error("consent is missing or to another version")]
    Consent(String),
    /// 422 `guardian_consent_required`: for a child under 14 the guardian agrees separately.
    #[error("the guardian's consent is missing")]
    GuardianConsent,
    /// 409 `guardian_too_young`: a minor's guardian must be of age, and a child under 14 can't hold an account.
    #[error("the guardian is a minor")]
    GuardianTooYoung,
    /// 422 `code_wrong` with `tries_left`
    #[error("wrong code")]
    CodeWrong(u32),
    /// 410 `code_expired`: over, used, or never sent.
    #[error("no code that holds")]
    CodeExpired,
    /// 429 `too_many_tries` with `retry_after_s`
    #[error("too many tries")]
    TooManyTries(u32),
    /// 429 `sms_too_soon` with `retry_after_s`
    #[error("the next code is not due")]
    SmsTooSoon(u32),
    /// 429 `sms_limit` with `retry_after_s`
    #[error("too many codes")]
    SmsLimit(u32),
    /// 409 `person_limit` with `limit`
    #[error("too many persons")]
    PersonLimit(u32),
    /// 409 `self_taken`: the account's holder is one person.
    #[error("there is a holder already")]
    SelfTaken,
    /// 409 `already_bound`
    #[error("bound already")]
    AlreadyBound,
    /// 409 `document_taken`: on file with other details. Which, nobody learns.
    #[error("on file with other details")]
    DocumentTaken,
    /// 404 `no_match`
    #[error("nobody matches")]
    NoMatch,
    /// 409 `document_needed`: several persons have this name and phone.
    #[error("several match")]
    DocumentNeeded,
    /// 409 `has_appointments` with `count`
    #[error("appointments are to come")]
    HasAppointments(u32),
    /// 422 `card_invalid`
    #[error("no card number")]
    CardNumber,
    /// 409 `card_taken`: on file for somebody else.
    #[error("bound elsewhere")]
    CardTaken,
    /// 409 `card_of_another`: its number is not this person's.
    #[error("another person's card")]
    CardOfAnother,
    /// 409 `adult_number`: a child is registered with a card or document of its own.
    #[error("an adult's number for a child")]
    AdultNumber,
    /// 422 `identifier_missing`: by the name alone nobody is known again.
    #[error("nothing to know them by")]
    Unidentified,
    /// 409 `guardians_full` with `limit`
    #[error("as many guardians as there can be")]
    GuardiansFull(u32),
    /// 404: not there, or not this account's.
    #[error("not found")]
    NotFound,
    /// 401: the session's account is not there any more.
    #[error("signed out")]
    SignedOut,
    /// 503: another request was in the way; the same one may be sent again.
    #[error("another request was in the way")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// The field of the request that is at fault, if it is one.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::Name => "name",
            Self::Document(_) => "document.number",
            Self::Country => "document.country",
            Self::BirthDate => "birth_date",
            Self::Sex => "sex",
            Self::Phone => "phone",
            Self::Consent(_) => "consent_version",
            Self::GuardianConsent => "guardian_consent",
            Self::CodeWrong(_) | Self::CodeExpired => "code",
            Self::SelfTaken => "relation",
            Self::CardNumber | Self::CardTaken | Self::CardOfAnother => "number",
            _ => return None,
        })
    }

    /// One problem for all that is wrong with a request: the first gives it its code, all of them their fields.
    #[must_use]
    pub fn all(refusals: Vec<Self>) -> Option<Problem> {
        let mut problems = refusals.into_iter().map(Problem::from);
        let mut first = problems.next()?;
        for problem in problems {
            first.fields.extend(problem.fields);
        }
        Some(first)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        if fault == Fault::Country { Self::Country } else { Self::Document(fault) }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let field = refusal.field();
        let problem = match refusal {
            Refusal::Store(error) => return error.into(),
            Refusal::Busy => return Self::unavailable(1),
            Refusal::NotFound => return Self::not_found(),
            Refusal::SignedOut => return Self::sign_in(),
            other => told(&other),
        };
        at(field, problem)
    }
}

/// Names the field at fault, where there is one, with the problem's own code and words.
pub(crate) fn at(field: Option<&'static str>, problem: Problem) -> Problem {
    let Some(field) = field else { return problem };
    let (code, detail) = (problem.code, problem.detail.clone());
    problem.field(field, code, detail.zh, detail.en)
}

fn told(refusal: &Refusal) -> Problem {
    let invalid = |code, zh: &str, en: &str| Problem::new(Kind::Invalid, code, zh, en);
    let conflict = |code, zh: &str, en: &str| Problem::new(Kind::Conflict, code, zh, en);
    match refusal {
        Refusal::Name => invalid(
            "name_invalid",
            "请填写证件上的真实姓名。",
            "Please enter the full name as it stands on the ID document.",
        ),
        Refusal::Document(fault) => document(*fault),
        Refusal::Country => invalid(
            "country_invalid",
            "请填写护照上的三位国家或地区代码，例如 FRA。",
            "Please enter the three-letter country code on the passport, such as FRA.",
        ),
        Refusal::BirthDate => {
            invalid("birth_date_invalid", "请填写正确的出生日期。", "Please enter the date of birth.")
        }
        Refusal::Sex => invalid("sex_missing", "请选择性别。", "Please choose the sex."),
        Refusal::Phone => invalid(
            "phone_invalid",
            "请填写 11 位的中国大陆手机号。",
            "Please enter an 11-digit mobile number of mainland China.",
        ),
        Refusal::Consent(version) => invalid(
            "consent_required",
            "请先阅读并同意个人信息的使用说明。",
            "Please read and agree to the use of these details first.",
        )
        .with("consent_version", version.clone()),
        Refusal::GuardianConsent => invalid(
            "guardian_consent_required",
            "未满 14 周岁的儿童，需要监护人单独同意使用其个人信息。",
            "For a child under 14 a parent or guardian has to agree separately to the use of the child's details.",
        ),
        Refusal::GuardianTooYoung => conflict(
            "guardian_too_young",
            "未成年人请由年满 18 周岁的家长或监护人添加。",
            "A minor has to be added by a parent or guardian who is 18 or older.",
        ),
        Refusal::CodeWrong(left) => invalid(
            "code_wrong",
            "验证码不对，请再看一下短信。",
            "That code is not right. Please look at the message again.",
        )
        .with("tries_left", *left),
        Refusal::CodeExpired => Problem::new(
            Kind::Gone,
            "code_expired",
            "验证码已失效，请重新获取。",
            "This code is no longer valid. Please ask for a new one.",
        ),
        Refusal::TooManyTries(wait) => Problem::new(
            Kind::TooMany,
            "too_many_tries",
            "尝试次数过多，请稍后再试，或到医院窗口办理。",
            "Too many tries. Please try again later, or visit the hospital's service desk.",
        )
        .with("retry_after_s", *wait),
        Refusal::SmsTooSoon(wait) => Problem::new(
            Kind::TooMany,
            "sms_too_soon",
            "验证码刚刚已发出，请稍等再获取。",
            "A code was sent a moment ago. Please wait before asking for another.",
        )
        .with("retry_after_s", *wait),
        Refusal::SmsLimit(wait) => Problem::new(
            Kind::TooMany,
            "sms_limit",
            "获取验证码的次数过多，请稍后再试，或致电医院。",
            "Too many codes were asked for. Please try again later, or call the hospital.",
        )
        .with("retry_after_s", *wait),
        Refusal::PersonLimit(limit) => conflict(
            "person_limit",
            "就诊人数量已达上限，请先解绑一位。",
            "You have as many patients as there can be. Please unlink one first.",
        )
        .with("limit", *limit),
        Refusal::SelfTaken => conflict(
            "self_taken",
            "名单里已经有“本人”了，请选择其他关系。",
            "Your list has you on it already. Please choose another relation.",
        ),
        Refusal::AlreadyBound => conflict(
            "already_bound",
            "这位就诊人已经在您的名单里了。",
            "This patient is already on your list.",
        ),
        Refusal::DocumentTaken => conflict(
            "document_taken",
            "这些信息无法在线核对，请携带证件到医院窗口办理。",
            "These details can't be confirmed online. Please bring the document to the hospital's service desk.",
        ),
        Refusal::NoMatch => Problem::new(
            Kind::NotFound,
            "no_match",
            "没有找到与姓名和手机号都相符的档案。请检查后再试，或直接添加就诊人。",
            "No record matches both this name and this phone. Please check them, or add the patient instead.",
        ),
        Refusal::DocumentNeeded => conflict(
            "document_needed",
            "有多份档案与姓名和手机号相符，请用证件号码确认。",
            "More than one record matches. Please confirm with the ID document.",
        ),
        Refusal::HasAppointments(count) => conflict(
            "has_appointments",
            "这位就诊人还有未就诊的预约。解绑后预约仍然有效。",
            "This patient still has appointments. They stay valid after unlinking.",
        )
        .with("count", *count),
        Refusal::CardNumber => invalid(
            "card_invalid",
            "卡号不对，请照卡面上的号码填写。",
            "This is not a card number. Please enter it as it stands on the card.",
        ),
        Refusal::CardTaken => conflict(
            "card_taken",
            "这张卡已登记在另一位就诊人名下。如有疑问，请携带卡片到医院窗口办理。",
            "This card is registered for another patient. If that is wrong, please bring it to the hospital's service desk.",
        ),
        Refusal::CardOfAnother => conflict(
            "card_of_another",
            "这张卡上的号码与就诊人的证件不一致，请核对是不是本人的卡。",
            "The number on this card is not the one of the patient's ID document. Please check whose card it is.",
        ),
        Refusal::AdultNumber => conflict(
            "adult_number",
            "这是成年人的号码。请用孩子自己的医保卡（社保卡）登记；还没有卡的，用出生医学证明。",
            "This number belongs to an adult. Please register the child with its own insurance card, or with the birth certificate if there is no card yet.",
        ),
        Refusal::Unidentified => invalid(
            "identifier_missing",
            "请至少填写证件、手机号或就诊卡号中的一项。",
            "Please give at least one of document, phone and visit card.",
        ),
        Refusal::GuardiansFull(limit) => conflict(
            "guardians_full",
            "这个孩子已经有监护人绑定，人数已达上限。请先由其中一位解绑，或到医院窗口办理。",
            "This child is linked to as many guardians as there can be. Please have one of them unlink first, or visit the service desk.",
        )
        .with("limit", *limit),
        Refusal::Busy | Refusal::NotFound | Refusal::SignedOut | Refusal::Store(_) => Problem::internal(),
    }
}

fn document(fault: Fault) -> Problem {
    let (zh, en) = match fault {
        Fault::Length => {
            ("证件号码的长度不对，请检查。", "The document number has the wrong length. Please check it.")
        }
        Fault::Format | Fault::Country => {
            ("证件号码的格式不对，请检查。", "The document number does not look right. Please check it.")
        }
        Fault::Region => (
            "证件号码开头的两位不对，请检查。",
            "The first two digits of the number are not right. Please check them.",
        ),
        Fault::NotADate | Fault::TooOld | Fault::InFuture => (
            "证件号码中的出生日期不对，请检查。",
            "The date of birth in the number is not right. Please check it.",
        ),
        Fault::Checksum => (
            "证件号码有误，可能有一位写错了，请检查。",
            "One character of the number seems to be wrong. Please check it.",
        ),
    };
    Problem::new(Kind::Invalid, "document_invalid", zh, en).with("reason", fault.reason())
}

#[cfg(test)]
mod tests {
    use base::Lang;

    use super::*;

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let problem =
            Refusal::all(vec![Refusal::Name, Refusal::Document(Fault::Checksum), Refusal::Phone]).unwrap();
        assert_eq!(problem.code, "name_invalid");
        let fields: Vec<_> = problem.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["name", "document.number", "phone"]);
        assert_eq!(Refusal::all(Vec::new()), None);
    }

    #[test]
    fn figures_and_reasons_are_in_the_body() {
        let body = Problem::from(Refusal::CodeWrong(3)).body(Lang::En, "r");
        assert_eq!((&body["tries_left"], &body["status"]), (&3.into(), &422.into()));
        let body = Problem::from(Refusal::Document(Fault::InFuture)).body(Lang::Zh, "r");
        assert_eq!(body["reason"], "birth_date");
        assert_eq!(Problem::from(Refusal::SmsLimit(9)).body(Lang::En, "r")["retry_after_s"], 9);
        assert_eq!(Problem::from(Refusal::NotFound).kind.status(), 404);
    }
}
