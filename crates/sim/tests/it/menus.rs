//! The menu and its buttons.

use serde_json::{Value, json};

use crate::lab::{Does, code, lab};

fn menu() -> Value {
    json!({ "button": [
        { "type": "view", "name": "挂号", "url": "http://127.0.0.1:8080/departments" },
        { "name": "我的", "sub_button": [
            { "type": "click", "name": "我的预约", "key": "mine" },
            { "type": "scancode_waitmsg", "name": "扫一扫", "key": "scan" }
        ] }
    ] })
}

#[tokio::test]
async fn a_menu_is_made_read_and_deleted() {
    let lab = lab().await;
    assert_eq!(code(&lab.fetch("/cgi-bin/menu/get").await), 46003);
    assert_eq!(code(&lab.call("/cgi-bin/menu/create", menu()).await), 0);
    let read = lab.fetch("/cgi-bin/menu/get").await;
    assert_eq!(read["menu"]["button"], menu()["button"]);
    assert_eq!(lab.fetch("/cgi-bin/get_current_selfmenu_info").await["is_menu_open"], 1);
    assert_eq!(lab.inbox("menu", 1).await[0]["action"], "create");
    assert_eq!(code(&lab.fetch("/cgi-bin/menu/delete").await), 0);
    assert_eq!(code(&lab.fetch("/cgi-bin/menu/get").await), 46003);
}

#[tokio::test]
async fn the_limits_of_a_menu() {
    let lab = lab().await;
    let click = |name: &str, key: &str| json!({ "type": "click", "name": name, "key": key });
    let view = |url: &str| json!({ "type": "view", "name": "x", "url": url });
    let top = |buttons: Vec<Value>| json!({ "button": buttons });
    let sub = |buttons: Vec<Value>| json!({ "button": [{ "name": "x", "sub_button": buttons }] });
    let cases = [
        (top(vec![]), 40016),
        (top(vec![click("a", "b"); 4]), 40016),
        (json!({ "button": "x" }), 40016),
        (top(vec![click("一二三四五六", "k")]), 40018),
        (top(vec![click("", "k")]), 40018),
        (top(vec![click("x", &"k".repeat(129))]), 40019),
        (top(vec![click("x", "")]), 40019),
        (top(vec![view("ftp://x")]), 40020),
        (top(vec![view(&format!("http://x/{}", "y".repeat(1024)))]), 40020),
        (top(vec![json!({ "type": "shake", "name": "x" })]), 40017),
        (sub(vec![click("a", "b"); 6]), 40023),
        (sub(vec![click(&"字".repeat(21), "k")]), 40025),
        (sub(vec![click("x", "")]), 40026),
        (sub(vec![view("x")]), 40027),
        (sub(vec![json!({ "name": "x" })]), 40024),
        (sub(["a", "b", "c", "d"].map(|host| view(&format!("http://{host}/"))).to_vec()), 65316),
    ];
    for (body, expected) in cases {
        assert_eq!(code(&lab.call("/cgi-bin/menu/create", body.clone()).await), expected, "{body}");
    }
    assert_eq!(code(&lab.call("/cgi-bin/menu/create", top(vec![click("一二三四五", "k")])).await), 0);
    let token = lab.token().await;
    let escaped = r#"{"button":[{"type":"click","name":"\u6302\u53f7","key":"k"}]}"#;
    let refused = lab.post_text(&format!("/cgi-bin/menu/create?access_token={token}"), escaped).await;
    assert_eq!(code(&refused), 40033);
}

#[tokio::test]
async fn buttons_push_what_they_are() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    assert_eq!(lab.does(&phone, "menu", json!({ "key": "mine" })).await["code"], "no_menu");
    lab.call("/cgi-bin/menu/create", menu()).await;
    lab.receiver.next(Does::Says("您的预约".to_owned()));
    let clicked = lab.does(&phone, "menu", json!({ "key": "mine" })).await;
    assert_eq!(clicked["push"]["reply"]["text"], "您的预约");
    assert!(lab.receiver.last().contains("<Event><![CDATA[CLICK]]></Event>"));
    let opened = lab.does(&phone, "menu", json!({ "index": 0 })).await;
    assert_eq!(opened["open"], "http://127.0.0.1:8080/departments");
    assert!(lab.receiver.last().contains("<Event><![CDATA[VIEW]]></Event>"));
    lab.does(&phone, "menu", json!({ "index": [1, 1], "result": "ABC" })).await;
    let scanned = lab.receiver.last();
    assert!(
        scanned.contains("scancode_waitmsg") && scanned.contains("<ScanResult><![CDATA[ABC]]>"),
        "{scanned}"
    );
    let before = lab.receiver.arrived().len();
    assert_eq!(lab.does(&phone, "menu", json!({ "index": 1 })).await["code"], "opens_a_list");
    assert_eq!(lab.does(&phone, "menu", json!({ "index": [9] })).await["code"], "invalid_field");
    assert_eq!(lab.does(&phone, "menu", json!({ "key": "none" })).await["code"], "not_found");
    assert_eq!(lab.receiver.arrived().len(), before);
}
