//! Template and customer-service messages.

use serde_json::{Value, json};

use crate::lab::{APPID, Lab, code, lab, lab_with, secs};

const BOOKED: &str = "43216_xinglin_sim_template_0000000000000000";

fn data() -> Value {
    json!({
        "thing1": { "value": "张**" }, "thing2": { "value": "心血管内科" }, "thing3": { "value": "李医生" },
        "time4": { "value": "2026年1月6日 09:30" }, "thing5": { "value": "三楼 305" }
    })
}

async fn booked(lab: &Lab) -> String {
    let list = lab.fetch("/cgi-bin/template/get_all_private_template").await;
    let list = list["template_list"].as_array().unwrap();
    let found = list.iter().find(|template| template["title"] == "预约挂号成功通知").unwrap();
    assert!(found["content"].as_str().unwrap().contains("就诊人：{{thing1.DATA}}"));
    found["template_id"].as_str().unwrap().to_owned()
}

async fn send(lab: &Lab, body: Value) -> Value {
    lab.call("/cgi-bin/message/template/send", body).await
}

#[tokio::test]
async fn a_template_message_reaches_a_follower_with_card_notice_and_result() {
    let lab = lab().await;
    let (phone, openid) = lab.follower().await;
    let template = booked(&lab).await;
    assert_eq!(template, BOOKED);
    let body =
        json!({ "touser": openid, "template_id": template, "url": "http://127.0.0.1/a", "data": data() });
    let sent = send(&lab, body).await;
    assert_eq!(code(&sent), 0, "{sent}");
    let msgid = sent["msgid"].as_u64().unwrap();
    assert!(msgid > 1 << 53, "a JavaScript number does not hold it");
    let pushed = lab.inbox("push", 2).await;
    let result = pushed.iter().find(|push| push["event"] == "TEMPLATESENDJOBFINISH").unwrap();
    let content = result["plaintext"].as_str().unwrap();
    assert!(content.contains(&format!("<MsgID>{msgid}</MsgID>")), "{content}");
    assert!(content.contains("<Status><![CDATA[success]]></Status>"), "{content}");
    let chat = lab.get(&format!("/sim/v1/phones/{phone}/chat")).await;
    let card = chat["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(card["title"], "预约挂号成功通知");
    assert_eq!(card["lines"][0], json!({ "label": "就诊人", "value": "张**" }));
    let notices = lab.get(&format!("/sim/v1/phones/{phone}/notices")).await;
    assert_eq!(notices["items"][0]["kind"], "template");
    assert_eq!(lab.inbox("template", 1).await[0]["msgid"], msgid.to_string());
}

#[tokio::test]
async fn template_messages_are_refused_for_the_platforms_reasons() {
    let lab = lab().await;
    let (phone, openid) = lab.follower().await;
    let (_, stranger) = lab.stranger().await;
    let send = |touser: &str, template: &str, data: Value| {
        send(&lab, json!({ "touser": touser, "template_id": template, "data": data }))
    };
    assert_eq!(code(&send(&stranger, BOOKED, data()).await), 43004);
    assert_eq!(code(&send("oNobody", BOOKED, data()).await), 40003);
    assert_eq!(code(&send(&openid, "nothing", data()).await), 40037);
    let with = |key: &str, value: Value| {
        let mut data = data();
        data[key] = value;
        data
    };
    let cases = [
        (
            with("thing1", json!({ "value": "一二三四五六七八九十一二三四五六七八九十一" })),
            "data.thing1.value invalid",
        ),
        (with("time4", json!({ "value": "明天上午" })), "data.time4.value invalid"),
        (with("thing2", json!({ "value": "" })), "data.thing2.value is empty"),
        (with("thing3", json!({ "text": "x" })), "data.thing3.value is empty"),
        (with("thing5", json!({ "value": "三楼\n305" })), "data.thing5.value invalid"),
        (with("thing9", json!({ "value": "x" })), "data.thing9 is not in the template"),
        (json!({}), "data.thing1.value is empty"),
    ];
    for (data, expected) in cases {
        let refused = send(&openid, BOOKED, data).await;
        assert_eq!(code(&refused), 47003, "{refused}");
        assert!(refused["errmsg"].as_str().unwrap().contains(expected), "{refused} {expected}");
    }
    assert_eq!(code(&send(&openid, BOOKED, json!([])).await), 47001);
    lab.does(&phone, "unfollow", json!({})).await;
    assert_eq!(code(&send(&openid, BOOKED, data()).await), 43004);
    assert_eq!(lab.get("/sim/v1/inbox?kind=template").await["items"], json!([]), "nothing arrived");
}

#[tokio::test]
async fn the_same_client_msg_id_is_sent_once_in_ten_minutes() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    let (_, other) = lab.follower().await;
    let body = |openid: &str| json!({ "touser": openid, "template_id": BOOKED, "data": data(), "client_msg_id": "row-1" });
    let first = send(&lab, body(&openid)).await;
    let again = send(&lab, body(&openid)).await;
    assert_eq!(first["msgid"], again["msgid"]);
    assert_eq!(lab.inbox("template", 1).await.len(), 1);
    assert_eq!(code(&send(&lab, body(&other)).await), 0);
    assert_eq!(lab.inbox("template", 2).await.len(), 2, "the memory is per person");
    lab.pass(secs(601));
    assert_ne!(send(&lab, body(&openid)).await["msgid"], first["msgid"]);
    assert_eq!(lab.inbox("template", 3).await.len(), 3);
}

