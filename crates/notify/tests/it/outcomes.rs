//! What each answer of WeChat's leads to.

use std::time::Duration;

use notify::{Kind, Settings};
use store::args;

use crate::fake::Say;
use crate::support::{H, HOUR, MINUTE, World, each_world};

const CONFIRMED: Kind = Kind::AppointmentConfirmed;

async fn first(w: &World, say: &[Say]) {
    let account = w.follower_with_phone("o1").await;
    w.fake.say(say);
    w.told(CONFIRMED, account).await;
    w.work().await;
}

#[tokio::test]
async fn a_person_out_of_reach_is_told_by_another_way() {
    for code in ["43004", "43019", "48002", "40003"] {
        each_world(async |w| {
            first(&w, &[Say::No(code)]).await;
            assert_eq!((w.fake.calls("template"), w.fake.texts().len()), (1, 1), "{code}");
            assert_eq!(w.notice().await, ("sent", "sms"));
            // The next message does not try again; but once they show up, it does.
            let account = w.follower("o1").await;
            w.told_of("apt_2", CONFIRMED, account).await;
            w.work().await;
            assert_eq!((w.fake.calls("template"), w.fake.texts().len()), (1, 2));
            w.pass(MINUTE);
            w.writes("o1").await;
            w.told_of("apt_3", CONFIRMED, account).await;
            w.work().await;
            assert_eq!((w.fake.templates().len(), w.fake.texts().len()), (1, 2));
        })
        .await;
    }
}

