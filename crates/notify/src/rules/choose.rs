//! Which way to take, and when.

use std::time::Duration;

use base::{UnixMs, WallTime, Zone};
use people::ChannelAccountId;

use crate::model::{Channel, Kind};
use crate::settings::Quiet;

/// After a message of theirs we may answer in the chat for 48 hours …
const AFTER_MESSAGE: Duration = people::contact::CHAT_WINDOW;
/// … this often,
const PER_MESSAGE: i64 = 5;
/// and for a minute after they followed, scanned or tapped …
const AFTER_ACT: Duration = Duration::from_secs(60);
/// … this often.
const PER_ACT: i64 = 3;
/// Our clock and WeChat's differ, and the call takes its time.
const MARGIN: Duration = Duration::from_secs(5);
/// Someone who could not be reached is not tried again for so long, unless they do something in the chat.
const OUT_OF_REACH: Duration = Duration::from_secs(7 * 24 * 3600);
/// A message that waits for the morning must still be of use for so long then.
const STILL_OF_USE: Duration = Duration::from_secs(2 * 3600);

/// A way to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A template message of an account to a follower.
    Template {
        /// Our account.
        account: ChannelAccountId,
        /// Who they are there.
        openid: String,
    },
    /// A message in the chat with an account.
    Custom {
        /// Our account.
        account: ChannelAccountId,
        /// Who they are there.
        openid: String,
    },
    /// SMS to the phone of the account, or of the person.
    Sms,
}

impl Route {
    /// Its channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self {
            Self::Template { .. } => Channel::Template,
            Self::Custom { .. } => Channel::Custom,
            Self::Sms => Channel::Sms,
        }
    }

    /// Our account and their openid; none for SMS.
    #[must_use]
    pub fn wechat(&self) -> Option<(ChannelAccountId, &str)> {
        match self {
            Self::Template { account, openid } | Self::Custom { account, openid } => Some((*account, openid)),
            Self::Sms => None,
        }
    }
}

/// A way that may be taken, and from when on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelPlan {
    /// The way.
    pub route: Route,
    /// Not before this; not later than the message's end.
    pub not_before: UnixMs,
}

/// What is known of a person's identity with one of our WeChat accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Our account.
    pub account: ChannelAccountId,
    /// Who they are there.
    pub openid: String,
    /// Whether the account is a service account that we can call: only those send template messages.
    pub service: bool,
    /// Whether the account has a template for this kind.
    pub mapped: bool,
    /// Whether they follow.
    pub following: bool,
    /// When they last did anything in the chat, and how many chat messages of ours went since.
    pub active: Option<(UnixMs, i64)>,
    /// When they last wrote, and how many chat messages of ours went since.
    pub wrote: Option<(UnixMs, i64)>,
    /// When a message of the account last could not reach them.
    pub out_of_reach: Option<UnixMs>,
}

/// A way that is closed for all until a time; `account` is `None` for SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shut {
    /// The channel.
    pub channel: Channel,
    /// Our account.
    pub account: Option<ChannelAccountId>,
    /// Until when.
    pub until: UnixMs,
}

/// What the choice hangs on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What is told.
    pub kind: Kind,
    /// Now.
    pub now: UnixMs,
    /// When it is of no use any more.
    pub expires: UnixMs,
    /// The hospital's zone.
    pub zone: &'a Zone,
    /// The hospital's quiet hours.
    pub quiet: Quiet,
    /// The account's identities with our WeChat accounts.
    pub wechat: &'a [Reach],
    /// Whether a phone is known and the hospital has an SMS vendor.
    pub sms: bool,
    /// Ways that are closed for all.
    pub shut: &'a [Shut],
    /// Ways that were tried for this message and are not tried again.
    pub over: &'a [Route],
}