#[tokio::test]
async fn accepted_is_not_delivered() {
    let lab = lab().await;
    let (phone, openid) = lab.follower().await;
    let body = json!({ "touser": openid, "template_id": BOOKED, "data": data() });
    for (outcome, status) in [("user_block", "failed:user block"), ("system_failed", "failed: system failed")]
    {
        lab.put("/sim/v1/faults", json!({ "template_outcome": outcome, "template_event": "before" })).await;
        assert_eq!(code(&send(&lab, body.clone()).await), 0);
        // "before": the result was pushed before the call was answered.
        assert!(lab.receiver.last().contains(&format!("<![CDATA[{status}]]>")), "{}", lab.receiver.last());
    }
    lab.put("/sim/v1/faults", json!({ "template_event": "never" })).await;
    lab.receiver.reset();
    assert_eq!(code(&send(&lab, body.clone()).await), 0);
    assert_eq!(lab.receiver.arrived().len(), 0);
    let chat = lab.get(&format!("/sim/v1/phones/{phone}/chat")).await;
    assert_eq!(chat["items"].as_array().unwrap().len(), 1, "only the last one is on the phone: {chat}");
    lab.put("/sim/v1/faults", json!({ "template_event": "before" })).await;
    lab.does(&phone, "mute", json!({ "on": true })).await;
    assert_eq!(code(&send(&lab, body).await), 0);
    assert!(lab.receiver.last().contains("failed:user block"));
}

#[tokio::test]
async fn a_connection_that_is_cut_after_the_send_leaves_the_caller_in_doubt() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    lab.put("/sim/v1/faults", json!({ "reset_after_accept": 1 })).await;
    let token = lab.token().await;
    let body = json!({ "touser": openid, "template_id": BOOKED, "data": data(), "client_msg_id": "x" });
    let path = format!("/cgi-bin/message/template/send?access_token={token}");
    let failed = lab.http.post(lab.url(&path)).body(body.to_string()).send().await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(lab.inbox("template", 1).await.len(), 1, "it was sent all the same");
    let again = lab.post(&path, body).await;
    assert_eq!(code(&again), 0, "{again}");
    assert_eq!(again["msgid"].to_string(), lab.inbox("template", 1).await[0]["msgid"].as_str().unwrap());
    assert_eq!(lab.inbox("template", 1).await.len(), 1, "and once only");
}

async fn say(lab: &Lab, openid: &str, text: &str) -> i64 {
    let body = json!({ "touser": openid, "msgtype": "text", "text": { "content": text } });
    code(&lab.call("/cgi-bin/message/custom/send", body).await)
}

