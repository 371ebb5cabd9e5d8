//! What is told, in which words, to whom, when.

use base::Lang;
use notify::settings::Quiet;
use notify::{Kind, Settings};
use store::args;
use store::testing::{TestDb, each_db};

use crate::support::{H, HOUR, MINUTE, each_world, migrations};

#[tokio::test]
async fn every_statement_is_understood() {
    each_db(&migrations(), async |t: TestDb| {
        for sql in notify::statements() {
            if let Err(error) = t.db.prepare(sql).await {
                panic!("{} on {:?}: {error}: {:?}", sql.name, t.backend(), std::error::Error::source(&error));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_follower_gets_a_template_message() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        assert!(w.told(Kind::AppointmentConfirmed, account).await);
        assert_eq!(w.notice().await, ("waiting", ""));
        assert_eq!(w.work().await, 1);
        let sent = &w.fake.templates()[0];
        assert_eq!(sent["touser"], "o1");
        assert_eq!(sent["template_id"], "T-appointment_confirmed");
        assert_eq!(sent["url"], "https://wx.example.org/auth/wechat?to=/appointments/apt_1");
        assert_eq!(sent["client_msg_id"].as_str().unwrap().len(), 32);
        // The name came unmasked, and is masked here.
        assert_eq!(sent["data"]["thing1"]["value"], "张*");
        assert_eq!(sent["data"]["thing3"]["value"], "李明");
        assert_eq!(sent["data"]["time4"]["value"], "2026年11月25日 09:00");
        assert_eq!(sent["data"]["thing5"]["value"], "东院区 305 诊室");
        assert_eq!(w.notice().await, ("sent", "template"));
        assert!(w.fake.texts().is_empty());
        assert_eq!(w.work().await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_account_chooses_the_language() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.speaks(account, Lang::En).await;
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        let sent = &w.fake.templates()[0]["data"];
        assert_eq!(sent["thing3"]["value"], "Li Ming");
        assert_eq!(sent["time4"]["value"], "2026-11-25 09:00");
        assert_eq!(sent["thing5"]["value"], "East Campus, Room 3…");
    })
    .await;
}

#[tokio::test]
async fn who_does_not_follow_gets_an_sms() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.unfollows("o1").await;
        w.speaks(account, Lang::En).await;
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        assert_eq!(w.fake.calls("template"), 0);
        let sms = &w.fake.texts()[0];
        assert_eq!(sms["phone"], "13800000001");
        assert_eq!(sms["sign"], "Xinglin Hospital");
        assert_eq!(sms["template_code"], "XL_APPOINTMENT_CONFIRMED_EN");
        assert_eq!(
            sms["params"],
            serde_json::json!({"person": "张*", "who": "Li Ming", "time": "Wed 25 Nov 09:00–09:30", "place": "East Campus, Room 305"})
        );
        assert_eq!(w.notice().await, ("sent", "sms"));
        // The secret travels in a header, and stands nowhere readable.
        assert_eq!(w.fake.seen().headers["x-app-secret"], "vendor-secret");
        assert!(!w.rows("SELECT * FROM sms_vendor").await.contains("vendor-secret"));
        assert!(!w.rows("SELECT * FROM delivery").await.contains("13800000001"));
    })
    .await;
}

#[tokio::test]
async fn told_twice_is_told_once() {
    each_world(async |w| {
        let one = w.follower("o1").await;
        let other = w.follower("o2").await;
        assert!(w.told(Kind::AppointmentConfirmed, one).await);
        assert!(!w.told(Kind::AppointmentConfirmed, one).await);
        assert!(w.told(Kind::AppointmentConfirmed, other).await);
        assert!(w.told(Kind::AppointmentReminder, one).await);
        assert!(w.told_of("apt_2", Kind::AppointmentConfirmed, one).await);
        w.work().await;
        assert!(!w.told(Kind::AppointmentConfirmed, one).await);
        assert_eq!(w.work().await, 0);
        assert_eq!(w.fake.templates().len(), 4);
        let all = notify::of_subject_to(w.db(), H, "apt_1", one).await.unwrap();
        assert_eq!(
            all.iter().map(|n| n.kind).collect::<Vec<_>>(),
            [Kind::AppointmentConfirmed, Kind::AppointmentReminder]
        );
    })
    .await;
}