/// The ways that are open, in the order in which to try them: template message to a follower, chat message while its
/// window is open, SMS. None of them starts after the message's end: a way that is closed until then is left out, so that
/// the next is taken.
#[must_use]
pub fn choose(facts: &Facts<'_>) -> Vec<ChannelPlan> {
    let from =
        quiet_until(facts.kind, facts.now, facts.expires, facts.zone, facts.quiet).unwrap_or(facts.now);
    let mut plans = Vec::new();
    let mut offer = |route: Route| {
        let account = route.wechat().map(|(account, _)| account);
        let shut = facts.shut.iter().filter(|s| s.channel == route.channel() && s.account == account);
        let not_before = shut.map(|s| s.until).fold(from, UnixMs::max);
        if not_before < facts.expires && !facts.over.contains(&route) {
            plans.push(ChannelPlan { route, not_before });
        }
    };
    if facts.kind != Kind::SmsCode {
        for reach in facts.wechat.iter().filter(|r| r.service && r.mapped && r.following) {
            if !is_out_of_reach(reach, facts.now) {
                offer(Route::Template { account: reach.account, openid: reach.openid.clone() });
            }
        }
        // Unfollowing closes the chat's window at once (45015).
        for reach in facts.wechat.iter().filter(|r| r.service && r.following && may_chat(r, from)) {
            offer(Route::Custom { account: reach.account, openid: reach.openid.clone() });
        }
    }
    if facts.sms {
        offer(Route::Sms);
    }
    plans
}

/// Until when a message has to wait because of quiet hours; `None` when it may go now.
#[must_use]
pub fn quiet_until(kind: Kind, now: UnixMs, expires: UnixMs, zone: &Zone, quiet: Quiet) -> Option<UnixMs> {
    if !kind.waits_for_morning() || quiet.from == quiet.until {
        return None;
    }
    let (today, wall) = (zone.date(now), zone.wall(now));
    let over_midnight = quiet.from > quiet.until;
    let within = if over_midnight {
        wall >= quiet.from || wall < quiet.until
    } else {
        wall >= quiet.from && wall < quiet.until
    };
    if !within {
        return None;
    }
    let day = if over_midnight && wall >= quiet.from { today.tomorrow().unwrap_or(today) } else { today };
    let end = zone.at(day, quiet.until);
    (end.plus(STILL_OF_USE) < expires && end > now).then_some(end)
}

/// The next midnight in China, when WeChat fills its quotas again, and a little more: its clock is not ours.
pub(crate) fn midnight(now: UnixMs) -> UnixMs {
    let china = Zone::china();
    let today = china.date(now);
    china.at(today.tomorrow().unwrap_or(today), WallTime::default()).plus(Duration::from_secs(60))
}

fn is_out_of_reach(reach: &Reach, now: UnixMs) -> bool {
    let Some(since) = reach.out_of_reach else { return false };
    let shown_up = reach.active.is_some_and(|(at, _)| at > since);
    !shown_up && now < since.plus(OUT_OF_REACH)
}