#[tokio::test]
async fn customer_service_messages_need_a_window_and_are_counted() {
    let lab = lab().await;
    let (phone, openid) = lab.stranger().await;
    assert_eq!(say(&lab, &openid, "x").await, 45015, "nothing has happened");
    lab.does(&phone, "follow", json!({})).await;
    for _ in 0..3 {
        assert_eq!(say(&lab, &openid, "欢迎").await, 0);
    }
    assert_eq!(say(&lab, &openid, "x").await, 45047, "three after following");
    lab.pass(secs(60));
    assert_eq!(say(&lab, &openid, "x").await, 45015, "one minute");
    lab.does(&phone, "say", json!({ "text": "挂号" })).await;
    for _ in 0..5 {
        assert_eq!(say(&lab, &openid, "x").await, 0);
    }
    assert_eq!(say(&lab, &openid, "x").await, 45047, "five after a message");
    lab.does(&phone, "say", json!({ "text": "还在吗" })).await;
    assert_eq!(say(&lab, &openid, "x").await, 0, "each new message opens it afresh");
    lab.pass(secs(48 * 3600));
    assert_eq!(say(&lab, &openid, "x").await, 45015, "48 hours");
    lab.does(&phone, "say", json!({ "text": "好" })).await;
    lab.does(&phone, "mute", json!({ "on": true })).await;
    assert_eq!(say(&lab, &openid, "x").await, 48002);
    lab.does(&phone, "unfollow", json!({})).await;
    assert_eq!(say(&lab, &openid, "x").await, 45015);
    assert_eq!(lab.inbox("custom", 9).await.len(), 9);
}

#[tokio::test]
async fn customer_service_messages_are_checked_by_kind() {
    let lab = lab().await;
    let (phone, openid) = lab.follower().await;
    let send = |body: Value| lab.call("/cgi-bin/message/custom/send", body);
    let with = |kind: &str, part: Value| json!({ "touser": openid, "msgtype": kind, kind: part });
    let article = json!({ "title": "T", "description": "D", "url": "http://127.0.0.1/", "picurl": "" });
    let refused = [
        (with("text", json!({ "content": "" })), 44004),
        (with("text", json!({ "content": "字".repeat(683) })), 45002),
        (with("news", json!({ "articles": [article, article] })), 45008),
        (with("image", json!({ "media_id": "nothing" })), 40007),
        (with("image", json!({})), 41006),
        (with("smoke", json!({})), 40008),
        (json!({ "touser": openid, "msgtype": "text" }), 47001),
        (json!({ "touser": "oNobody", "msgtype": "text", "text": { "content": "x" } }), 40003),
    ];
    for (body, expected) in refused {
        assert_eq!(code(&send(body.clone()).await), expected, "{body}");
    }
    assert_eq!(code(&send(with("news", json!({ "articles": [article] }))).await), 0);
    let menu = json!({ "head_content": "满意吗", "list": [{ "id": "1", "content": "满意" }], "tail_content": "谢谢" });
    assert_eq!(code(&send(with("msgmenu", menu)).await), 0);
    let chat = lab.get(&format!("/sim/v1/phones/{phone}/chat?account={APPID}")).await;
    assert_eq!(chat["items"][0]["kind"], "news");
    assert_eq!(chat["items"][1]["lines"][0], json!({ "label": "1", "value": "满意" }));
    // A tap on the menu comes as a text with the choice's id.
    lab.does(&phone, "say", json!({ "text": "满意", "menu_id": "1" })).await;
    assert!(lab.receiver.last().contains("<bizmsgmenuid><![CDATA[1]]></bizmsgmenuid>"));
}

#[tokio::test]
async fn templates_are_added_from_the_library_and_deleted() {
    let lab = lab_with(|config| config.accounts[0].templates.truncate(1)).await;
    let add = json!({ "template_id_short": "43218", "keyword_name_list": ["就诊人", "就诊时间"] });
    let added = lab.call("/cgi-bin/template/api_add_template", add).await;
    let id = added["template_id"].as_str().unwrap();
    let list = lab.fetch("/cgi-bin/template/get_all_private_template").await;
    assert_eq!(list["template_list"][1]["content"], "就诊人：{{thing1.DATA}}\n就诊时间：{{time4.DATA}}");
    assert_eq!(
        code(&lab.call("/cgi-bin/template/del_private_template", json!({ "template_id": id })).await),
        0
    );
    assert_eq!(
        code(&lab.call("/cgi-bin/template/del_private_template", json!({ "template_id": id })).await),
        40037
    );
    assert_eq!(
        code(&lab.call("/cgi-bin/template/api_add_template", json!({ "template_id_short": "1" })).await),
        40037
    );
}
