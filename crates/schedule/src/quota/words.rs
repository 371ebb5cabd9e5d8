//! The rule of a department in words, made of the configuration itself: what stands on the public page is what the desk does.

use base::{Lang, Text2, WallTime};

use super::{Channel, HandBack, Share, Shares};
use crate::model::ClinicKind;
use crate::rules::ReleaseRules;
use crate::wire::Limits;

impl Channel {
    /// What patients call it.
    #[must_use]
    pub fn name(self) -> Text2 {
        match self {
            Self::Online => Text2::new("网上预约", "online booking"),
            Self::Window => Text2::new("窗口挂号", "the counter"),
            Self::Kiosk => Text2::new("自助机", "the self-service machines"),
            Self::Doctor => Text2::new("医生加号", "the doctor, for patients who must come back"),
            Self::InternetHospital => Text2::new("互联网医院转诊", "the internet hospital"),
            Self::Partner => Text2::new("合作机构", "partner institutions"),
        }
    }
}

/// `前 1 天 18:00`, `18:00 on the day before`
fn when(days_before: u16, at: WallTime, lang: Lang) -> String {
    match (lang, days_before) {
        (Lang::Zh, 0) => format!("就诊当天 {at} "),
        (Lang::Zh, n) => format!("就诊前 {n} 天的 {at} "),
        (Lang::En, 0) => format!("{at} on the day"),
        (Lang::En, 1) => format!("{at} on the day before"),
        (Lang::En, n) => format!("{at} {n} days before"),
    }
}