#[tokio::test]
async fn a_closed_chat_leads_to_sms_and_says_nothing_of_the_next_message() {
    for code in ["45015", "45047"] {
        each_world(async |w| {
            let account = w.follower_with_phone("o1").await;
            w.without_templates().await;
            w.writes("o1").await;
            w.fake.say(&[Say::No(code)]);
            w.told(CONFIRMED, account).await;
            w.work().await;
            assert_eq!(w.notice().await, ("sent", "sms"));
            w.told_of("apt_2", CONFIRMED, account).await;
            w.work().await;
            assert_eq!(w.fake.chats().len(), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn nobody_left_to_ask_is_a_failure_that_shows() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.fake.say(&[Say::No("43004")]);
        w.told(CONFIRMED, account).await;
        w.work().await;
        assert_eq!(w.notice().await, ("failed", "template"));
        let undelivered = "SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE reason = 'undelivered'";
        assert_eq!(w.number(undelivered).await, 1);
    })
    .await;
}

#[tokio::test]
async fn too_fast_is_tried_later_by_the_same_way() {
    each_world(async |w| {
        first(&w, &[Say::No("45011"), Say::No("45011")]).await;
        assert_eq!(w.notice().await, ("waiting", "template"));
        w.pass(Duration::from_secs(14));
        assert_eq!(w.work().await, 0);
        w.pass(Duration::from_secs(1));
        assert_eq!(w.work().await, 1);
        w.pass(Duration::from_secs(29));
        assert_eq!(w.work().await, 0);
        w.pass(Duration::from_secs(1));
        w.work().await;
        assert_eq!(w.notice().await, ("sent", "template"));
        assert!(w.fake.texts().is_empty());
        // Attempts that surely failed have references of their own.
        let references: Vec<_> =
            w.fake.seen().calls.iter().map(|c| c.body["client_msg_id"].to_string()).collect();
        assert!(references.len() == 3 && references[0] != references[1] && references[1] != references[2]);
    })
    .await;
}

#[tokio::test]
async fn it_gives_up_in_the_end() {
    each_world(async |w| {
        first(&w, &[]).await;
        w.fake.seen().always = Some(Say::No("45011"));
        let account = w.follower("o1").await;
        let tell =
            notify::Tell { expires_at: w.now().plus(90 * 24 * HOUR), ..w.tell("apt_9", CONFIRMED, account) };
        w.tells(tell).await;
        for _ in 0..40 {
            w.work().await;
            w.pass(30 * MINUTE);
        }
        assert_eq!(w.fake.calls("template"), 21);
        let gave_up =
            "SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'failed' AND reason = 'gave_up'";
        assert_eq!(w.number(gave_up).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_used_up_quota_waits_for_midnight_for_everybody() {
    each_world(async |w| {
        w.pass(8 * HOUR); // 16:00
        first(&w, &[Say::No("45009")]).await;
        let other = w.follower("o2").await;
        w.told_of("apt_2", CONFIRMED, other).await;
        w.work().await;
        assert_eq!(w.fake.calls("template"), 1);
        assert_eq!(w.notice().await, ("waiting", "template"));
        // Whom waiting would come too late for is told by SMS.
        let soon = w.follower_with_phone("o3").await;
        let tell = notify::Tell { expires_at: w.now().plus(2 * HOUR), ..w.tell("apt_3", CONFIRMED, soon) };
        w.tells(tell).await;
        w.work().await;
        assert_eq!(w.fake.texts().len(), 1);
        w.pass(8 * HOUR);
        w.work().await;
        assert_eq!(w.fake.calls("template"), 1);
        w.pass(MINUTE);
        w.work().await;
        assert_eq!((w.fake.templates().len(), w.fake.texts().len()), (2, 1));
        assert_eq!(w.notice().await, ("sent", "template"));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_setting_fails_visibly_and_is_mended_in_time() {
    for code in ["40037", "48001", "40164", "47003", "41001", "123456"] {
        each_world(async |w| {
            first(&w, &[Say::No(code)]).await;
            assert_eq!(w.notice().await, ("failed", "template"), "{code}");
            assert!(w.fake.texts().is_empty());
            let errors = w.rows("SELECT code, detail FROM delivery").await;
            assert!(errors.contains(code), "{errors}");
            w.pass(15 * MINUTE);
            w.work().await;
            assert_eq!(w.notice().await, ("sent", "template"));
        })
        .await;
    }
}

#[tokio::test]
async fn a_wrong_setting_that_nobody_mends_stays_a_failure() {
    each_world(async |w| {
        w.fake.seen().always = Some(Say::No("48001"));
        first(&w, &[]).await;
        for _ in 0..60 {
            w.pass(HOUR);
            w.work().await;
        }
        assert_eq!(w.notice().await, ("failed", "template"));
        let due = "SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE due_at IS NOT NULL";
        assert_eq!(w.number(due).await, 0);
        assert!(w.fake.calls("template") < 30);
    })
    .await;
}

#[tokio::test]
async fn a_field_that_can_not_be_filled_in_is_found_before_sending() {
    each_world(async |w| {
        w.exec(r#"UPDATE template_map SET fields = '{"time4":"person"}' WHERE hospital_id = $1"#, args![H])
            .await;
        first(&w, &[]).await;
        assert_eq!(w.fake.calls("template"), 0);
        assert_eq!(w.notice().await, ("failed", "template"));
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_reference() {
    for say in [Say::YesButLost, Say::No("-1"), Say::Lost] {
        each_world(async |w| {
            first(&w, std::slice::from_ref(&say)).await;
            assert_eq!(w.notice().await, ("waiting", "template"), "{say:?}");
            w.pass(Duration::from_secs(5));
            w.work().await;
            assert_eq!(w.notice().await, ("sent", "template"));
            assert_eq!((w.fake.calls("template"), w.fake.templates().len()), (2, 1));
            let ids: Vec<_> =
                w.fake.seen().calls.iter().map(|c| c.body["client_msg_id"].to_string()).collect();
            assert_eq!(ids[0], ids[1]);
        })
        .await;
    }
}

#[tokio::test]
async fn past_the_ten_minutes_it_is_not_known() {
    each_world(async |w| {
        w.fake.seen().always = Some(Say::YesButLost);
        first(&w, &[]).await;
        for _ in 0..30 {
            w.pass(MINUTE);
            w.work().await;
        }
        assert_eq!(w.notice().await, ("unknown", "template"));
        assert_eq!((w.fake.templates().len(), w.fake.texts().len()), (1, 0));
        let calls = w.fake.calls("template");
        w.pass(24 * HOUR);
        assert_eq!(w.work().await, 0);
        assert_eq!(w.fake.calls("template"), calls);
    })
    .await;
}

#[tokio::test]
async fn a_chat_message_with_a_lost_answer_is_not_known_at_once() {
    each_world(async |w| {
        w.without_templates().await;
        let account = w.follower_with_phone("o1").await;
        w.writes("o1").await;
        w.fake.say(&[Say::YesButLost]);
        w.told(CONFIRMED, account).await;
        w.work().await;
        w.pass(HOUR);
        w.work().await;
        assert_eq!(w.notice().await, ("unknown", "custom"));
        assert_eq!((w.fake.calls("custom"), w.fake.texts().len()), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn nobody_there_is_tried_later() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.unfollows("o1").await;
        // A port that nobody listens on.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        w.exec("UPDATE sms_vendor SET base_url = $2 WHERE hospital_id = $1", args![H, nobody]).await;
        w.told(CONFIRMED, account).await;
        w.work().await;
        assert_eq!(w.notice().await, ("waiting", "sms"));
        w.exec("UPDATE sms_vendor SET base_url = $2 WHERE hospital_id = $1", args![H, &w.fake.base]).await;
        w.pass(Duration::from_secs(15));
        w.work().await;
        assert_eq!(w.notice().await, ("sent", "sms"));
    })
    .await;
}

#[tokio::test]
async fn a_day_has_so_many_sms() {
    each_world(async |w| {
        w.pass(8 * HOUR); // 16:00
        w.set(&Settings { sms_per_day: 2, ..Settings::default() }).await;
        w.without_templates().await;
        for n in 0..4 {
            let account = w.follower_with_phone(&format!("o{n}")).await;
            w.told_of(&format!("apt_{n}"), CONFIRMED, account).await;
        }
        w.work().await;
        assert_eq!(w.fake.texts().len(), 2);
        w.pass(7 * HOUR);
        w.work().await;
        assert_eq!(w.fake.texts().len(), 2);
        w.pass(HOUR);
        w.work().await;
        assert_eq!(w.fake.texts().len(), 4);
    })
    .await;
}
