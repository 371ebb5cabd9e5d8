//! The pushes of the vectors, the shapes that the vectors lack, and properties.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::callback::Format;

fn vector(section: &str, name: &str) -> Push {
    let file: Value = serde_json::from_str(include_str!("../../vectors/wechat_callback.json")).unwrap();
    let case = file[section].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
    parse(case["plaintext"].as_str().unwrap()).unwrap()
}

/// An event with these elements besides the common ones.
fn event(elements: &str) -> Event {
    let xml = format!("<xml><FromUserName>o</FromUserName><MsgType>event</MsgType>{elements}</xml>");
    match parse(&xml).unwrap().content {
        Content::Event(event) => event,
        other => panic!("{other:?}"),
    }
}

fn message(elements: &str) -> Content {
    parse(&format!("<xml><FromUserName>o</FromUserName>{elements}</xml>")).unwrap().content
}

#[test]
fn messages_of_the_vectors() {
    let push = vector("official_account", "text_ascii");
    assert_eq!((push.to.as_str(), push.from.as_str()), ("gh_0a1b2c3d4e5f", "oLXjb5aQ9mW3-Kq7tYv_2Zs8RcDe"));
    assert_eq!((push.created_s, push.msg_id), (1_767_225_601, Some(23_400_000_000_000_001)));
    let texts = [
        ("text_ascii", "hello doctor"),
        ("text_emoji_zwj_flags", "谢谢医生 🙏🏻👨‍👩‍👧‍👦🇨🇳🧑🏽‍⚕️ 𠮷"),
        ("text_empty_content", ""),
        ("text_cdata_split", "a]]>b & <c>"),
        ("text_entities_newlines", "<b> & 你\n\t第二行"),
        ("extra_unknown_element_in_plaintext", "x"),
    ];
    for (name, content) in texts {
        let expected = Content::Text { content: content.into(), menu_id: None };
        assert_eq!(vector("official_account", name).content, expected, "{name}");
    }
    assert_eq!(
        vector("official_account", "image").content,
        Content::Image {
            pic_url: "http://mmbiz.qpic.cn/x/0?wx_fmt=jpeg&a=1".into(),
            media_id: "m_img-1".into()
        }
    );
    assert_eq!(
        vector("official_account", "voice_empty_recognition").content,
        Content::Voice { media_id: "m_v".into(), format: "amr".into(), media_id_16k: Some("m_v16".into()) }
    );
    assert_eq!(
        vector("official_account", "location_message").content,
        Content::Location {
            latitude: 31.2304,
            longitude: 121.4737,
            scale: 16,
            label: "上海市黄浦区人民大道 200 号".into()
        }
    );
    assert_eq!(
        vector("official_account", "link_message").content,
        Content::Link {
            title: "化验单".into(),
            description: String::new(),
            url: "https://h.example/r?a=1&b=2".into()
        }
    );
}

