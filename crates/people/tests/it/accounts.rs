//! What a chat tells of its people, and how accounts are reached.

use base::{Lang, UnixMs};
use people::{Activity, Channel, contact, wechat_user};
use serde_json::json;
use store::testing::{MORNING, TestDb, each_db};
use store::vault::Purpose;

use crate::clinic::{self, ACCOUNTS, Clinic, H, MINUTE, resident, service_account};

fn at(seconds: i64) -> UnixMs {
    UnixMs(MORNING.0 + seconds * 1000)
}

async fn channel(clinic: &Clinic) -> std::sync::Arc<Channel> {
    clinic.add_channel(&service_account("http://127.0.0.1:9")).await;
    clinic.channels.service(H).unwrap()
}

#[tokio::test]
async fn following_and_leaving_in_any_order() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let channel = channel(&clinic).await;
        let mut tx = t.db.begin().await.unwrap();
        let id = wechat_user::followed(&mut tx, &channel, "o-anna", at(10), Some("poster-7")).await.unwrap();
        assert_eq!(wechat_user::lang_of_openid(&mut tx, H, channel.id, "o-anna").await.unwrap(), None);
        assert_eq!(wechat_user::unfollowed(&mut tx, &channel, "o-anna", at(20)).await.unwrap(), id);
        // Pushes overtake each other: what is older than what we know changes nothing.
        wechat_user::followed(&mut tx, &channel, "o-anna", at(15), None).await.unwrap();
        tx.commit().await.unwrap();
        let reached = contact::of_account(&t.db, H, id).await.unwrap();
        assert!(!reached.wechat[0].following);
        let mut tx = t.db.begin().await.unwrap();
        wechat_user::followed(&mut tx, &channel, "o-anna", at(30), None).await.unwrap();
        wechat_user::unfollowed(&mut tx, &channel, "o-anna", at(20)).await.unwrap();
        tx.commit().await.unwrap();
        let reached = contact::of_account(&t.db, H, id).await.unwrap();
        assert!(reached.wechat[0].following);
        assert_eq!((reached.lang, reached.elder, reached.phone.is_none()), (Lang::Zh, false, true));
        let events = clinic.events("people.followed").await;
        let following: Vec<_> = events.iter().map(|e| e["following"].as_bool().unwrap()).collect();
        assert_eq!(following, [true, false, true]);
        let want = json!({"account": id, "channel": channel.id, "following": true, "scene": "poster-7"});
        assert_eq!(events[0], want);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_did_last_opens_a_window() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let channel = channel(&clinic).await;
        let mut tx = t.db.begin().await.unwrap();
        let id = wechat_user::seen(&mut tx, &channel, "o-anna", at(5), Activity::Message).await.unwrap();
        wechat_user::seen(&mut tx, &channel, "o-anna", at(9), Activity::Menu).await.unwrap();
        wechat_user::seen(&mut tx, &channel, "o-anna", at(7), Activity::Scan).await.unwrap();
        tx.commit().await.unwrap();
        let reached = contact::of_account(&t.db, H, id).await.unwrap();
        let one = &reached.wechat[0];
        assert_eq!((one.last_message_at, one.last_active_at), (Some(at(5)), Some(at(9))));
        assert!(one.following, "only followers can write to us");
        assert_eq!((one.openid.as_str(), one.channel_account), ("o-anna", channel.id));
    })
    .await;
}

#[tokio::test]
async fn one_person_is_one_account_however_many_pushes_come_at_once() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let channel = channel(&clinic).await;
        let mut pushes = tokio::task::JoinSet::new();
        for n in 0..32 {
            let (db, channel) = (t.db.clone(), channel.clone());
            pushes.spawn(async move {
                let mut tx = db.begin().await.unwrap();
                let id = match n % 3 {
                    0 => wechat_user::followed(&mut tx, &channel, "o-anna", at(n), None).await.unwrap(),
                    1 => wechat_user::seen(&mut tx, &channel, "o-anna", at(n), Activity::Menu).await.unwrap(),
                    _ => wechat_user::account_of_openid(&mut tx, H, channel.id, "o-anna", true)
                        .await
                        .unwrap()
                        .unwrap(),
                };
                tx.commit().await.unwrap();
                id
            });
        }
        let ids: std::collections::HashSet<_> = pushes.join_all().await.into_iter().collect();
        assert_eq!((ids.len(), clinic.count(ACCOUNTS).await), (1, 1));
        let mut tx = t.db.begin().await.unwrap();
        let nobody = wechat_user::account_of_openid(&mut tx, H, channel.id, "o-ben", false).await.unwrap();
        assert_eq!(nobody, None);
    })
    .await;
}

#[tokio::test]
async fn names_and_phones_open_for_a_purpose() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in("13800138000").await;
        t.pass(MINUTE);
        let person = browser.add("张三丰", &resident("1990-01-01", 1), "13900139000", "self").await.is(201);
        let id = person["id"].as_str().unwrap().parse().unwrap();
        let name = contact::name_of(&t.db, &clinic.vault, H, id, Purpose::Notify).await.unwrap();
        assert_eq!(name, "张三丰");
        let last = clinic.audited(person["id"].as_str().unwrap()).await.pop().unwrap();
        assert_eq!(last, ("person.open".to_owned(), json!({"fields": ["name"], "purpose": "notify"})));
        let account = browser.session().await["account_id"].as_str().unwrap().parse().unwrap();
        let phone = contact::of_account(&t.db, H, account).await.unwrap().phone.unwrap();
        assert_eq!(contact::open_phone(&clinic.vault, H, &phone, Purpose::Notify).unwrap(), "13800138000");
        let phone = contact::phone_of_person(&t.db, H, id).await.unwrap().unwrap();
        assert_eq!(contact::open_phone(&clinic.vault, H, &phone, Purpose::Notify).unwrap(), "13900139000");
        let nobody = contact::of_account(&t.db, H, edge::AccountId::new()).await;
        assert!(matches!(nobody, Err(store::StoreError::NoRow)));
    })
    .await;
}