fn may_chat(reach: &Reach, at: UnixMs) -> bool {
    let open = |act: Option<(UnixMs, i64)>, window: Duration, most: i64| {
        act.is_some_and(|(since, sent)| at < since.plus(window).minus(MARGIN) && sent < most)
    };
    open(reach.wrote, AFTER_MESSAGE, PER_MESSAGE) || open(reach.active, AFTER_ACT, PER_ACT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: UnixMs = UnixMs(1_795_392_000_000 + 4 * 3_600_000); // Monday 2026-11-23, 12:00 in China
    const HOUR: Duration = Duration::from_secs(3600);

    fn reach() -> Reach {
        Reach {
            account: ChannelAccountId::new(),
            openid: "o1".into(),
            service: true,
            mapped: true,
            following: true,
            active: None,
            wrote: None,
            out_of_reach: None,
        }
    }

    fn ways(
        kind: Kind,
        wechat: &[Reach],
        sms: bool,
        shut: &[Shut],
        over: &[Route],
    ) -> Vec<(Channel, UnixMs)> {
        let facts = Facts {
            kind,
            now: NOON,
            expires: NOON.plus(24 * HOUR),
            zone: &Zone::china(),
            quiet: Quiet::default(),
            wechat,
            sms,
            shut,
            over,
        };
        choose(&facts).into_iter().map(|p| (p.route.channel(), p.not_before)).collect()
    }

    fn channels(wechat: &[Reach], sms: bool) -> Vec<Channel> {
        ways(Kind::AppointmentConfirmed, wechat, sms, &[], &[]).into_iter().map(|w| w.0).collect()
    }

    #[test]
    fn the_order_of_ways() {
        use Channel::{Custom, Sms, Template};
        let wrote = Reach { wrote: Some((NOON.minus(HOUR), 0)), ..reach() };
        assert_eq!(channels(std::slice::from_ref(&wrote), true), [Template, Custom, Sms]);
        assert_eq!(channels(&[reach()], true), [Template, Sms]);
        assert_eq!(channels(&[Reach { following: false, ..reach() }], true), [Sms]);
        assert_eq!(channels(&[Reach { mapped: false, ..wrote.clone() }], false), [Custom]);
        assert_eq!(channels(&[Reach { following: false, ..wrote.clone() }], true), [Sms]);
        assert_eq!(channels(&[Reach { service: false, ..wrote }], false), []);
        assert_eq!(channels(&[], false), []);
    }

    #[test]
    fn a_code_goes_by_sms_only() {
        let all = Reach { wrote: Some((NOON, 0)), ..reach() };
        assert_eq!(ways(Kind::SmsCode, &[all], true, &[], &[]), [(Channel::Sms, NOON)]);
    }

    #[test]
    fn the_chat_is_open_for_a_while_and_a_number() {
        let not_mapped = Reach { mapped: false, ..reach() };
        for (wrote, active, open) in [
            (Some((NOON.minus(47 * HOUR), 4)), None, true),
            (Some((NOON.minus(47 * HOUR), 5)), None, false),
            (Some((NOON.minus(48 * HOUR), 0)), None, false),
            (None, Some((NOON.minus(Duration::from_secs(50)), 2)), true),
            (None, Some((NOON.minus(Duration::from_secs(50)), 3)), false),
            (None, Some((NOON.minus(Duration::from_secs(56)), 0)), false),
        ] {
            let there =
                channels(&[Reach { wrote, active, ..not_mapped.clone() }], false) == [Channel::Custom];
            assert_eq!(there, open, "{wrote:?} {active:?}");
        }
    }

    #[test]
    fn who_was_out_of_reach_is_left_alone_until_they_show_up() {
        let missed = Reach { out_of_reach: Some(NOON.minus(HOUR)), ..reach() };
        assert_eq!(channels(std::slice::from_ref(&missed), true), [Channel::Sms]);
        let back = Reach { active: Some((NOON.minus(HOUR / 2), 0)), ..missed.clone() };
        assert_eq!(channels(&[back], false), [Channel::Template]);
        let long_ago = Reach { out_of_reach: Some(NOON.minus(24 * HOUR * 8)), ..missed };
        assert_eq!(channels(&[long_ago], false), [Channel::Template]);
    }

    #[test]
    fn a_closed_way_waits_or_is_passed_over() {
        let one = reach();
        let shut = |until| Shut { channel: Channel::Template, account: Some(one.account), until };
        let kind = Kind::AppointmentConfirmed;
        let wechat = std::slice::from_ref(&one);
        assert_eq!(
            ways(kind, wechat, true, &[shut(NOON.plus(HOUR))], &[]),
            [(Channel::Template, NOON.plus(HOUR)), (Channel::Sms, NOON)]
        );
        assert_eq!(ways(kind, wechat, true, &[shut(NOON.plus(25 * HOUR))], &[]), [(Channel::Sms, NOON)]);
        let tried = Route::Template { account: one.account, openid: "o1".into() };
        assert_eq!(ways(kind, wechat, true, &[], &[tried]), [(Channel::Sms, NOON)]);
        assert!(ways(kind, &[], true, &[], &[Route::Sms]).is_empty());
    }

    #[test]
    fn quiet_hours() {
        let zone = Zone::china();
        let at = |day: &str, wall: &str| zone.at(day.parse().unwrap(), wall.parse().unwrap());
        let until = |kind, now, expires| quiet_until(kind, now, expires, &zone, Quiet::default());
        let late = at("2026-11-23", "22:10");
        let far = at("2026-11-25", "12:00");
        let morning = at("2026-11-24", "07:30");
        assert_eq!(until(Kind::AppointmentReminder, late, far), Some(morning));
        assert_eq!(until(Kind::AppointmentStopped, at("2026-11-24", "03:00"), far), Some(morning));
        assert_eq!(until(Kind::AppointmentReminder, at("2026-11-23", "20:59"), far), None);
        assert_eq!(until(Kind::AppointmentReminder, morning, far), None);
        // What follows from the person's own act is told at once, and so is what would come too late.
        assert_eq!(until(Kind::AppointmentConfirmed, late, far), None);
        assert_eq!(until(Kind::SmsCode, late, far), None);
        assert_eq!(until(Kind::AppointmentStopped, late, at("2026-11-24", "08:00")), None);
        let never = Quiet { from: WallTime::default(), until: WallTime::default() };
        assert_eq!(quiet_until(Kind::AppointmentReminder, late, far, &zone, never), None);
        let siesta = Quiet { from: "12:00".parse().unwrap(), until: "14:00".parse().unwrap() };
        let noon = at("2026-11-23", "13:00");
        assert_eq!(
            quiet_until(Kind::AppointmentReminder, noon, far, &zone, siesta),
            Some(at("2026-11-23", "14:00"))
        );
    }

    #[test]
    fn quotas_are_filled_at_midnight_in_china() {
        assert_eq!(midnight(NOON), NOON.plus(12 * HOUR).plus(Duration::from_secs(60)));
    }

    proptest! {
        /// Whatever is known, no way is offered twice, none that is over, none that begins after the end; and quiet hours
        /// move a message ahead by less than a day.
        #[test]
        fn offers_are_sound(
            flags in proptest::collection::vec(any::<(bool, bool, bool, bool)>(), 0..4),
            sms in any::<bool>(),
            offset in 0_i64..86_400_000,
            life in 0_i64..200_000_000,
            shut_for in proptest::option::of(0_i64..200_000_000),
        ) {
            let now = UnixMs(NOON.0 + offset);
            let expires = UnixMs(now.0 + life);
            let wechat: Vec<Reach> = flags
                .iter()
                .enumerate()
                .map(|(n, (mapped, following, wrote, missed))| Reach {
                    openid: format!("o{n}"),
                    mapped: *mapped,
                    following: *following,
                    wrote: wrote.then_some((now.minus(HOUR), 0)),
                    out_of_reach: missed.then_some(now.minus(HOUR)),
                    ..reach()
                })
                .collect();
            let shut: Vec<Shut> = shut_for
                .map(|ms| Shut { channel: Channel::Sms, account: None, until: UnixMs(now.0 + ms) })
                .into_iter()
                .collect();
            for kind in Kind::ALL {
                let plans = choose(&Facts {
                    kind: *kind, now, expires, zone: &Zone::china(), quiet: Quiet::default(),
                    wechat: &wechat, sms, shut: &shut, over: &[],
                });
                for (n, plan) in plans.iter().enumerate() {
                    prop_assert!(plan.not_before >= now && plan.not_before < expires);
                    prop_assert!(plans.iter().skip(n + 1).all(|other| other.route != plan.route));
                }
                prop_assert!(plans.windows(2).all(|w| w[0].route.channel() <= w[1].route.channel()));
                if let Some(end) = quiet_until(*kind, now, expires, &Zone::china(), Quiet::default()) {
                    prop_assert!(end > now && end.since(now) < 24 * HOUR);
                }
            }
        }
    }
}
