//! A storm: what comes together is kept together, and worked on as if it had come one by one.

use std::time::Duration;

use ::store::testing::{TestDb, each_db};
use ::store::{Sql, args};
use futures_util::future::join_all;

use super::lab::*;
use crate::entrance::{self, bundle, store};

const fn same(name: &'static str, text: &'static str) -> Sql {
    Sql { name, sqlite: text, postgres: text }
}

const BUNDLES: Sql = same("BUNDLES", "SELECT body FROM wechat_bundle");

/// So many different messages of eight people.
fn many(count: u64) -> Vec<String> {
    (0..count)
        .map(|nth| text(&format!("第{nth}句"), nth).replace(OPENID, &format!("oMany{}", nth % 8)))
        .collect()
}

/// All of them at the same moment: none is kept before the last is there.
async fn storm(lab: &Lab, messages: &[String]) -> Vec<Said> {
    join_all(messages.iter().map(|message| lab.push(message))).await
}

#[tokio::test]
async fn what_comes_together_is_one_sealed_row_and_each_push_counts_once() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        // One of them was here before.
        lab.push(&many(1)[0]).await;
        let mut messages = many(40);
        messages.push(at(EARLIER_S, "<MsgType>event</MsgType><Event>subscribe</Event>"));
        messages.push(text("English", 1_000));
        messages.extend(many(20));
        for said in storm(&lab, &messages).await {
            assert!(said.status == 200 && said.body.contains("<Encrypt>"), "{said:?}");
        }
        let bodies: Vec<String> = column(&t.db, BUNDLES, vec![]).await;
        assert!(
            bodies.len() == 1 && bodies[0].starts_with("1:") && !bodies[0].contains("oMany"),
            "{bodies:?}"
        );
        assert_eq!(lab.states().await, ["new"]);
        assert_eq!(entrance::backlog(&t.db).await.unwrap(), 63);
        assert_eq!(entrance::last_push(&t.db, &lab.channel()).await.unwrap(), Some(t.db.now()));
        assert_eq!(lab.work().await, 63);
        assert_eq!(lab.states().await, vec!["done"; 42]);
        assert_eq!(entrance::backlog(&t.db).await.unwrap(), 0);
        assert_eq!(lab.following().await, Some((1, EARLIER_S * 1000)));
        let events: Vec<String> = column(&t.db, EVENTS, vec![]).await;
        assert_eq!(events, ["people.followed", "people.language"]);
        let langs: Vec<String> = column(&t.db, LANG, vec![]).await;
        assert_eq!(langs.iter().filter(|lang| *lang == "en").count(), 1);
        assert_eq!(column::<i64>(&t.db, ACCOUNTS, vec![]).await, [9]);
        // The marks know copies for copies; the texts are gone.
        storm(&lab, &messages).await;
        lab.push(&messages[3]).await;
        lab.work().await;
        assert_eq!(lab.states().await, vec!["done"; 42]);
        let bodies: Vec<String> = column(&t.db, BODIES, vec![]).await;
        assert_eq!(
            bodies.iter().filter(|body| !body.is_empty()).count(),
            1,
            "of the one that came by itself"
        );
    })
    .await;
}

#[tokio::test]
async fn a_bundle_whose_worker_died_is_worked_on_push_by_push() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        storm(&lab, &many(20)).await;
        let taken = store::bundles::take(&t.db).await.unwrap().unwrap();
        // Later ones wait for it, in bundles or by themselves.
        t.pass(Duration::from_millis(1));
        storm(&lab, &many(60)[40..]).await;
        lab.push(&many(61)[60]).await;
        assert_eq!(lab.work().await, 0);
        t.pass(store::LEASE);
        assert!(lab.work().await > 0);
        assert_eq!(lab.states().await, vec!["done"; 41]);
        // It was only slow: what it did goes with its bundle.
        let pushes = bundle::unpack(&lab.deps.vault, &taken).unwrap();
        assert_eq!(pushes.len(), 20);
        let mut tx = t.db.begin().await.unwrap();
        assert!(!store::bundles::remove(&mut tx, &taken).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_fails_in_a_bundle_is_tried_push_by_push() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        storm(&lab, &many(20)).await;
        change(&t.db, "UPDATE hospital SET code = 'away', id = 2", args![]).await;
        let stranger = lab.node(t.node().await).await;
        assert!(stranger.work().await >= 20);
        assert_eq!(stranger.states().await, vec!["new"; 20], "each is to be tried again");
        let bodies: Vec<String> = column(&t.db, BODIES, vec![]).await;
        assert!(bodies.iter().all(|body| body.starts_with("1:")), "{bodies:?}");
        t.pass(Duration::from_secs(3600));
        assert!(lab.work().await >= 20);
        assert_eq!(lab.states().await, vec!["done"; 20]);
    })
    .await;
}

#[tokio::test]
async fn a_few_at_a_time_stay_rows_of_their_own() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        storm(&lab, &many(u64::try_from(bundle::FROM).unwrap() - 1)).await;
        assert_eq!(lab.states().await.len(), bundle::FROM - 1);
        assert!(column::<String>(&t.db, BUNDLES, vec![]).await.is_empty());
    })
    .await;
}
