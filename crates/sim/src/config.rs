//! What a simulator is started with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use base::Clock;
use serde::{Deserialize, Serialize};

/// Everything that [`crate::Sim::start`] needs. `SimConfig::new` fills in what WeChat itself does; tests change single fields.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Where to listen. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// The product's address as its own links say it, for instance `http://127.0.0.1:8080`. The phones open links below it
    /// under their own host name, and it is an allowed return address of the web authorisation.
    pub product_base: String,
    /// Decides about every life time here (tokens, codes, windows, media). `POST /sim/v1/clock` moves it, so hand the same
    /// clock to the product. Waiting (five seconds for a push) always takes real time.
    pub clock: Clock,
    /// The accounts that exist.
    pub accounts: Vec<SimAccount>,
    /// The corporations in WeCom that exist.
    pub corps: Vec<crate::SimCorp>,
    /// The SMS vendor.
    pub sms: SmsConfig,
    /// Seed of openids, tokens and chance; `None` takes a different one each time.
    pub seed: Option<u64>,
    /// How long a push may take. WeChat: 5 seconds.
    pub push_timeout: Duration,
    /// The pause before a push is sent again. WeChat does not say; about 5 seconds.
    pub push_gap: Duration,
    /// Limits that WeChat sets and may change.
    pub limits: Limits,
    /// Where the state is kept over a restart; `None` keeps it in memory only.
    pub snapshot: Option<PathBuf>,
}

impl SimConfig {
    /// A simulator on a free loopback port, with WeChat's own limits, one SMS vendor and no accounts yet.
    #[must_use]
    pub fn new(product_base: impl Into<String>, clock: Clock) -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            product_base: product_base.into(),
            clock,
            accounts: Vec::new(),
            corps: Vec::new(),
            sms: SmsConfig::default(),
            seed: None,
            push_timeout: Duration::from_secs(5),
            push_gap: Duration::from_secs(5),
            limits: Limits::default(),
            snapshot: None,
        }
    }
}

/// One official account, as its administrator set it up on WeChat's pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SimAccount {
    /// `wx` and 16 characters.
    pub appid: String,
    /// The AppSecret.
    pub secret: String,
    /// The callback's Token: 3–32 letters and digits.
    pub token: String,
    /// The callback's EncodingAESKey: 43 characters, or empty for a random one.
    pub encoding_aes_key: String,
    /// The account's own id in pushes, `gh_…`.
    pub gh_id: String,
    /// The name that people see.
    pub name: String,
    /// Service or subscription account.
    pub kind: AccountKind,
    /// How pushes are protected.
    pub mode: PushMode,
    /// XML or JSON.
    pub format: PushFormat,
    /// Where pushes go: the product's entrance, with a path of its own.
    pub callback_url: String,
    /// Hosts (without port) that a web authorisation may return to, beside the product's own and the phones'.
    pub oauth_domains: Vec<String>,
    /// Addresses that may ask for a token; empty allows all. Others get 40164.
    pub ip_allow: Vec<String>,
    /// The message templates that the account has chosen.
    pub templates: Vec<TemplateSpec>,
}

impl SimAccount {
    /// A service account in safe mode with a random key and the templates of a hospital.
    #[must_use]
    pub fn service(
        appid: impl Into<String>,
        secret: impl Into<String>,
        callback_url: impl Into<String>,
    ) -> Self {
        Self {
            appid: appid.into(),
            secret: secret.into(),
            token: "XinglinSim".into(),
            encoding_aes_key: String::new(),
            gh_id: "gh_5f0c1a2b3d4e".into(),
            name: "杏林医院".into(),
            kind: AccountKind::Service,
            mode: PushMode::Safe,
            format: PushFormat::Xml,
            callback_url: callback_url.into(),
            oauth_domains: Vec::new(),
            ip_allow: Vec::new(),
            templates: TemplateSpec::hospital(),
        }
    }
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// 服务号: everything here.
    Service,
    /// 订阅号: articles; no web authorisation, no template messages, no parametric codes (48001).
    Subscription,
}

/// How pushes are protected (`reference`: plain, compatible, safe).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushMode {
    /// 明文模式.
    Plain,
    /// 兼容模式: plain fields and `Encrypt`.
    Compatible,
    /// 安全模式: `Encrypt` only.
    Safe,
}

/// The format of pushes and replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushFormat {
    /// The default of official accounts.
    Xml,
    /// May be chosen instead.
    Json,
}

/// One message template of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TemplateSpec {
    /// 43 characters in real life; any unique text here.
    pub template_id: String,
    /// The public library's number, for `api_add_template`.
    pub short_id: String,
    /// What the notice is called.
    pub title: String,
    /// Lines such as `就诊人：{{thing1.DATA}}`.
    pub content: String,
    /// What `get_all_private_template` shows as an example.
    pub example: String,
}

