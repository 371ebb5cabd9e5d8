//! The division as a property: nothing is lost, nothing is sold twice, what is kept is kept.

use proptest::prelude::*;

use super::*;

fn date() -> Date {
    "2026-12-01".parse().unwrap()
}

fn zone() -> Zone {
    Zone::china()
}

fn at(on: &str, wall: &str) -> UnixMs {
    zone().at(on.parse().unwrap(), wall.parse().unwrap())
}

fn share(channel: Channel) -> Share {
    Share { channel, percent: None, count: None, kept: 0, hand_back: None }
}

fn back(to: Channel, days_before: u16, wall: &str) -> Option<HandBack> {
    Some(HandBack { to, days_before, at: wall.parse().unwrap() })
}

/// The rule that many hospitals have: six of ten online, three of the counter's never handed away; the counter's others go
/// online on the evening before, what is unsold online comes to the counter at ten on the day.
fn usual() -> Shares {
    Shares(vec![
        Share { hand_back: back(Channel::Window, 0, "10:00"), ..share(Channel::Online) },
        Share {
            percent: Some(40),
            kept: 3,
            hand_back: back(Channel::Online, 1, "18:00"),
            ..share(Channel::Window)
        },
        Share { count: Some(2), ..share(Channel::Doctor) },
    ])
}

fn of(lines: &[Line], channel: Channel) -> (i64, i64) {
    lines.iter().find(|l| l.channel == channel).map_or((0, 0), |l| (l.capacity, l.taken))
}

#[test]
fn the_usual_rule_over_two_days() {
    let mut lines = divide(&usual(), 20, date(), &zone());
    assert_eq!([Channel::Online, Channel::Window, Channel::Doctor].map(|c| of(&lines, c).0), [10, 8, 2]);
    assert!(!settle(&mut lines, at("2026-11-30", "17:59")));
    assert_eq!(left(&lines, Channel::Window, at("2026-11-30", "17:59")), 8);
    assert_eq!(left(&lines, Channel::Online, at("2026-11-30", "18:00")), 15, "to the minute");
    assert!(settle(&mut lines, at("2026-11-30", "18:00")));
    assert_eq!([of(&lines, Channel::Online).0, of(&lines, Channel::Window).0], [15, 3], "three are kept");
    assert!(!settle(&mut lines, at("2026-11-30", "20:00")), "once");
    lines[0].taken = 11;
    lines[1].taken = 1;
    assert!(settle(&mut lines, at("2026-12-01", "10:00")));
    assert_eq!([of(&lines, Channel::Online), of(&lines, Channel::Window)], [(11, 11), (7, 1)]);
    // A place given up online after that is the counter's at once.
    lines[0].taken = 10;
    assert_eq!(left(&lines, Channel::Window, at("2026-12-01", "10:05")), 7);
    assert_eq!(left(&lines, Channel::Online, at("2026-12-01", "10:05")), 0);
    assert_eq!(
        left(&lines, Channel::Kiosk, at("2026-12-01", "10:05")),
        0,
        "a channel that is not named has none"
    );
}

#[test]
fn too_few_places_go_by_order() {
    let lines = divide(&usual(), 1, date(), &zone());
    assert_eq!(lines.iter().map(|l| l.capacity).collect::<Vec<_>>(), [0, 0, 1]);
    let target =
        Shares(vec![Share { hand_back: back(Channel::Kiosk, 0, "09:00"), ..share(Channel::Online) }]);
    let lines = divide(&target, 5, date(), &zone());
    assert_eq!(of(&lines, Channel::Kiosk), (0, 0), "who is handed places has a line");
    assert_eq!(left(&lines, Channel::Kiosk, at("2026-12-01", "09:00")), 5);
}

#[test]
fn the_most_specific_rule_counts() {
    let (department, parent, doctor) = (DepartmentId::new(), DepartmentId::new(), DoctorId::new());
    let kin = Kin { department, parent: Some(parent), doctor: Some(doctor), kind: ClinicKind::Special };
    let scope = |d, p, k| Scope { doctor_id: d, department_id: p, kind: k };
    let kind = Some(ClinicKind::Special);
    let order = [
        scope(Some(doctor), None, kind),
        scope(Some(doctor), None, None),
        scope(None, Some(department), kind),
        scope(None, Some(department), None),
        scope(None, Some(parent), kind),
        scope(None, Some(parent), None),
        scope(None, None, kind),
        scope(None, None, None),
    ];
    let mut rules: Vec<Rule> =
        order.iter().map(|s| Rule { id: QuotaRuleId::new(), scope: *s, shares: usual() }).collect();
    rules.reverse();
    for wanted in order {
        assert_eq!(pick(&rules, &kin).unwrap().scope, wanted);
        rules.pop();
    }
    assert!(pick(&rules, &kin).is_none());
    let other =
        Rule { id: QuotaRuleId::new(), scope: scope(None, None, Some(ClinicKind::General)), shares: usual() };
    assert!(pick(&[other], &kin).is_none(), "another kind");
}

