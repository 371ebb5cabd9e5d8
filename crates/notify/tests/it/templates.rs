//! Which template serves which kind.

use notify::{Kind, MapError, Mapping, map_templates, mappings, set_mapping};
use serde_json::json;

use crate::support::{H, each_world};

#[tokio::test]
async fn an_accounts_templates_are_found_and_an_administrators_choice_stays() {
    each_world(async |w| {
        w.without_templates().await;
        let content = "就诊人：{{thing1.DATA}}\n就诊医生：{{thing3.DATA}}\n就诊时间：{{time4.DATA}}\n就诊地点：{{thing5.DATA}}";
        let template = |id: &str, title: &str| json!({"template_id": id, "title": title, "content": content});
        w.fake.seen().templates = vec![template("T1", "预约挂号成功通知"), template("T2", "就诊提醒")];
        let found = map_templates(w.db(), &w.channel).await.unwrap();
        assert_eq!(found, [Kind::AppointmentConfirmed, Kind::AppointmentReminder]);
        let chosen = Mapping {
            kind: Kind::AppointmentReminder,
            template_id: "T9".into(),
            fields: [("time1".to_owned(), "start".to_owned())].into(),
        };
        let mut tx = w.db().begin().await.unwrap();
        set_mapping(&mut tx, H, w.channel.id, &chosen, "stf_1").await.unwrap();
        let wrong = Mapping { fields: [("thing1".to_owned(), "diagnosis".to_owned())].into(), ..chosen.clone() };
        let refused = set_mapping(&mut tx, H, w.channel.id, &wrong, "stf_1").await;
        assert!(matches!(refused, Err(MapError::Argument(name)) if name == "diagnosis"));
        tx.commit().await.unwrap();
        // The account gets new templates: what we found follows, what was chosen stays.
        w.fake.seen().templates = vec![template("T3", "预约挂号成功通知"), template("T4", "就诊提醒")];
        map_templates(w.db(), &w.channel).await.unwrap();
        let all = mappings(w.db(), H, w.channel.id).await.unwrap();
        assert_eq!(all.iter().map(|m| m.template_id.as_str()).collect::<Vec<_>>(), ["T3", "T9"]);
        let account = w.follower("o1").await;
        w.told(Kind::AppointmentConfirmed, account).await;
        w.work().await;
        assert_eq!(w.fake.templates()[0]["template_id"], "T3");
    })
    .await;
}

#[tokio::test]
async fn a_new_account_needs_no_hand() {
    each_world(async |w| {
        w.without_templates().await;
        w.fake.seen().templates =
            vec![json!({"template_id": "T1", "title": "停诊通知", "content": "就诊时间：{{time4.DATA}}"})];
        let sweeps = notify::capability(w.deps.clone()).sweeps;
        let sweep = sweeps.iter().find(|s| s.name() == "notify.templates").unwrap();
        sweep.run(w.db()).await.unwrap();
        assert_eq!(mappings(w.db(), H, w.channel.id).await.unwrap()[0].kind, Kind::AppointmentStopped);
    })
    .await;
}
