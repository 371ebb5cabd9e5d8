//! What is done about a push afterwards: once, in order, and whoever dies.

use std::time::Duration;

use ::store::testing::{TestDb, each_db};
use tokio_util::sync::CancellationToken;

use super::lab::*;
use crate::entrance::{self, rules, store, worker};

const FOLLOW: &str = "<MsgType>event</MsgType><Event>subscribe</Event>";
/// Nothing waits before it.
const EVER: base::UnixMs = base::UnixMs(i64::MAX);
const LEAVE: &str = "<MsgType>event</MsgType><Event>unsubscribe</Event>";

#[tokio::test]
async fn a_worker_that_dies_between_taking_and_doing_is_replaced() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&at(EARLIER_S, FOLLOW)).await;
        let taken = store::claim(&t.db, EVER).await.unwrap();
        assert_eq!(taken.len(), 1);
        // It died. Until its lease is over nobody touches the push.
        assert_eq!(lab.work().await, 0);
        t.pass(store::LEASE + Duration::from_millis(1));
        assert_eq!(lab.work().await, 1);
        assert_eq!(lab.states().await, ["done"]);
        // It was only slow: its mark comes too late, and what it did goes with it.
        let mut tx = t.db.begin().await.unwrap();
        assert!(!store::done(&mut tx, &taken[0]).await.unwrap());
        let events: Vec<String> = column(&t.db, EVENTS, vec![]).await;
        assert_eq!(events, ["people.followed"]);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_dies_in_the_middle_leaves_nothing() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&at(EARLIER_S, FOLLOW)).await;
        let taken = store::claim(&t.db, EVER).await.unwrap();
        let mut tx = t.db.begin().await.unwrap();
        people::wechat_user::followed(&mut tx, &lab.channel(), OPENID, t.db.now(), None).await.unwrap();
        assert!(store::done(&mut tx, &taken[0]).await.unwrap());
        drop(tx);
        assert_eq!(lab.following().await, None);
        t.pass(store::LEASE + Duration::from_millis(1));
        assert_eq!(lab.work().await, 1);
        assert_eq!(lab.following().await, Some((1, EARLIER_S * 1000)));
        let events: Vec<String> = column(&t.db, EVENTS, vec![]).await;
        assert_eq!(events, ["people.followed"]);
    })
    .await;
}

#[tokio::test]
async fn one_persons_pushes_keep_their_order_and_other_people_do_not_wait() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&text("一", 1)).await;
        let first = store::claim(&t.db, EVER).await.unwrap();
        lab.push(&text("二", 2)).await;
        lab.push(&text("三", 3).replace(OPENID, "oBob")).await;
        // While the first is being worked on, only the other person's can be had.
        let next = store::claim(&t.db, EVER).await.unwrap();
        assert_eq!(next.iter().map(|push| push.openid.as_str()).collect::<Vec<_>>(), ["oBob"]);
        let mut tx = t.db.begin().await.unwrap();
        assert!(store::done(&mut tx, &first[0]).await.unwrap());
        tx.commit().await.unwrap();
        let then = store::claim(&t.db, EVER).await.unwrap();
        assert_eq!(then.iter().map(|push| push.openid.as_str()).collect::<Vec<_>>(), [OPENID]);
    })
    .await;
}

#[tokio::test]
async fn what_comes_late_does_not_undo_what_came_after() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        // The person followed at half past, left a minute later; the two arrive the other way round.
        lab.push(&at(EARLIER_S + 60, LEAVE)).await;
        lab.push(&at(EARLIER_S, FOLLOW)).await;
        assert_eq!(lab.work().await, 2);
        assert_eq!(lab.following().await, Some((0, (EARLIER_S + 60) * 1000)));
    })
    .await;
}