#[test]
fn wrong_rules_are_refused() {
    let codes = |shares: Vec<Share>| Shares(shares).faults().iter().map(|f| f.code).collect::<Vec<_>>();
    assert!(usual().faults().is_empty());
    let percent = |p, c| Share { percent: Some(p), ..share(c) };
    assert_eq!(codes(vec![]), ["no_rest"]);
    assert_eq!(codes(vec![share(Channel::Online), share(Channel::Window)]), ["no_rest"]);
    assert_eq!(codes(vec![share(Channel::Online), percent(5, Channel::Online)]), ["twice"]);
    let both = Share { percent: Some(1), count: Some(1), ..share(Channel::Window) };
    assert_eq!(codes(vec![share(Channel::Online), both]), ["contradiction"]);
    let much = vec![share(Channel::Online), percent(60, Channel::Window), percent(41, Channel::Kiosk)];
    assert_eq!(codes(much), ["wrong_percent"]);
    let own = Share { hand_back: back(Channel::Online, 0, "10:00"), ..share(Channel::Online) };
    assert_eq!(codes(vec![own]), ["wrong_hand_back"]);
}

fn any_channel() -> impl Strategy<Value = Channel> {
    prop::sample::select(Channel::ALL)
}

prop_compose! {
    fn any_share()(channel in any_channel(), kind in 0..3_u8, n in 1..60_u8, kept in 0..8_u32,
        to in any_channel(), days in 0..3_u16, minutes in 0..1440_u16, hands in any::<bool>()) -> Share {
        let hand_back = HandBack { to, days_before: days, at: WallTime::from_minutes(minutes) };
        Share {
            channel, kept,
            percent: (kind == 0).then_some(n.min(30)),
            count: (kind == 1).then_some(u32::from(n)),
            hand_back: (hands && to != channel).then_some(hand_back),
        }
    }
}

fn any_shares() -> impl Strategy<Value = Shares> {
    prop::collection::vec(any_share(), 1..6).prop_map(|mut all| {
        all.sort_by_key(|s| s.channel);
        all.dedup_by_key(|s| s.channel);
        for (i, share) in all.iter_mut().enumerate() {
            if i == 0 {
                (share.percent, share.count) = (None, None);
            } else if share.percent.is_none() && share.count.is_none() {
                share.count = Some(1);
            }
        }
        // At most five percentages of at most thirty: the sum may be above a hundred.
        while Shares(all.clone()).faults().iter().any(|f| f.code == "wrong_percent") {
            all.pop();
        }
        Shares(all)
    })
}

/// What can happen to a clinic.
#[derive(Debug, Clone)]
enum Act {
    Book(Channel),
    GiveUp(Channel),
    Wait(i64),
    Resize(i64),
    Divide(Shares),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any_channel().prop_map(Act::Book),
        3 => any_channel().prop_map(Act::GiveUp),
        3 => (0..1440_i64).prop_map(Act::Wait),
        1 => (-9..9_i64).prop_map(Act::Resize),
        1 => any_shares().prop_map(Act::Divide),
    ]
}

proptest! {
    #[test]
    fn places_are_neither_lost_nor_sold_twice(
        shares in any_shares(), size in 0..60_i64, acts in prop::collection::vec(any_act(), 0..60),
    ) {
        prop_assert!(shares.faults().is_empty(), "{:?}", shares.faults());
        let mut now = at("2026-11-28", "00:00");
        let mut capacity = size;
        let mut lines = divide(&shares, capacity, date(), &zone());
        let mut sold = 0_i64;
        for act in acts {
            settle(&mut lines, now);
            match act {
                Act::Book(channel) => {
                    if left(&lines, channel, now) > 0 {
                        lines.iter_mut().find(|l| l.channel == channel).unwrap().taken += 1;
                        sold += 1;
                    }
                }
                Act::GiveUp(channel) => {
                    if let Some(line) = lines.iter_mut().find(|l| l.channel == channel && l.taken > 0) {
                        line.taken -= 1;
                        sold -= 1;
                    }
                }
                Act::Wait(minutes) => now = UnixMs(now.0 + minutes * 60_000),
                Act::Resize(by) => {
                    let by = by.max(sold - capacity);
                    prop_assert_eq!(stretch(&mut lines, by), 0);
                    capacity += by;
                }
                Act::Divide(other) => lines = reshape(&lines, &divide(&other, capacity, date(), &zone())),
            }
            let kept: Vec<(Channel, i64)> =
                lines.iter().map(|l| (l.channel, l.kept.min(l.capacity))).collect();
            settle(&mut lines, now);
            let again = lines.clone();
            prop_assert!(!settle(&mut lines, now), "settled twice: {:?}", again);
            prop_assert_eq!(&lines, &again);
            prop_assert_eq!(lines.iter().map(|l| l.capacity).sum::<i64>(), capacity, "{:?}", &lines);
            prop_assert_eq!(lines.iter().map(|l| l.taken).sum::<i64>(), sold);
            prop_assert!(sold <= capacity);
            for line in &lines {
                prop_assert!(0 <= line.taken && line.taken <= line.capacity, "{:?}", line);
                let floor = kept.iter().find(|(c, _)| *c == line.channel).unwrap().1;
                prop_assert!(line.capacity >= floor, "what is kept was handed away: {:?}", line);
            }
        }
    }
}
