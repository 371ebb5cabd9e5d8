//! What people are told when a code or a joining can't be had.

use base::{Kind, Problem};
use store::StoreError;

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// 404: not there.
    #[error("not found")]
    NotFound,
    /// 422 `target_unknown`: no such doctor or department.
    #[error("no such doctor or department")]
    Target,
    /// 422 `name_invalid`: one to thirty characters in Chinese, one to sixty in English.
    #[error("no name")]
    Name,
    /// 422 `path_invalid`: not a page of ours.
    #[error("not a page of ours")]
    Path,
    /// 422 `wifi_invalid`
    #[error("no network")]
    Wifi,
    /// 410 `code_closed`
    #[error("closed")]
    Closed,
    /// 404 `code_unknown`: nothing that this hospital made.
    #[error("no code of ours")]
    Unknown,
    /// 409 `code_of_another_hospital`
    #[error("another hospital's code")]
    AnotherHospitals,
    /// 410 `code_over`: its time is over.
    #[error("over")]
    Over,
    /// 409 `code_used`: somebody else has scanned it.
    #[error("used")]
    Used,
    /// 404 `card_unknown`: nobody on file has this card.
    #[error("nobody has this card")]
    CardUnknown,
    /// 422 `other_name` with `tries_left`: not the patient's name.
    #[error("another name")]
    OtherName(u32),
    /// 422 `consent_required`: for joining with staff the consent is read out and agreed to first.
    #[error("no consent")]
    NotAgreed,
    /// 422 `words_invalid`
    #[error("no words")]
    Words,
    /// 422 `body_invalid`
    #[error("no text")]
    Body,
    /// 422 `menu_invalid` with `reason`, which names the place.
    #[error("no menu: {0}")]
    Menu(String),
    /// 409 `no_wechat`: there is no service account.
    #[error("no service account")]
    NoWechat,
    /// 503 `wechat_refused` with `reason`
    #[error("WeChat: {0}")]
    Wechat(String),
    /// What people says.
    #[error(transparent)]
    People(#[from] people::Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let new = Self::new;
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::Store(error) => error.into(),
            Refusal::People(refusal) => refusal.into(),
            Refusal::Target => invalid(
                "target_id",
                "target_unknown",
                "没有这位医生或这个科室。",
                "There is no such doctor or department.",
            ),
            Refusal::Name => invalid(
                "name",
                "name_invalid",
                "请用中文和英文各写一个名称，中文 1 到 30 个字，英文 1 到 60 个字母。",
                "Please give a name in Chinese and in English, of 1 to 30 and of 1 to 60 characters.",
            ),
            Refusal::Path => invalid(
                "path",
                "path_invalid",
                "请填写本系统的页面路径，以 / 开头。",
                "Please give the path of a page of ours, beginning with /.",
            ),
            Refusal::Wifi => invalid(
                "wifi",
                "wifi_invalid",
                "请填写无线网络的名称（1 到 32 个字节）和密码（8 到 63 位，公开网络留空）。",
                "Please give the network's name (1 to 32 bytes) and its password (8 to 63 characters; none for an open network).",
            ),
            Refusal::Closed => new(Kind::Gone, "code_closed", "这个码已停用。", "This code has been closed."),
            Refusal::Unknown => new(
                Kind::NotFound,
                "code_unknown",
                "这不是本院的码，请扫院内张贴或工作人员出示的码。",
                "This is not a code of this hospital. Please scan one that is put up here or shown to you by staff.",
            ),
            Refusal::AnotherHospitals => new(
                Kind::Conflict,
                "code_of_another_hospital",
                "这是另一家医院的码，请在那家医院使用。",
                "This code belongs to another hospital. Please use it there.",
            ),
            Refusal::Over => new(
                Kind::Gone,
                "code_over",
                "这个码已过期，请重新取一个。",
                "This code is out of date. Please ask for a new one.",
            ),
            Refusal::Used => new(
                Kind::Conflict,
                "code_used",
                "这个码已被另一部手机使用，请重新取一个。",
                "This code was used by another phone. Please ask for a new one.",
            ),
            Refusal::CardUnknown => new(
                Kind::NotFound,
                "card_unknown",
                "没有找到这张卡的档案，请到窗口建档。",
                "No patient is on file with this card. Please register at the service desk.",
            ),
            Refusal::OtherName(left) => invalid(
                "name",
                "other_name",
                "姓名与这位就诊人不符，请检查。",
                "This is not the patient's name. Please check it.",
            )
            .with("tries_left", left),
            Refusal::Words => invalid(
                "words",
                "words_invalid",
                "关键词请填 1 到 20 个，每个不超过 20 个字；关注欢迎语不填关键词。一家医院最多 500 条回复。",
                "Please give 1 to 20 words of up to 20 characters each; none for the welcome. A hospital has 500 replies at most.",
            ),
            Refusal::Body => invalid(
                "body",
                "body_invalid",
                "中文和英文都要填写，各不超过微信的 2,048 字节，不能含 < 和 >。",
                "Both languages are needed, within WeChat's 2,048 bytes each, without < and >.",
            ),
            Refusal::Menu(reason) => invalid(
                "items",
                "menu_invalid",
                "菜单不符合微信的要求：1 到 3 个按钮（名称不超过 5 个汉字），每个按钮 1 到 5 行。",
                "WeChat would not take this menu: one to three buttons (names of 16 bytes), each with up to five lines.",
            )
            .with("reason", reason),
            Refusal::NoWechat => new(
                Kind::Conflict,
                "no_wechat",
                "还没有接入微信服务号。",
                "No WeChat service account is connected yet.",
            ),
            Refusal::Wechat(reason) => new(
                Kind::Unavailable,
                "wechat_refused",
                "微信没有接受，请稍后再试。",
                "WeChat did not take it. Please try again later.",
            )
            .with("reason", reason),
            Refusal::NotAgreed => invalid(
                "agreed",
                "consent_required",
                "请先把个人信息的使用说明读给患者或家属，并取得同意。",
                "Please read the consent to the patient or the relative first, and have their agreement.",
            ),
        }
    }
}

fn invalid(field: &'static str, code: &'static str, zh: &str, en: &str) -> Problem {
    Problem::new(Kind::Invalid, code, zh, en).field(field, code, zh, en)
}