#[tokio::test]
async fn the_language_of_the_chat_is_the_persons() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&at(EARLIER_S, FOLLOW)).await;
        assert!(lab.shown(&lab.push(&text("book", 1)).await, KEY).starts_with("请点这里"));
        assert!(lab.shown(&lab.push(&text("English", 2)).await, KEY).starts_with("Done."));
        lab.work().await;
        assert_eq!(column::<String>(&t.db, LANG, vec![]).await, ["en"]);
        assert!(lab.shown(&lab.push(&text("挂号", 3)).await, KEY).starts_with("Choose a department"));
        let tapped = event("<Event>CLICK</Event><EventKey>中文</EventKey>");
        assert!(lab.shown(&lab.push(&tapped).await, KEY).starts_with("好的"));
        lab.work().await;
        assert_eq!(column::<String>(&t.db, LANG, vec![]).await, ["zh"]);
    })
    .await;
}

#[tokio::test]
async fn what_fails_is_tried_again_with_pauses_and_given_up_in_the_end() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&at(EARLIER_S, FOLLOW)).await;
        change(&t.db, "UPDATE wechat_push SET body = 'broken'", vec![]).await;
        let mut turns = 0;
        for _ in 0..200 {
            turns += lab.work().await;
            t.pass(Duration::from_secs(900));
        }
        assert_eq!(turns, usize::try_from(rules::ATTEMPTS).unwrap());
        assert_eq!(lab.states().await, ["failed"]);
        assert_eq!(entrance::failed(&t.db).await.unwrap(), 1);
        assert_eq!(entrance::backlog(&t.db).await.unwrap(), 0);
        let errors: Vec<String> = column(&t.db, ERRORS, vec![]).await;
        assert_eq!(errors, ["sealed value: unknown form"]);
    })
    .await;
}

#[tokio::test]
async fn a_push_that_breaks_off_each_attempt_is_given_up() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&at(EARLIER_S, FOLLOW)).await;
        for _ in 0..rules::BROKEN_OFF {
            assert_eq!(store::claim(&t.db, EVER).await.unwrap().len(), 1);
            t.pass(store::LEASE + Duration::from_millis(1));
        }
        assert_eq!(lab.work().await, 1);
        assert_eq!(lab.states().await, ["failed"]);
    })
    .await;
}

#[tokio::test]
async fn done_pushes_are_forgotten_after_a_week() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&text("一", 1)).await;
        lab.work().await;
        lab.push(&text("二", 2)).await;
        let sweep = entrance::capability().sweeps.remove(0);
        t.pass(rules::REMEMBERED);
        assert!(!sweep.run(&t.db).await.unwrap());
        t.pass(Duration::from_millis(1));
        assert!(sweep.run(&t.db).await.unwrap());
        // What still waits is never swept.
        assert_eq!(lab.states().await, ["new"]);
    })
    .await;
}

#[tokio::test]
async fn the_worker_wakes_by_itself_and_stops_when_told() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let stop = CancellationToken::new();
        let running = tokio::spawn(worker::run(lab.deps.clone(), stop.clone()));
        for n in 0..20 {
            lab.push(&text("挂号", n)).await;
        }
        let done = async {
            while lab.states().await != ["done"; 20] {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), done).await.unwrap();
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_account_that_was_taken_away_does_not_hold_the_worker_up() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&at(EARLIER_S, FOLLOW)).await;
        change(&t.db, "DELETE FROM channel_account", vec![]).await;
        let after = lab.node(t.node().await).await;
        assert_eq!(after.work().await, 1);
        assert_eq!(after.states().await, ["done"]);
    })
    .await;
}

#[tokio::test]
async fn what_became_of_a_template_message_is_told_on() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let finished = |at_s| {
            at(at_s, "<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>7</MsgID><Status>success</Status>")
        };
        for at_s in [EARLIER_S, EARLIER_S + 1] {
            assert_eq!(lab.push(&finished(at_s)).await.body, "success");
        }
        assert_eq!(lab.work().await, 2);
        assert_eq!(column::<String>(&t.db, RECEIPTS, vec![]).await, ["delivered"]);
        assert_eq!(lab.following().await, None, "it says nothing of the person");
    })
    .await;
}
