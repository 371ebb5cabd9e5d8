//! What WeChat says afterwards.

use notify::worker::{settle, transmit};
use notify::{Kind, template_finished};
use wechat::message::Delivery;

use crate::support::{H, World, each_world};

const CONFIRMED: Kind = Kind::AppointmentConfirmed;

async fn finished(w: &World, msg_id: u64, report: &Delivery) {
    let mut tx = w.db().begin().await.unwrap();
    template_finished(&mut tx, H, w.channel.id, msg_id, report).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn delivered_is_shown() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.told(CONFIRMED, account).await;
        w.work().await;
        finished(&w, 9_001, &Delivery::Delivered).await;
        assert_eq!(w.notice().await, ("delivered", "template"));
        // Again, otherwise, and about others: nothing changes.
        finished(&w, 9_001, &Delivery::Delivered).await;
        finished(&w, 9_001, &Delivery::Blocked).await;
        finished(&w, 4_711, &Delivery::Blocked).await;
        assert_eq!(w.notice().await, ("delivered", "template"));
        assert_eq!(w.work().await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_event_may_come_before_the_answer_is_written_down() {
    for (report, state) in
        [(Delivery::Delivered, ("delivered", "template")), (Delivery::Blocked, ("sent", "sms"))]
    {
        each_world(async |w| {
            let account = w.follower_with_phone("o1").await;
            w.told(CONFIRMED, account).await;
            let attempt = w.prepared().await;
            let outcome = transmit(&attempt).await;
            finished(&w, 9_001, &report).await;
            assert_eq!(w.notice().await.0, "waiting");
            settle(&w.deps, &attempt, &outcome).await.unwrap();
            w.work().await;
            assert_eq!(w.notice().await, state);
        })
        .await;
    }
}

#[tokio::test]
async fn the_event_and_the_answer_may_come_at_the_same_moment() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        for n in 0..8_u64 {
            w.told_of(&format!("apt_{n}"), CONFIRMED, account).await;
            let attempt = w.prepared().await;
            let outcome = transmit(&attempt).await;
            let node = w.node().await;
            let event = async {
                let mut tx = node.db.begin().await.unwrap();
                template_finished(&mut tx, H, w.channel.id, 9_001 + n, &Delivery::Delivered).await.unwrap();
                tx.commit().await.unwrap();
            };
            let (settled, ()) = tokio::join!(settle(&w.deps, &attempt, &outcome), event);
            settled.unwrap();
        }
        let delivered = "SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'delivered'";
        assert_eq!(w.number(delivered).await, 8);
    })
    .await;
}

#[tokio::test]
async fn who_blocks_the_account_is_told_by_sms_from_then_on() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.told(CONFIRMED, account).await;
        w.work().await;
        finished(&w, 9_001, &Delivery::Blocked).await;
        assert_eq!(w.notice().await, ("waiting", "template"));
        w.work().await;
        assert_eq!(w.notice().await, ("sent", "sms"));
        w.told_of("apt_2", CONFIRMED, account).await;
        w.work().await;
        assert_eq!((w.fake.calls("template"), w.fake.texts().len()), (1, 2));
    })
    .await;
}

#[tokio::test]
async fn a_failure_of_the_platform_leads_to_another_way_this_time_only() {
    each_world(async |w| {
        let account = w.follower_with_phone("o1").await;
        w.told(CONFIRMED, account).await;
        w.work().await;
        finished(&w, 9_001, &Delivery::Failed("failed: system failed".into())).await;
        w.work().await;
        assert_eq!(w.notice().await, ("sent", "sms"));
        w.told_of("apt_2", CONFIRMED, account).await;
        w.work().await;
        assert_eq!(w.fake.templates().len(), 2);
    })
    .await;
}
