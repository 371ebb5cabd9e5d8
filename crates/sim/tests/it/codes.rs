//! Parametric codes and scanning.

use serde_json::{Value, json};

use crate::lab::{Lab, code, lab, lab_with, secs};

async fn create(lab: &Lab, action: &str, scene: Value, seconds: Option<i64>) -> Value {
    let mut body = json!({ "action_name": action, "action_info": { "scene": scene } });
    if let Some(seconds) = seconds {
        body["expire_seconds"] = json!(seconds);
    }
    lab.call("/cgi-bin/qrcode/create", body).await
}

#[tokio::test]
async fn a_follower_scans_and_a_stranger_follows() {
    let lab = lab().await;
    let (follower, _) = lab.follower().await;
    let (stranger, openid) = lab.stranger().await;
    let code = create(&lab, "QR_STR_SCENE", json!({ "scene_str": "doc_7" }), Some(600)).await;
    assert_eq!(code["expire_seconds"], 600);
    let content = code["url"].as_str().unwrap();
    let scanned = lab.does(&follower, "scan", json!({ "content": content })).await;
    assert_eq!(scanned["outcome"], "scanned");
    let event = lab.receiver.last();
    assert!(
        event.contains("<Event><![CDATA[SCAN]]></Event>") && event.contains("<![CDATA[doc_7]]>"),
        "{event}"
    );
    assert!(event.contains(code["ticket"].as_str().unwrap()));
    let looked = lab.does(&stranger, "scan", json!({ "content": content, "follow": false })).await;
    assert_eq!((looked["outcome"].as_str().unwrap(), &looked["push"]), ("profile", &Value::Null));
    let followed = lab.does(&stranger, "scan", json!({ "ticket": code["ticket"] })).await;
    assert_eq!(followed["outcome"], "following");
    let event = lab.receiver.last();
    assert!(event.contains("subscribe") && event.contains("<![CDATA[qrscene_doc_7]]>"), "{event}");
    let info = lab.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await;
    assert_eq!(info["subscribe_scene"], "ADD_SCENE_QR_CODE");
    assert_eq!(info["qr_scene_str"], "doc_7");
}

#[tokio::test]
async fn an_expired_code_does_nothing() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    let code = create(&lab, "QR_SCENE", json!({ "scene_id": 5 }), None).await;
    assert_eq!(code["expire_seconds"], 60, "the default");
    let picture = format!("/cgi-bin/showqrcode?ticket={}", code["ticket"].as_str().unwrap());
    let shown = lab.http.get(lab.url(&picture)).send().await.unwrap();
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert!(shown.bytes().await.unwrap().starts_with(b"\x89PNG"));
    let svg = lab.http.get(lab.url(&format!("{picture}&format=svg"))).send().await.unwrap();
    assert!(svg.text().await.unwrap().contains("<svg"));
    lab.pass(secs(60));
    let scanned = lab.does(&phone, "scan", json!({ "content": code["url"] })).await;
    assert_eq!(scanned["outcome"], "expired");
    assert_eq!(lab.receiver.arrived().len(), 0);
    assert_eq!(lab.http.get(lab.url(&picture)).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn permanent_codes_are_the_same_and_few() {
    let lab = lab_with(|config| config.limits.permanent_codes = 2).await;
    let first = create(&lab, "QR_LIMIT_STR_SCENE", json!({ "scene_str": "hall" }), None).await;
    assert!(first.get("expire_seconds").is_none());
    let again = create(&lab, "QR_LIMIT_STR_SCENE", json!({ "scene_str": "hall" }), None).await;
    assert_eq!(first["url"], again["url"]);
    assert_eq!(code(&create(&lab, "QR_LIMIT_SCENE", json!({ "scene_id": 1 }), None).await), 0);
    assert_eq!(code(&create(&lab, "QR_LIMIT_SCENE", json!({ "scene_id": 2 }), None).await), 45029);
    lab.pass(secs(86_400 * 400));
    let (phone, _) = lab.follower().await;
    assert_eq!(lab.does(&phone, "scan", json!({ "content": first["url"] })).await["outcome"], "scanned");
    let listed = lab.get("/sim/v1/codes").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn scenes_and_times_have_limits() {
    let lab = lab().await;
    let cases = [
        ("QR_SCENE", json!({ "scene_id": 0 }), None, 40053),
        ("QR_SCENE", json!({ "scene_id": 4_294_967_296_i64 }), None, 40053),
        ("QR_SCENE", json!({ "scene_str": "x" }), None, 40053),
        ("QR_LIMIT_SCENE", json!({ "scene_id": 100_001 }), None, 40053),
        ("QR_STR_SCENE", json!({ "scene_str": "" }), None, 40053),
        ("QR_STR_SCENE", json!({ "scene_str": "x".repeat(65) }), None, 40053),
        ("QR_STR_SCENE", json!({ "scene_str": "x" }), Some(2_592_001), 40097),
        ("QR_STR_SCENE", json!({ "scene_str": "x" }), Some(-1), 40097),
        ("QR_NOTHING", json!({ "scene_str": "x" }), None, 40052),
    ];
    for (action, scene, seconds, expected) in cases {
        assert_eq!(code(&create(&lab, action, scene.clone(), seconds).await), expected, "{action} {scene}");
    }
    assert_eq!(
        code(&create(&lab, "QR_STR_SCENE", json!({ "scene_str": "x".repeat(64) }), Some(2_592_000)).await),
        0
    );
}

#[tokio::test]
async fn other_codes_are_links_or_texts() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    let scan = |content: &'static str| lab.does(&phone, "scan", json!({ "content": content }));
    assert_eq!(
        scan("http://127.0.0.1:8080/doctors/doc_1").await["open"],
        "http://127.0.0.1:8080/doctors/doc_1"
    );
    assert_eq!(scan("WIFI:T:WPA;S:x;;").await["outcome"], "text");
    assert_eq!(scan("http://weixin.qq.com/q/0000").await["outcome"], "unknown_code");
    assert_eq!(scan(" ").await["code"], "invalid_field");
    assert_eq!(lab.does(&phone, "scan", json!({ "ticket": "x" })).await["code"], "not_found");
}
