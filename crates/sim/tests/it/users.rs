//! Followers.

use serde_json::json;

use crate::lab::{code, lab, lab_with};

#[tokio::test]
async fn followers_come_in_pages() {
    let lab = lab_with(|config| config.limits.user_page = 2).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(lab.follower().await.1);
    }
    lab.stranger().await;
    all.sort();
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = lab.fetch(&format!("/cgi-bin/user/get?next_openid={next}")).await;
        assert_eq!(page["total"], 5);
        let Some(openids) = page["data"]["openid"].as_array() else {
            assert_eq!(page["count"], 0);
            assert_eq!(page["next_openid"], "");
            break;
        };
        assert!(openids.len() <= 2);
        found.extend(openids.iter().map(|openid| openid.as_str().unwrap().to_owned()));
        next = page["next_openid"].as_str().unwrap().to_owned();
    }
    assert_eq!(found, all);
    assert_eq!(code(&lab.fetch("/cgi-bin/user/get?next_openid=oNobody").await), 40003);
}

#[tokio::test]
async fn little_is_known_of_people() {
    let lab = lab().await;
    let (phone, openid) = lab.follower().await;
    let (_, stranger) = lab.stranger().await;
    let info = lab.fetch(&format!("/cgi-bin/user/info?openid={openid}&lang=zh_CN")).await;
    assert_eq!((info["subscribe"].as_i64(), info["nickname"].as_str()), (Some(1), Some("")));
    assert_eq!(info["subscribe_scene"], "ADD_SCENE_SEARCH");
    assert!(info.get("language").is_none());
    let info = lab.fetch(&format!("/cgi-bin/user/info?openid={stranger}")).await;
    assert_eq!(info["subscribe"], 0);
    assert!(info.get("subscribe_time").is_none());
    let list = json!({ "user_list": [{ "openid": openid }, { "openid": stranger }] });
    let both = lab.call("/cgi-bin/user/info/batchget", list).await;
    assert_eq!(both["user_info_list"][0]["subscribe"], 1);
    assert_eq!(both["user_info_list"][1]["subscribe"], 0);
    let remark = json!({ "openid": openid, "remark": "三楼常客" });
    assert_eq!(code(&lab.call("/cgi-bin/user/info/updateremark", remark).await), 0);
    assert_eq!(lab.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await["remark"], "三楼常客");
    assert_eq!(code(&lab.fetch("/cgi-bin/user/info").await), 41009);
    assert_eq!(code(&lab.fetch("/cgi-bin/user/info?openid=x").await), 40003);
    assert_eq!(code(&lab.call("/cgi-bin/user/info/batchget", json!({ "user_list": [] })).await), 40097);
    lab.does(&phone, "unfollow", json!({})).await;
    assert_eq!(lab.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await["subscribe"], 0);
}