/// From when and until when places can be had.
#[must_use]
pub fn release(rules: &ReleaseRules, of: Option<ClinicKind>) -> Text2 {
    let (days, at, minutes) = (rules.horizon_days, rules.release_time, rules.cutoff_minutes);
    let (whose_zh, whose_en) = match of.map(ClinicKind::name) {
        Some(kind) => (format!("{}：", kind.zh), format!("{}: ", kind.en)),
        None => (String::new(), String::new()),
    };
    let (zh, en) = match days {
        0 => (format!("当天 {at} 放号"), format!("numbers are released at {at} on the day")),
        1 => (format!("就诊前 1 天 {at} 放号"), format!("numbers are released at {at} on the day before")),
        n => (format!("就诊前 {n} 天 {at} 放号"), format!("numbers are released {n} days ahead at {at}")),
    };
    let zh_end = format!("{whose_zh}{zh}，出诊结束前 {minutes} 分钟停止预约当天的号。");
    let en_end = format!("{whose_en}{en}; same-day booking ends {minutes} minutes before the clinic does.");
    Text2::new(zh_end, capital(&en_end))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Who gets how much, and what becomes of the rest: a sentence each.
#[must_use]
pub fn division(shares: &Shares) -> Vec<Text2> {
    let mut said = Vec::new();
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for share in &shares.0 {
        let name = share.channel.name();
        match (share.percent, share.count) {
            (Some(p), _) => {
                zh.push(format!("{p}% 留给{}", name.zh));
                en.push(format!("{p} % are for {}", name.en));
            }
            (_, Some(n)) => {
                zh.push(format!("{n} 个号留给{}", name.zh));
                en.push(format!("{n} are for {}", name.en));
            }
            (None, None) => {}
        }
    }
    if let Some(rest) = shares.0.iter().find(|s| s.percent.is_none() && s.count.is_none()) {
        let name = rest.channel.name();
        if zh.is_empty() {
            zh.push(format!("全部用于{}", name.zh));
            en.push(format!("all are for {}", name.en));
        } else {
            zh.push(format!("其余用于{}", name.zh));
            en.push(format!("the rest are for {}", name.en));
        }
    }
    said.push(Text2::new(
        format!("每次出诊的号源：{}。", zh.join("，")),
        format!("Of each clinic's numbers, {}.", en.join("; ")),
    ));
    said.extend(shares.0.iter().filter_map(|share| share.hand_back.map(|back| handed(share, &back))));
    for share in shares.0.iter().filter(|s| s.kept > 0) {
        let (name, n) = (share.channel.name(), share.kept);
        said.push(Text2::new(
            format!("{}至少保留 {n} 个号，不转给其他渠道。", name.zh),
            capital(&format!("at least {n} of the numbers for {} are never passed on.", name.en)),
        ));
    }
    said
}

fn handed(share: &Share, back: &HandBack) -> Text2 {
    let (from, to) = (share.channel.name(), back.to.name());
    let (zh, en) = (when(back.days_before, back.at, Lang::Zh), when(back.days_before, back.at, Lang::En));
    Text2::new(
        format!("{}没有用完的号，{zh}起转给{}。", from.zh, to.zh),
        format!("From {en}, numbers unused by {} go to {}.", from.en, to.en),
    )
}

/// How many places a person may have, and until when one can be given up.
#[must_use]
pub fn limits(limits: &Limits) -> Vec<Text2> {
    let mut all = vec![
        Text2::new(
            format!(
                "每位就诊人：同一科室一天最多 {} 个号，一天最多 {} 个，7 天内最多 {} 个，90 天内最多 {} 个；同一医生的同一次出诊只能约一个。",
                limits.per_department_day, limits.per_day, limits.per_week, limits.per_quarter
            ),
            format!(
                "Each person can have {} number a day in one department, {} a day in all, {} within 7 days and {} within 90 days, and one for the same sitting of a doctor.",
                limits.per_department_day, limits.per_day, limits.per_week, limits.per_quarter
            ),
        ),
        Text2::new(
            format!("如果来不了，请在就诊前一天 {} 之前取消，把号留给需要的人。", limits.cancel_until),
            format!(
                "If you can't come, please cancel by {} on the day before, so that somebody else can have the number.",
                limits.cancel_until
            ),
        ),
    ];
    all.extend(limits.further.iter().cloned());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_follow_the_configuration() {
        let share = |channel| Share { channel, percent: None, count: None, kept: 0, hand_back: None };
        let at = |text: &str| text.parse().unwrap();
        let shares = Shares(vec![
            Share {
                hand_back: Some(HandBack { to: Channel::Window, days_before: 0, at: at("10:00") }),
                ..share(Channel::Online)
            },
            Share { percent: Some(40), kept: 3, ..share(Channel::Window) },
            Share { count: Some(2), ..share(Channel::Doctor) },
        ]);
        let said = division(&shares);
        let zh: Vec<&str> = said.iter().map(|t| t.zh.as_str()).collect();
        assert_eq!(
            zh,
            [
                "每次出诊的号源：40% 留给窗口挂号，2 个号留给医生加号，其余用于网上预约。",
                "网上预约没有用完的号，就诊当天 10:00 起转给窗口挂号。",
                "窗口挂号至少保留 3 个号，不转给其他渠道。",
            ]
        );
        let en: Vec<&str> = said.iter().map(|t| t.en.as_str()).collect();
        assert_eq!(
            en,
            [
                "Of each clinic's numbers, 40 % are for the counter; 2 are for the doctor, for patients who must come back; \
                 the rest are for online booking.",
                "From 10:00 on the day, numbers unused by online booking go to the counter.",
                "At least 3 of the numbers for the counter are never passed on.",
            ]
        );
        let all = division(&Shares(vec![share(Channel::Online)]));
        assert_eq!(
            all,
            [Text2::new(
                "每次出诊的号源：全部用于网上预约。",
                "Of each clinic's numbers, all are for online booking."
            )]
        );
        let rules = ReleaseRules { horizon_days: 7, ..ReleaseRules::default() };
        let said = release(&rules, Some(ClinicKind::Special));
        assert_eq!(said.zh, "特需门诊：就诊前 7 天 07:00 放号，出诊结束前 30 分钟停止预约当天的号。");
        assert_eq!(
            said.en,
            "Premium clinic: numbers are released 7 days ahead at 07:00; same-day booking ends 30 minutes before the clinic does."
        );
    }
}