#[test]
fn events_of_the_vectors() {
    let event = |name| match vector("official_account", name).content {
        Content::Event(event) => event,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(
        event("event_subscribe_qr"),
        Event::Subscribe { scene: Some("dept:pediatrics/室3".into()), ticket: Some("gQH_TICKET==".into()) }
    );
    assert_eq!(event("event_subscribe_no_scene_empty_key"), Event::Subscribe { scene: None, ticket: None });
    assert_eq!(event("event_scan"), Event::Scan { scene: "100001".into(), ticket: Some("gQH_T2==".into()) });
    assert_eq!(
        event("event_location"),
        Event::Location { latitude: 23.137_466, longitude: 113.352_425, precision: 119.385_04 }
    );
    assert_eq!(event("event_click"), Event::Click { key: "BOOK_TODAY".into() });
    assert_eq!(
        event("event_view"),
        Event::View { url: "https://h.example/q?x=1&y=2".into(), menu_id: Some("4123".into()) }
    );
    assert_eq!(
        event("event_scancode_waitmsg"),
        Event::ScanCode(Scan {
            key: "CHECKIN".into(),
            kind: "qrcode".into(),
            result: "bed/12-3".into(),
            waits: true
        })
    );
    assert_eq!(
        event("event_templatesendjobfinish_block"),
        Event::TemplateSent { msg_id: 200_163_840, delivery: Delivery::Blocked }
    );
    let consent =
        |template: &str, accepted| ConsentChange { template_id: template.into(), accepted, scene: Some(1) };
    assert_eq!(
        event("event_subscribe_msg_popup_two"),
        Event::ConsentAnswered(vec![consent("tplA", true), consent("tplB", false)])
    );
    assert_eq!(
        event("event_subscribe_msg_sent"),
        Event::ConsentMessageSent(vec![ConsentSent {
            template_id: "tplA".into(),
            msg_id: 1_700_827_132_819_554_304,
            error_code: 0,
            error_status: "success".into()
        }])
    );
    assert_eq!(
        event("event_user_authorization_revoke"),
        Event::AuthorizationRevoked(AuthorizationChange {
            openid: "oLXjb5aQ9mW3-Kq7tYv_2Zs8RcDe".into(),
            unionid: None,
            app_id: "wx1f2e3d4c5b6a7980".into(),
            codes: vec![206]
        })
    );
    // WeCom writes names in lower case, and has events that stay raw.
    let click = vector("wecom", "click");
    assert_eq!(click.content, Content::Event(Event::Click { key: "TODAY_INCOME".into() }));
    assert_eq!(click.fields.text("AgentID"), "1000002");
    let approval = vector("wecom", "sys_approval_change");
    assert_eq!(approval.content, Content::Event(Event::Unknown { kind: "sys_approval_change".into() }));
    assert_eq!(approval.fields.group("ApprovalInfo").unwrap().text("SpNoStr"), "202601020001");
}

#[test]
fn a_list_of_one_may_be_an_object_and_a_list_of_many_an_array() {
    let entry = json!({ "TemplateId": "t", "SubscribeStatusString": "reject" });
    for (list, count) in [(entry.clone(), 1), (json!([entry]), 1), (json!([entry, entry]), 2)] {
        let push = json!({
            "ToUserName": "gh", "FromUserName": "o", "CreateTime": 1_767_225_700, "MsgType": "event",
            "Event": "subscribe_msg_change_event", "List": list,
        });
        let change = ConsentChange { template_id: "t".into(), accepted: false, scene: None };
        let expected = Content::Event(Event::ConsentChanged(vec![change; count]));
        let push = parse(&push.to_string()).unwrap();
        assert_eq!((push.content, push.created_s), (expected, 1_767_225_700));
    }
    let popup = vector("official_account", "json_envelope");
    assert!(matches!(&popup.content, Content::Event(Event::ConsentAnswered(all)) if all.len() == 1));
    assert_eq!(popup.fields.text("备注"), "🩺");
}

#[test]
fn kinds_that_the_vectors_lack() {
    assert_eq!(
        message("<MsgType>text</MsgType><Content>挂号</Content><bizmsgmenuid>101</bizmsgmenuid>"),
        Content::Text { content: "挂号".into(), menu_id: Some("101".into()) }
    );
    assert_eq!(
        message("<MsgType>shortvideo</MsgType><MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>"),
        Content::Video { media_id: "m".into(), thumb_media_id: "t".into(), short: true }
    );
    assert!(matches!(
        message("<MsgType>miniprogrampage</MsgType><Title>t</Title><AppId>wx</AppId>"),
        Content::MiniProgramPage { title, app_id, .. } if title == "t" && app_id == "wx"
    ));
    assert_eq!(event("<Event>unsubscribe</Event>"), Event::Unsubscribe);
    assert_eq!(
        event("<Event>view_miniprogram</Event><EventKey>pages/a</EventKey><MenuId>7</MenuId>"),
        Event::ViewMiniProgram { path: "pages/a".into(), menu_id: Some("7".into()) }
    );
    assert_eq!(
        event(
            "<Event>pic_weixin</Event><EventKey>k</EventKey><SendPicsInfo><Count>2</Count><PicList>\
             <item><PicMd5Sum>a</PicMd5Sum></item><item><PicMd5Sum>b</PicMd5Sum></item></PicList></SendPicsInfo>"
        ),
        Event::Pictures {
            source: PictureSource::WeChatAlbum,
            key: "k".into(),
            count: 2,
            md5: vec!["a".into(), "b".into()]
        }
    );
    assert_eq!(
        event(
            "<Event>location_select</Event><EventKey>k</EventKey><SendLocationInfo><Location_X>23</Location_X>\
             <Location_Y>113.5</Location_Y><Scale>15</Scale><Label>l</Label><Poiname>p</Poiname></SendLocationInfo>"
        ),
        Event::LocationSelect {
            key: "k".into(),
            latitude: 23.0,
            longitude: 113.5,
            label: "l".into(),
            poi: "p".into()
        }
    );
    for (status, delivery) in [
        ("success", Delivery::Delivered),
        ("failed: user block", Delivery::Blocked),
        ("failed: system failed", Delivery::Failed("failed: system failed".into())),
    ] {
        let found =
            event(&format!("<Event>TEMPLATESENDJOBFINISH</Event><MsgID>3</MsgID><Status>{status}</Status>"));
        assert_eq!(found, Event::TemplateSent { msg_id: 3, delivery });
    }
    assert_eq!(
        event(
            "<Event>MASSSENDJOBFINISH</Event><MsgID>1000001625</MsgID><Status>err(30003)</Status>\
             <TotalCount>9</TotalCount><FilterCount>8</FilterCount><SentCount>7</SentCount><ErrorCount>1</ErrorCount>"
        ),
        Event::MassSent(MassResult {
            msg_id: 1_000_001_625,
            status: "err(30003)".into(),
            total: 9,
            filtered: 8,
            sent: 7,
            failed: 1
        })
    );
    assert_eq!(
        event("<Event>debug_demo</Event><debug_str>hello</debug_str>"),
        Event::DebugDemo { text: "hello".into() }
    );
    assert_eq!(
        event("<Event>user_enter_tempsession</Event><SessionFrom>s</SessionFrom>"),
        Event::EnterTempSession { session_from: "s".into() }
    );
    assert_eq!(
        event("<Event>kf_switch_session</Event><FromKfAccount>a</FromKfAccount><ToKfAccount>b</ToKfAccount>"),
        Event::Desk(KfSession::Switched { from: "a".into(), to: "b".into() })
    );
    assert!(matches!(
        event("<Event>user_info_modified</Event><OpenID>o</OpenID><RevokeInfo>201,205</RevokeInfo>"),
        Event::UserInfoModified(change) if change.codes == [201, 205]
    ));
    assert_eq!(
        event(
            "<Event>ShakearoundUserShake</Event><ChosenBeacon><Uuid>u</Uuid><Major>1</Major><Minor>2</Minor>\
             <Distance>0.05</Distance></ChosenBeacon>"
        ),
        Event::Shake { chosen: Some(["u", "1", "2", "0.05"].map(str::to_owned)) }
    );
    assert_eq!(
        event(
            "<Event>WifiConnected</Event><ConnectTime>5</ConnectTime><ShopId>s</ShopId><DeviceNo>d</DeviceNo>"
        ),
        Event::WifiConnected { connected_s: 5, place_id: "s".into(), device: "d".into() }
    );
}

#[test]
fn what_is_new_or_broken_is_kept_raw() {
    assert_eq!(
        message("<MsgType>hologram</MsgType><Beam>7</Beam>"),
        Content::Unknown { kind: "hologram".into() }
    );
    assert_eq!(message("<A>1</A>"), Content::Unknown { kind: String::new() });
    let broken = "<MsgType>location</MsgType><Location_X>north</Location_X><Location_Y>NaN</Location_Y>";
    assert_eq!(message(broken), Content::Unknown { kind: "location".into() });
    assert_eq!(
        event("<Event>TEMPLATESENDJOBFINISH</Event><MsgID>-1</MsgID>"),
        Event::Unknown { kind: "TEMPLATESENDJOBFINISH".into() }
    );
    let push = parse("<xml><MsgType>x</MsgType><A><B>1</B><B>2</B></A></xml>").unwrap();
    let inner: Vec<_> = push.fields.group("A").unwrap().iter().collect();
    assert_eq!(inner.len(), 2);
    for text in ["", "success", "[1]", "{\"a\":", "<html/>", "<xml>"] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert_eq!(parse("{}").unwrap().content, Content::Unknown { kind: String::new() });
}

#[test]
fn a_retry_has_the_same_key_and_another_push_has_not() {
    let key = |xml: &str| parse(xml).unwrap().dedup_key();
    let text = |from: &str, id: &str| {
        format!(
            "<xml><ToUserName>gh</ToUserName><FromUserName>{from}</FromUserName><CreateTime>1</CreateTime>\
             <MsgType>text</MsgType><Content>a</Content><MsgId>{id}</MsgId></xml>"
        )
    };
    assert_eq!(key(&text("o1", "5")), key(&text("o1", "5")));
    assert_ne!(key(&text("o1", "5")), key(&text("o2", "5")), "one MsgId, two people");
    assert_ne!(key(&text("o1", "5")), key(&text("o1", "6")));

    let event = |inner: &str| {
        key(&format!(
            "<xml><FromUserName>sys</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType>{inner}</xml>"
        ))
    };
    let subscribe = event("<Event>subscribe</Event><EventKey>qrscene_1</EventKey>");
    assert_eq!(subscribe, event("<EventKey>qrscene_1</EventKey><Event>subscribe</Event>"), "order");
    assert_eq!(
        subscribe,
        event("<Event>subscribe</Event><EventKey>qrscene_1</EventKey><Encrypt>other each time</Encrypt>")
    );
    assert_ne!(subscribe, event("<Event>SCAN</Event><EventKey>1</EventKey>"), "same person, same second");
    assert_ne!(
        event("<Event>x</Event><A><B>1</B></A><C>2</C>"),
        event("<Event>x</Event><A><B>1</B><C>2</C></A>"),
        "nesting counts"
    );
    assert_ne!(event("<Event>x</Event><A>bc</A>"), event("<Event>x</Event><Ab>c</Ab>"));
}

#[test]
fn replies_of_the_vectors() {
    let file: Value = serde_json::from_str(include_str!("../../vectors/wechat_callback.json")).unwrap();
    let push = parse(
        "<xml><ToUserName>gh_0a1b2c3d4e5f</ToUserName><FromUserName>oLXjb5aQ9mW3-Kq7tYv_2Zs8RcDe</FromUserName></xml>",
    )
    .unwrap();
    let replies = [
        ("reply_text", Reply::Text("已为您取号：儿内 A017，前面还有 3 人 🙂".into())),
        (
            "reply_news_one",
            Reply::News(Article {
                title: "就诊须知".into(),
                description: String::new(),
                url: "https://h.example/n?id=1&x=2".into(),
                pic_url: "https://h.example/p.jpg".into(),
            }),
        ),
        ("reply_transfer_customer_service", Reply::Transfer { kf_account: Some("nurse1@hospital".into()) }),
    ];
    for (name, reply) in replies {
        let case = file["replies"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
        let now = case["timestamp"].as_str().unwrap().parse().unwrap();
        assert_eq!(reply.write(Format::Xml, &push, now).unwrap(), case["plaintext"].as_str().unwrap());
    }
}

#[test]
fn other_replies_have_their_parts() {
    let push = parse("<xml><ToUserName>gh</ToUserName><FromUserName>o</FromUserName></xml>").unwrap();
    let written = |reply: Reply| reply.write(Format::Xml, &push, 7).unwrap();
    assert!(
        written(Reply::Image { media_id: "m".into() })
            .ends_with("<Image><MediaId><![CDATA[m]]></MediaId></Image></xml>")
    );
    assert!(written(Reply::Voice { media_id: "m".into() }).contains("<Voice><MediaId>"));
    let video = Reply::Video { media_id: "m".into(), title: "t".into(), description: "d".into() };
    assert!(written(video).contains("<Video><MediaId><![CDATA[m]]></MediaId><Title><![CDATA[t]]>"));
    let music = Reply::Music {
        title: "t".into(),
        description: "d".into(),
        url: "u".into(),
        hq_url: "h".into(),
        thumb_media_id: "p".into(),
    };
    assert!(written(music).contains("<HQMusicUrl><![CDATA[h]]></HQMusicUrl><ThumbMediaId>"));
    assert!(!written(Reply::Transfer { kf_account: None }).contains("TransInfo"));
    assert_eq!(
        serde_json::from_str::<Value>(
            &Reply::Transfer { kf_account: None }.write(Format::Json, &push, 7).unwrap()
        )
        .unwrap(),
        json!({ "ToUserName": "o", "FromUserName": "gh", "CreateTime": 7, "MsgType": "transfer_customer_service" })
    );
    let long = Reply::Text("长".repeat(683));
    assert_eq!(long.write(Format::Xml, &push, 7), Err(ReplyError::TooLong));
    assert!(Reply::Text("长".repeat(682)).write(Format::Xml, &push, 7).is_ok());
    assert_eq!(Reply::Text(String::new()).write(Format::Xml, &push, 7), Err(ReplyError::Empty));
}

proptest! {
    #[test]
    fn a_reply_reads_back_as_written(content in "\\PC{1,60}|(\\]|>|&|<|!|\\[|\\n){1,12}", json: bool) {
        let push = parse("<xml><ToUserName>gh</ToUserName><FromUserName>o</FromUserName></xml>").unwrap();
        let format = if json { Format::Json } else { Format::Xml };
        let read = parse(&Reply::Text(content.clone()).write(format, &push, 7).unwrap()).unwrap();
        prop_assert_eq!(read.content, Content::Text { content, menu_id: None });
        prop_assert_eq!((read.to.as_str(), read.from.as_str(), read.created_s), ("o", "gh", 7));
    }
}
