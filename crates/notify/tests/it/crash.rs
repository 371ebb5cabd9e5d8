//! A node dies between two steps; another takes up what it left.

use std::time::Duration;

use notify::Kind;
use notify::rules::{Outcome, Why};
use notify::worker::{LEASE, claim, prepare, settle, transmit};

use crate::fake::Say;
use crate::support::{HOUR, MINUTE, World, each_world};

const CONFIRMED: Kind = Kind::AppointmentConfirmed;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Template,
    Custom,
    Sms,
}

async fn told(w: &World, way: Way) {
    let account = w.follower_with_phone("o1").await;
    if way != Way::Template {
        w.without_templates().await;
    }
    if way == Way::Custom {
        w.writes("o1").await;
    }
    w.told(CONFIRMED, account).await;
}

fn on_phones(w: &World) -> usize {
    w.fake.seen().arrived.len()
}

#[tokio::test]
async fn before_anything_is_written_down() {
    for way in [Way::Template, Way::Custom, Way::Sms] {
        each_world(async |w| {
            told(&w, way).await;
            drop(w.taken().await);
            assert_eq!(w.work().await, 0, "the lease holds");
            w.pass(LEASE);
            w.work().await;
            assert_eq!(on_phones(&w), 1, "{way:?}");
            assert_eq!(w.notice().await.0, "sent");
        })
        .await;
    }
}

#[tokio::test]
async fn before_it_is_sent() {
    for (way, phones, state) in
        [(Way::Template, 1, "sent"), (Way::Sms, 1, "sent"), (Way::Custom, 0, "unknown")]
    {
        each_world(async |w| {
            told(&w, way).await;
            drop(w.prepared().await);
            assert_eq!(w.notice().await.0, "waiting");
            assert_eq!(w.work().await, 0, "the lease holds");
            w.pass(LEASE);
            w.work().await;
            assert_eq!(on_phones(&w), phones, "{way:?}");
            assert_eq!(w.notice().await.0, state, "{way:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn before_the_outcome_is_written_down() {
    for (way, state) in [(Way::Template, "sent"), (Way::Sms, "sent"), (Way::Custom, "unknown")] {
        each_world(async |w| {
            told(&w, way).await;
            let attempt = w.prepared().await;
            assert!(matches!(transmit(&attempt).await, Outcome::Accepted { .. }));
            drop(attempt);
            w.pass(LEASE);
            w.work().await;
            assert_eq!(on_phones(&w), 1, "{way:?}");
            assert_eq!(w.notice().await.0, state, "{way:?}");
            // The vendor was asked, not told again.
            assert_eq!(
                (w.fake.calls("query"), w.fake.calls("sms")),
                if way == Way::Sms { (1, 1) } else { (0, 0) }
            );
        })
        .await;
    }
}

#[tokio::test]
async fn when_everybody_was_dead_for_an_hour() {
    for (way, state, phones) in [(Way::Template, "unknown", 0), (Way::Sms, "sent", 1)] {
        each_world(async |w| {
            told(&w, way).await;
            drop(w.prepared().await);
            w.pass(HOUR);
            w.work().await;
            assert_eq!((w.notice().await.0, on_phones(&w)), (state, phones), "{way:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn an_sms_that_never_left_is_not_sent_when_it_is_over() {
    each_world(async |w| {
        told(&w, Way::Sms).await;
        drop(w.prepared().await);
        w.pass(50 * HOUR);
        w.work().await;
        // After a day nobody asks any more.
        assert_eq!((w.notice().await.0, on_phones(&w)), ("unknown", 0));
    })
    .await;
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.without_templates().await;
        let tell = notify::Tell { expires_at: w.now().plus(MINUTE), ..w.tell("apt_1", CONFIRMED, account) };
        w.tells(tell).await;
        drop(w.prepared().await);
        w.pass(HOUR);
        w.work().await;
        assert_eq!((w.notice().await.0, on_phones(&w), w.fake.calls("query")), ("failed", 0, 1));
    })
    .await;
}

#[tokio::test]
async fn twice_settled_is_once() {
    each_world(async |w| {
        told(&w, Way::Template).await;
        let attempt = w.prepared().await;
        let outcome = transmit(&attempt).await;
        settle(&w.deps, &attempt, &outcome).await.unwrap();
        let before = w.rows("SELECT * FROM message").await;
        settle(&w.deps, &attempt, &outcome).await.unwrap();
        settle(&w.deps, &attempt, &Outcome::Later(Why::new("x", ""))).await.unwrap();
        assert_eq!(w.rows("SELECT * FROM message").await, before);
        assert_eq!(w.work().await, 0);
    })
    .await;
}

/// A worker was paused for so long that another took over. Its bad news is old news.
#[tokio::test]
async fn bad_news_of_a_worker_that_lost_its_lease_is_not_heard() {
    each_world(async |w| {
        told(&w, Way::Template).await;
        let slow = w.prepared().await;
        w.pass(LEASE);
        let taken = claim(&w.deps, 1).await.unwrap().pop().unwrap();
        let quick = prepare(&w.deps, taken).await.unwrap().unwrap();
        assert_eq!(slow.reference(), quick.reference());
        // The slow one says "not sent, later" while the quick one is sending.
        settle(&w.deps, &slow, &Outcome::Later(Why::new("45011", ""))).await.unwrap();
        let outcome = transmit(&quick).await;
        settle(&w.deps, &quick, &outcome).await.unwrap();
        assert_eq!(w.notice().await, ("sent", "template"));
        w.pass(HOUR);
        assert_eq!(w.work().await, 0);
        assert_eq!(on_phones(&w), 1);
    })
    .await;
}

#[tokio::test]
async fn good_news_that_comes_late_clears_up_what_was_not_known() {
    each_world(async |w| {
        told(&w, Way::Custom).await;
        let slow = w.prepared().await;
        w.pass(LEASE);
        w.work().await;
        assert_eq!(w.notice().await.0, "unknown");
        let outcome = transmit(&slow).await;
        settle(&w.deps, &slow, &outcome).await.unwrap();
        assert_eq!(w.notice().await, ("sent", "custom"));
    })
    .await;
}

#[tokio::test]
async fn a_vendor_that_can_not_be_asked_is_asked_again() {
    each_world(async |w| {
        told(&w, Way::Sms).await;
        w.fake.say(&[Say::YesButLost]);
        w.work().await;
        w.fake.seen().always = Some(Say::Lost);
        for _ in 0..5 {
            w.pass(5 * MINUTE);
            w.work().await;
        }
        assert_eq!(w.notice().await, ("waiting", "sms"));
        assert!(w.fake.calls("query") >= 3);
        w.fake.seen().always = None;
        w.pass(30 * MINUTE);
        w.work().await;
        assert_eq!(w.notice().await, ("sent", "sms"));
        assert_eq!((w.fake.calls("sms"), on_phones(&w)), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn words_do_not_change_between_two_tries() {
    each_world(async |w| {
        told(&w, Way::Sms).await;
        w.fake.say(&[Say::Lost]);
        w.work().await;
        let account = w.follower("o1").await;
        w.speaks(account, base::Lang::En).await;
        w.pass(Duration::from_secs(5));
        w.work().await;
        let calls = w.fake.seen().calls.clone();
        let sends: Vec<_> = calls.iter().filter(|c| c.path == "sms").map(|c| c.body.clone()).collect();
        assert_eq!(sends.len(), 2);
        assert_eq!(sends[0], sends[1]);
    })
    .await;
}