impl TemplateSpec {
    fn new(short_id: &str, title: &str, lines: &[(&str, &str, &str)]) -> Self {
        let line = |label: &str, value: &str| format!("{label}：{value}");
        let content: Vec<String> =
            lines.iter().map(|(label, key, _)| line(label, &format!("{{{{{key}.DATA}}}}"))).collect();
        let example: Vec<String> = lines.iter().map(|(label, _, value)| line(label, value)).collect();
        Self {
            template_id: format!("{short_id}_xinglin_sim_template_000000000000000000")
                .chars()
                .take(43)
                .collect(),
            short_id: short_id.to_owned(),
            title: title.to_owned(),
            content: content.join("\n"),
            example: example.join("\n"),
        }
    }

    /// The templates that a hospital takes from its medical category: booked, moved, cancelled, reminder, stopped.
    #[must_use]
    pub fn hospital() -> Vec<Self> {
        let who = ("就诊人", "thing1", "张**");
        let department = ("就诊科室", "thing2", "心血管内科");
        let doctor = ("就诊医生", "thing3", "李医生");
        let time = ("就诊时间", "time4", "2026年1月5日 09:30");
        let place = ("就诊地点", "thing5", "门诊楼三楼 305 诊室");
        let number = ("排队号码", "character_string3", "A012");
        vec![
            Self::new("43216", "预约挂号成功通知", &[who, department, doctor, time, place]),
            Self::new(
                "43217",
                "预约取消通知",
                &[who, department, doctor, time, ("取消原因", "thing5", "本人取消")],
            ),
            Self::new("43218", "就诊提醒", &[who, department, doctor, time, place]),
            Self::new(
                "43219",
                "预约变更通知",
                &[
                    who,
                    department,
                    doctor,
                    ("原就诊时间", "time4", "2026年1月5日 09:30"),
                    ("新就诊时间", "time5", "2026年1月6日 10:00"),
                ],
            ),
            Self::new(
                "43220",
                "停诊通知",
                &[who, department, doctor, time, ("停诊说明", "thing5", "医生临时停诊，可改约")],
            ),
            Self::new(
                "43231",
                "排队进度提醒",
                &[
                    who,
                    department,
                    number,
                    ("前面人数", "number4", "2"),
                    ("提醒时间", "time5", "2026年1月5日 09:10"),
                ],
            ),
            Self::new(
                "43232",
                "叫号通知",
                &[who, number, ("叫号时间", "time4", "2026年1月5日 09:30"), place],
            ),
            Self::new(
                "43233",
                "过号提醒",
                &[who, number, ("过号时间", "time4", "2026年1月5日 09:35"), ("说明", "thing5", "会再次叫号")],
            ),
            Self::new(
                "43234",
                "取件通知",
                &[who, ("物品", "thing2", "眼镜"), ("通知时间", "time4", "2026年1月5日 15:00"), place],
            ),
            Self::new("43221", "恢复出诊通知", &[who, department, doctor, time, place]),
            Self::new(
                "43222",
                "就诊医生变更通知",
                &[who, department, doctor, time, ("变更说明", "thing5", "医生变更，号和时间不变")],
            ),
        ]
    }
}

/// The SMS vendor's side of a contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SmsConfig {
    /// Who calls.
    pub app_key: String,
    /// Proves it.
    pub app_secret: String,
    /// The signatures (in 【】 before each message) that have been approved; empty allows any.
    pub signs: Vec<String>,
    /// Template code → text with `${param}` places. Empty allows any code, and shows the parameters as they are.
    pub templates: BTreeMap<String, String>,
}

impl Default for SmsConfig {
    fn default() -> Self {
        Self {
            app_key: "sim-sms-key".into(),
            app_secret: "sim-sms-secret".into(),
            signs: Vec::new(),
            templates: BTreeMap::new(),
        }
    }
}

/// What WeChat allows. The numbers are WeChat's; tests make them small.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Calls a day by path; other paths are not counted out.
    pub daily: BTreeMap<String, u64>,
    /// Permanent parametric codes of an account.
    pub permanent_codes: usize,
    /// openids in one page of `user/get`.
    pub user_page: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let daily = [
            ("/cgi-bin/token", 2_000),
            ("/cgi-bin/message/template/send", 100_000),
            ("/cgi-bin/message/custom/send", 500_000),
            ("/cgi-bin/menu/create", 2_000),
            ("/cgi-bin/qrcode/create", 100_000),
            ("/cgi-bin/ticket/getticket", 1_000_000),
            ("/cgi-bin/user/info", 5_000_000),
            ("/cgi-bin/user/get", 500),
            ("/cgi-bin/media/upload", 100_000),
        ];
        Self {
            daily: daily.into_iter().map(|(path, n)| (path.to_owned(), n)).collect(),
            permanent_codes: 100_000,
            user_page: 10_000,
        }
    }
}
