//! Refusals in words.

use base::{Fen, Kind, Problem};

fn conflict(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem::new(Kind::Conflict, code, zh, en)
}

/// There is nothing to be paid for it, or not any more.
pub(crate) fn nothing_to_pay() -> Problem {
    conflict(
        "nothing_to_pay",
        "这一项不需要支付，或者已经失效。",
        "There is nothing to pay for this, or it is no longer valid.",
    )
}

/// It is paid.
pub(crate) fn already_paid() -> Problem {
    conflict("already_paid", "已经支付过了，不用再付。", "This has been paid already.")
}

/// It can't be paid online: it is held for nobody.
pub(crate) fn desk_only() -> Problem {
    conflict("desk_only", "这一项请到窗口缴费。", "Please pay for this at the counter.")
}

/// The hospital does not offer this way.
pub(crate) fn way_not_offered() -> Problem {
    conflict(
        "way_not_offered",
        "医院暂时不支持这种支付方式。",
        "The hospital does not offer this way of paying at the moment.",
    )
}

/// WeChat Pay needs WeChat.
pub(crate) fn wechat_needed() -> Problem {
    conflict(
        "wechat_needed",
        "请在微信里打开本页，再用微信支付。",
        "Please open this page in WeChat to pay with WeChat Pay.",
    )
}

/// The platform refused the order, and will again.
pub(crate) fn refused_by_platform() -> Problem {
    Problem::new(
        Kind::Upstream,
        "payment_refused",
        "支付平台没有接受这笔订单，请换一种方式，或到窗口缴费。",
        "The payment platform did not accept this order. Please use another way, or pay at the counter.",
    )
}

/// It is not known what became of the call.
pub(crate) fn platform_unclear() -> Problem {
    Problem::new(
        Kind::Upstream,
        "payment_unclear",
        "支付平台暂时没有回应，请稍后再试，不会重复扣款。",
        "The payment platform is not answering right now. Please try again in a moment; you will not be charged twice.",
    )
}

/// The insurance said no, in words of its own.
pub(crate) fn insurance_refused() -> Problem {
    Problem::new(
        Kind::Upstream,
        "insurance_refused",
        "医保没有通过这笔结算，可以改用自费支付，或到窗口办理。",
        "Medical insurance did not accept this. You can pay without insurance, or come to the counter.",
    )
}

/// The credential is another person's.
pub(crate) fn insurance_other_person() -> Problem {
    conflict(
        "insurance_other_person",
        "授权的医保电子凭证不是这位就诊人本人的，请用本人的医保电子凭证授权，或改用自费支付。",
        "The credential is not this patient's own. Authorise with the patient's own credential, or pay without insurance.",
    )
}

/// An insured payment needs the patient's authorisation.
pub(crate) fn authorisation_needed() -> Problem {
    Problem::new(
        Kind::Invalid,
        "authorisation_needed",
        "使用医保支付需要先授权医保电子凭证。",
        "Paying with medical insurance needs the authorisation of the electronic credential first.",
    )
    .field("pay_auth_no", "required", "缺少授权编号", "the authorisation number is missing")
}

/// More than is left of the payment.
pub(crate) fn refund_too_much(left: Fen) -> Problem {
    conflict(
        "refund_too_much",
        format!("最多还能退 {left}。"),
        format!("At most {left} can still be refunded."),
    )
    .with("left_fen", left.0)
}

/// Only what was paid goes back.
pub(crate) fn not_refundable() -> Problem {
    conflict(
        "not_refundable",
        "这笔支付还没有到账，不能退款。",
        "This payment has not come in, so it can't be refunded.",
    )
}

/// Insurance returns all of its part or nothing.
pub(crate) fn insured_whole() -> Problem {
    conflict(
        "insured_whole",
        "医保结算不支持部分退费，请退全部金额。",
        "A payment with medical insurance can only be refunded in full.",
    )
}

/// It was decided already.
pub(crate) fn already_decided() -> Problem {
    conflict("already_decided", "这笔退款已经处理过了。", "This refund has been decided already.")
}

/// Nobody approves what they asked for.
pub(crate) fn second_person() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "second_person_needed",
        "需要另一位同事审批。",
        "Another colleague has to approve this.",
    )
}

/// A cashier needs a shift.
pub(crate) fn no_shift() -> Problem {
    conflict(
        "no_shift",
        "请先开班，再收款或退款。",
        "Please open your shift before taking or giving back money.",
    )
}

/// A cashier has one drawer.
pub(crate) fn shift_open() -> Problem {
    conflict("shift_open", "您已经开班了。", "Your shift is open already.")
}

/// A drawer that differs is explained.
pub(crate) fn difference_unexplained() -> Problem {
    Problem::new(
        Kind::Invalid,
        "difference_unexplained",
        "实点金额与应有金额不符，请写明情况。",
        "The count differs from what should be there. Please say what happened.",
    )
    .field("note", "required", "请写明差额情况", "say what happened")
}

/// An amount that is none.
pub(crate) fn amount_invalid(field: &'static str) -> Problem {
    Problem::new(
        Kind::Invalid,
        "amount_invalid",
        "金额不对，请检查。",
        "The amount is not valid. Please check it.",
    )
    .field(field, "amount_invalid", "金额不对", "not a valid amount")
}

/// A text that is too long or missing.
pub(crate) fn text_length(field: &'static str, most: usize) -> Problem {
    Problem::new(
        Kind::Invalid,
        "text_length",
        format!("请填写 1 到 {most} 个字。"),
        format!("Please write 1 to {most} characters."),
    )
    .field(field, "text_length", format!("1 到 {most} 个字"), format!("1 to {most} characters"))
}

/// A way that is not for this.
pub(crate) fn way_invalid() -> Problem {
    Problem::new(Kind::Invalid, "way_invalid", "支付方式不对。", "This way of paying can't be used here.")
        .field("way", "way_invalid", "支付方式不对", "can't be used here")
}

/// Days that are not in order, or too many.
pub(crate) fn range_invalid() -> Problem {
    Problem::new(
        Kind::Invalid,
        "range_invalid",
        "日期范围不对，最多可查 93 天。",
        "These days can't be shown: at most 93, the first one first.",
    )
    .field("to", "range_invalid", "最多 93 天", "at most 93 days")
}
