//! What a department's public page says about the line at a release, the waitlist and missed places: made from the
//! settings themselves, so that it can't say anything else.

use base::Text2;
use edge::Hospital;

use crate::attendance::Attendance;
use crate::model::Limits;
use crate::rush::Rush;
use crate::waitlist::Rules as Waitlist;

/// The rules in words, as far as they hold in this hospital.
#[must_use]
pub fn rules(hospital: &Hospital) -> Vec<Text2> {
    let limits: Limits = hospital.settings("booking.limits");
    let mut all: Vec<Text2> = rush(&hospital.settings(Rush::SECTION)).into_iter().collect();
    all.extend(waitlist(&hospital.settings(Waitlist::SECTION)));
    let attendance: Attendance = hospital.settings(Attendance::SECTION);
    if attendance.check_in {
        all.extend(missed(&limits));
    }
    if limits.per_account_day > 0 {
        all.push(Text2::new(
            format!("每个微信号一天最多预约 {} 个号（所有就诊人合计）。", limits.per_account_day),
            format!(
                "One WeChat account can book at most {} numbers a day, for all its persons together.",
                limits.per_account_day
            ),
        ));
    }
    all
}

/// How the line at a release is ordered.
fn rush(rules: &Rush) -> Option<Text2> {
    if rules.draw_ms == 0 {
        return None;
    }
    // Tenths, and none where the second is whole.
    let tenths = rules.draw_ms.div_ceil(100);
    let seconds = if tenths.is_multiple_of(10) {
        format!("{}", tenths / 10)
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    Some(Text2::new(
        format!(
            "放号时排队取号：放号后 {seconds} 秒内来的人随机排序，与手机和网络快慢无关；之后来的按先后排序。一个微信号一次排一个号。"
        ),
        format!(
            "When numbers are released people stand in line: those who come within {seconds} s are put in random order, whatever their phone or network; those who come later stand in order of arrival. One account stands in line for one number at a time."
        ),
    ))
}

/// What becomes of a number that is given up.
fn waitlist(rules: &Waitlist) -> Option<Text2> {
    if !rules.enabled {
        return None;
    }
    let (delay, minutes, hours, days) =
        (rules.delay_minutes, rules.hold_minutes, rules.far_hold_hours, rules.far_days);
    Some(Text2::new(
        format!(
            "约满后可以候补。有人退号时，号先保留一段随机时间（最长 {delay} 分钟），再按候补先后通知；被通知的人有 {minutes} 分钟确认（{days} 天以后的号有 {hours} 小时），过时转给下一位。没有人候补时才重新放出。"
        ),
        format!(
            "When all numbers are gone you can join the waitlist. A number that is given up is held back for a random time of at most {delay} minutes and then offered to whoever waits longest, who has {minutes} minutes to confirm ({hours} hours for numbers {days} days ahead or more); after that it goes to the next. Only when nobody waits can everybody have it again."
        ),
    ))
}

/// What follows from missed places.
fn missed(limits: &Limits) -> Option<Text2> {
    if limits.no_show_limit == 0 {
        return None;
    }
    let (count, days) = (limits.no_show_limit, limits.no_show_days);
    let (old, young) = (limits.no_show_spares_from_age, limits.no_show_spares_below_age);
    Some(Text2::new(
        format!(
            "90 天内 {count} 次预约后没有报到的，{days} 天内不能提前预约；当天的号和窗口不受影响，{old} 岁及以上和 {young} 岁以下只提醒。有原因可以申诉。医院停诊不计。"
        ),
        format!(
            "Who does not come {count} times within 90 days can't book in advance for {days} days; same-day numbers and the counter are not affected, and people aged {old} and over or under {young} are only reminded. One can appeal. What the hospital calls off does not count."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_follow_the_settings() {
        let said = rush(&Rush { draw_ms: 1_500, ..Rush::default() }).unwrap();
        assert!(said.zh.contains("放号后 1.5 秒内") && said.en.contains("within 1.5 s"));
        assert!(rush(&Rush::default()).unwrap().zh.contains("放号后 1 秒内"));
        assert!(rush(&Rush { draw_ms: 0, ..Rush::default() }).is_none());
        let said = waitlist(&Waitlist { delay_minutes: 7, ..Waitlist::default() }).unwrap();
        assert!(said.zh.contains("最长 7 分钟") && said.en.contains("at most 7 minutes"));
        assert!(waitlist(&Waitlist { enabled: false, ..Waitlist::default() }).is_none());
        assert!(
            missed(&Limits { no_show_limit: 4, ..Limits::default() }).unwrap().zh.contains("90 天内 4 次")
        );
        assert!(missed(&Limits { no_show_limit: 0, ..Limits::default() }).is_none());
    }
}
