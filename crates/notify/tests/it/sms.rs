//! SMS: codes, receipts, refusals.

use std::time::Duration;

use base::Lang;
use notify::{Kind, Sender};
use people::{CodePurpose, SendCode};

use crate::fake::Say;
use crate::support::{H, HOUR, MINUTE, World, each_world};

async fn code(w: &World, code: &str) {
    let hospital = w.deps.hospitals.get(H).unwrap();
    let sender = Sender::new(w.deps.vault.clone());
    let mut tx = w.db().begin().await.unwrap();
    sender.send_code(&mut tx, &hospital, "13900000009", code, Lang::Zh, CodePurpose::SignIn).await.unwrap();
    tx.commit().await.unwrap();
}

async fn everything(w: &World) -> String {
    w.rows("SELECT * FROM message").await + &w.rows("SELECT * FROM delivery").await
}

#[tokio::test]
async fn a_code_is_sent_once_and_wiped() {
    each_world(async |w| {
        code(&w, "428517").await;
        let before = everything(&w).await;
        assert!(!before.contains("428517") && !before.contains("13900000009"), "{before}");
        assert!(before.contains("1:k1:"), "{before}");
        w.work().await;
        let sms = &w.fake.texts()[0];
        assert_eq!(sms["phone"], "13900000009");
        assert_eq!(sms["template_code"], "XL_SMS_CODE_ZH");
        assert_eq!(sms["params"], serde_json::json!({"code": "428517", "minutes": "5"}));
        assert!(!everything(&w).await.contains("1:k1:"));
        w.pass(HOUR);
        assert_eq!(w.work().await, 0);
        assert_eq!((w.fake.texts().len(), w.fake.calls("query")), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_code_goes_before_everything_else() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        for n in 0..5 {
            w.told_of(&format!("apt_{n}"), Kind::AppointmentConfirmed, account).await;
        }
        w.pass(MINUTE);
        code(&w, "428517").await;
        let first = w.prepared().await;
        assert_eq!(first.channel(), notify::Channel::Sms);
    })
    .await;
}

#[tokio::test]
async fn a_code_that_is_over_is_wiped_and_not_sent() {
    each_world(async |w| {
        code(&w, "428517").await;
        w.pass(5 * MINUTE);
        w.work().await;
        assert_eq!(w.fake.calls("sms"), 0);
        assert!(!everything(&w).await.contains("1:k1:"));
    })
    .await;
}

#[tokio::test]
async fn a_code_with_a_lost_answer_is_asked_for_and_wiped_in_the_end() {
    each_world(async |w| {
        w.fake.say(&[Say::YesButLost]);
        code(&w, "428517").await;
        w.work().await;
        assert!(everything(&w).await.contains("1:k1:"));
        w.pass(Duration::from_secs(5));
        w.work().await;
        assert_eq!((w.fake.calls("sms"), w.fake.calls("query"), w.fake.texts().len()), (1, 1, 1));
        assert!(!everything(&w).await.contains("1:k1:"));
    })
    .await;
    each_world(async |w| {
        w.fake.say(&[Say::Lost]);
        code(&w, "428517").await;
        w.work().await;
        w.pass(10 * MINUTE);
        w.work().await;
        // It never got there, and is of no use now.
        assert_eq!((w.fake.calls("sms"), w.fake.calls("query")), (1, 1));
        assert!(!everything(&w).await.contains("1:k1:"));
    })
    .await;
}

#[tokio::test]
async fn two_codes_are_two_messages() {
    each_world(async |w| {
        code(&w, "111111").await;
        code(&w, "222222").await;
        w.work().await;
        let mut sent: Vec<_> = w.fake.texts().iter().map(|t| t["params"]["code"].to_string()).collect();
        sent.sort();
        assert_eq!(sent, ["\"111111\"", "\"222222\""]);
    })
    .await;
}

async fn by_sms(w: &World) {
    let account = w.follower_with_phone("o1").await;
    w.without_templates().await;
    w.told(Kind::AppointmentConfirmed, account).await;
    w.work().await;
}

#[tokio::test]
async fn the_vendor_is_asked_whether_it_arrived() {
    each_world(async |w| {
        by_sms(&w).await;
        assert_eq!(w.notice().await, ("sent", "sms"));
        w.pass(Duration::from_secs(30));
        w.work().await;
        assert_eq!(w.notice().await, ("sent", "sms"));
        w.fake.seen().sms_state = "delivered".into();
        w.pass(5 * MINUTE);
        w.work().await;
        assert_eq!(w.notice().await, ("delivered", "sms"));
        w.pass(HOUR);
        assert_eq!(w.work().await, 0);
        assert_eq!((w.fake.calls("query"), w.fake.texts().len()), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn nobody_asks_for_ever() {
    each_world(async |w| {
        by_sms(&w).await;
        for _ in 0..20 {
            w.pass(5 * MINUTE);
            w.work().await;
        }
        assert_eq!(w.notice().await, ("sent", "sms"));
        assert_eq!(w.fake.calls("query"), 3);
    })
    .await;
}

#[tokio::test]
async fn an_sms_that_did_not_arrive_is_shown() {
    each_world(async |w| {
        by_sms(&w).await;
        w.fake.seen().sms_state = "failed".into();
        w.pass(Duration::from_secs(30));
        w.work().await;
        assert_eq!(w.notice().await, ("failed", "sms"));
        assert_eq!(w.fake.texts().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn refusals_of_the_vendor() {
    for (code, state, later) in [
        ("isv.MOBILE_NUMBER_ILLEGAL", "failed", None),
        ("isv.BUSINESS_LIMIT_CONTROL", "waiting", Some(Duration::from_secs(15))),
        ("isv.AMOUNT_NOT_ENOUGH", "failed", Some(15 * MINUTE)),
        ("isv.DAY_LIMIT_CONTROL", "waiting", Some(17 * HOUR)),
        ("isp.SYSTEM_ERROR", "waiting", Some(Duration::from_secs(5))),
    ] {
        each_world(async |w| {
            w.fake.say(&[Say::No(code)]);
            by_sms(&w).await;
            assert_eq!(w.notice().await, (state, "sms"), "{code}");
            let Some(later) = later else { return };
            w.pass(later);
            w.work().await;
            assert_eq!(w.notice().await, ("sent", "sms"), "{code}");
            assert_eq!(w.fake.texts().len(), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn without_a_vendor_there_is_no_way() {
    each_world(async |w| {
        w.without_vendor().await;
        by_sms(&w).await;
        assert_eq!(w.notice().await, ("failed", ""));
        code(&w, "428517").await;
        w.work().await;
        assert!(!everything(&w).await.contains("1:k1:"));
    })
    .await;
}
