//! Temporary material.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::lab::{Lab, code, lab, secs};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

async fn upload(lab: &Lab, path: &str, bytes: &[u8], name: &str) -> Value {
    let token = lab.token().await;
    let part = Part::bytes(bytes.to_vec()).file_name(name.to_owned()).mime_str("image/png").unwrap();
    let form = Form::new().part("media", part);
    let url = lab.url(&format!("{path}&access_token={token}"));
    let text = lab.http.post(url).multipart(form).send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn material_lives_three_days() {
    let lab = lab().await;
    let (phone, openid) = lab.follower().await;
    let kept = upload(&lab, "/cgi-bin/media/upload?type=image", PNG, "a.png").await;
    let id = kept["media_id"].as_str().unwrap();
    let token = lab.token().await;
    let path = format!("/cgi-bin/media/get?access_token={token}&media_id={id}");
    let file = lab.http.get(lab.url(&path)).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "image/png");
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"a.png\"");
    assert_eq!(&file.bytes().await.unwrap()[..], PNG);
    let sent = json!({ "touser": openid, "msgtype": "image", "image": { "media_id": id } });
    assert_eq!(code(&lab.call("/cgi-bin/message/custom/send", sent.clone()).await), 0);
    let chat = lab.get(&format!("/sim/v1/phones/{phone}/chat")).await;
    let shown = chat["items"][0]["image"].as_str().unwrap();
    assert_eq!(&lab.http.get(shown).send().await.unwrap().bytes().await.unwrap()[..], PNG);
    lab.pass(secs(3 * 86_400 - 1));
    let token = lab.token().await;
    let path = format!("/cgi-bin/media/get?access_token={token}&media_id={id}");
    let late = lab.http.get(lab.url(&path)).send().await.unwrap();
    assert_eq!(late.headers()["content-type"], "image/png");
}

#[tokio::test]
async fn expired_material_is_an_error_where_bytes_are_expected() {
    let lab = lab().await;
    let kept = upload(&lab, "/cgi-bin/media/upload?type=image", PNG, "a.png").await;
    let id = kept["media_id"].as_str().unwrap().to_owned();
    lab.pass(secs(3 * 86_400));
    assert_eq!(code(&lab.fetch(&format!("/cgi-bin/media/get?media_id={id}")).await), 40007);
    assert_eq!(code(&lab.fetch("/cgi-bin/media/get").await), 41006);
}

#[tokio::test]
async fn a_video_is_an_address() {
    let lab = lab().await;
    let kept = upload(&lab, "/cgi-bin/media/upload?type=video", b"\0\0\0\x18ftypmp42", "a.mp4").await;
    let id = kept["media_id"].as_str().unwrap();
    let video = lab.fetch(&format!("/cgi-bin/media/get?media_id={id}")).await;
    let bytes =
        lab.http.get(video["video_url"].as_str().unwrap()).send().await.unwrap().bytes().await.unwrap();
    assert!(bytes.ends_with(b"mp42"));
}

#[tokio::test]
async fn what_is_not_the_kind_it_says_is_refused() {
    let lab = lab().await;
    assert_eq!(code(&upload(&lab, "/cgi-bin/media/upload?type=smoke", PNG, "a.png").await), 40004);
    assert_eq!(code(&upload(&lab, "/cgi-bin/media/upload?type=image", b"<svg/>", "a.png").await), 40005);
    assert_eq!(code(&upload(&lab, "/cgi-bin/media/upload?type=voice", PNG, "a.png").await), 40005);
    assert_eq!(code(&upload(&lab, "/cgi-bin/media/upload?type=image", b"", "a.png").await), 44001);
    let mut big = PNG.to_vec();
    big.resize(65 << 10, 0);
    assert_eq!(code(&upload(&lab, "/cgi-bin/media/upload?type=thumb", &big, "a.png").await), 40006);
    let thumb = upload(&lab, "/cgi-bin/media/upload?type=thumb", PNG, "a.png").await;
    assert!(thumb["thumb_media_id"].is_string());
    let article = upload(&lab, "/cgi-bin/media/uploadimg?x=1", PNG, "a.png").await;
    assert!(article["url"].as_str().unwrap().starts_with("http://"));
    assert_eq!(code(&lab.call("/cgi-bin/media/upload", json!({})).await), 40004);
    let token = lab.token().await;
    let none = lab.post(&format!("/cgi-bin/media/upload?type=image&access_token={token}"), json!({})).await;
    assert_eq!(code(&none), 41005);
}