#[tokio::test]
async fn a_command_that_is_given_up_tells_nothing() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        let mut tx = w.db().begin().await.unwrap();
        let tell = w.tell("apt_1", Kind::AppointmentConfirmed, account);
        assert!(notify::tell(&mut tx, H, tell).await.unwrap());
        tx.rollback().await.unwrap();
        assert_eq!(w.work().await, 0);
        assert!(w.notices().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_no_longer_true_is_not_told() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        let later = notify::Tell {
            send_after: Some(w.now().plus(HOUR)),
            ..w.tell("apt_1", Kind::AppointmentReminder, account)
        };
        w.tells(later).await;
        let mut tx = w.db().begin().await.unwrap();
        let kinds = [Kind::AppointmentConfirmed, Kind::AppointmentReminder];
        assert_eq!(notify::cancel(&mut tx, H, "apt_1", &kinds).await.unwrap(), 1);
        tx.commit().await.unwrap();
        w.pass(2 * HOUR);
        assert_eq!(w.work().await, 0);
        assert_eq!(w.fake.templates().len(), 1);
        assert_eq!(w.notice().await, ("sent", "template"));
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_cancelled_in_a_workers_hands_is_not_sent() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.told(Kind::AppointmentReminder, account).await;
        let taken = w.taken().await;
        let mut tx = w.db().begin().await.unwrap();
        assert_eq!(notify::cancel(&mut tx, H, "apt_1", &[Kind::AppointmentReminder]).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert!(notify::worker::prepare(&w.deps, taken).await.unwrap().is_none());
        assert_eq!(w.fake.calls("template"), 0);
        assert!(w.notices().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn it_waits_for_its_time() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        let later = notify::Tell {
            send_after: Some(w.now().plus(HOUR)),
            ..w.tell("apt_1", Kind::AppointmentReminder, account)
        };
        w.tells(later).await;
        w.pass(59 * MINUTE);
        assert_eq!(w.work().await, 0);
        w.pass(MINUTE);
        assert_eq!(w.work().await, 1);
        assert_eq!(w.fake.templates().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn phones_are_left_in_peace_at_night() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.pass(14 * HOUR); // 22:00
        w.told(Kind::AppointmentReminder, account).await;
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        assert_eq!(w.fake.templates().len(), 1);
        assert_eq!(w.fake.templates()[0]["template_id"], "T-appointment_confirmed");
        w.pass(9 * HOUR + 29 * MINUTE);
        assert_eq!(w.work().await, 0);
        w.pass(MINUTE); // 07:30
        w.work().await;
        assert_eq!(w.fake.templates().len(), 2);
        // With other hours set, nothing waits.
        let never = Quiet { from: base::WallTime::default(), until: base::WallTime::default() };
        w.set(&Settings { quiet: never, ..Settings::default() }).await;
        w.pass(14 * HOUR);
        w.told_of("apt_2", Kind::AppointmentReminder, account).await;
        w.work().await;
        assert_eq!(w.fake.templates().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn what_is_over_is_not_sent() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.told(Kind::AppointmentReminder, account).await;
        w.pass(50 * HOUR);
        w.work().await;
        assert_eq!(w.fake.calls("template"), 0);
        assert_eq!(w.notice().await, ("failed", ""));
        assert_eq!(w.number("SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'expired'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn who_can_not_be_reached_is_shown_and_told_when_they_follow() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.unfollows("o1").await;
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        assert_eq!(w.notice().await, ("failed", ""));
        w.pass(MINUTE);
        w.follows("o1", w.now()).await;
        let subscribers = notify::capability(w.deps.clone()).subscribers;
        while store::events::turn(w.db(), &subscribers).await.unwrap() > 0 {}
        w.work().await;
        assert_eq!(w.notice().await, ("sent", "template"));
    })
    .await;
}

#[tokio::test]
async fn the_chat_is_used_while_it_is_open() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.without_templates().await;
        w.writes("o1").await;
        w.pass(47 * HOUR);
        for n in 0..6 {
            w.told_of(&format!("apt_{n}"), Kind::AppointmentConfirmed, account).await;
            w.work().await;
        }
        let chats = w.fake.chats();
        assert_eq!((chats.len(), w.fake.texts().len()), (5, 1));
        let text = chats[1]["text"]["content"].as_str().unwrap();
        assert!(text.starts_with("张*的预约已成功。\n时间："), "{text}");
        assert!(
            text.ends_with(
                "<a href=\"https://wx.example.org/auth/wechat?to=/appointments/apt_1\">查看详情</a>"
            ),
            "{text}"
        );
        // They write again: five more.
        w.pass(MINUTE);
        w.writes("o1").await;
        w.told_of("apt_7", Kind::AppointmentConfirmed, account).await;
        w.work().await;
        assert_eq!(w.fake.chats().len(), 6);
        w.pass(48 * HOUR);
        w.told_of("apt_8", Kind::AppointmentConfirmed, account).await;
        w.work().await;
        assert_eq!((w.fake.chats().len(), w.fake.texts().len()), (6, 2));
    })
    .await;
}

#[tokio::test]
async fn a_sensitive_department_is_not_named() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.without_templates().await;
        w.set(&Settings { sensitive_departments: vec!["dep_1".into()], ..Settings::default() }).await;
        w.told(Kind::AppointmentReminder, account).await;
        w.work().await;
        let params = w.fake.texts()[0]["params"].to_string();
        assert!(params.contains("李明") && params.contains("东院区"), "{params}");
        assert!(!params.contains("心血管") && !params.contains("305"), "{params}");
    })
    .await;
}

#[tokio::test]
async fn with_several_hospitals_links_have_a_prefix() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        let profile = w.deps.hospitals.get(H).unwrap().profile.clone();
        w.deps.hospitals.add(base::HospitalId(2), "other", &profile, "Asia/Shanghai").await.unwrap();
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        assert_eq!(
            w.fake.templates()[0]["url"],
            "https://wx.example.org/h/xl/auth/wechat?to=/appointments/apt_1"
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_long_ago_is_forgotten() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        let sweeps = notify::capability(w.deps.clone()).sweeps;
        let forget = sweeps.iter().find(|s| s.name() == "notify.forget").unwrap();
        w.pass(390 * 24 * HOUR);
        assert!(!forget.run(w.db()).await.unwrap());
        assert_eq!(w.notices().await.len(), 1);
        w.pass(20 * 24 * HOUR);
        assert!(forget.run(w.db()).await.unwrap());
        assert!(w.notices().await.is_empty());
        assert_eq!(w.number("SELECT CAST(COUNT(*) AS BIGINT) FROM delivery").await, 0);
        assert_eq!(w.number("SELECT CAST(COUNT(*) AS BIGINT) FROM template_receipt").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_row_of_a_newer_program_holds_nobody_up() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.told_of("apt_0", Kind::AppointmentConfirmed, account).await;
        w.exec("UPDATE message SET kind = 'something_new' WHERE hospital_id = $1", args![H]).await;
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        assert_eq!(w.fake.templates().len(), 1);
        assert_eq!(w.notice().await, ("sent", "template"));
    })
    .await;
}
