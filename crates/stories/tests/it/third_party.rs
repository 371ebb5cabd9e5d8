//! What a third party's SDK finds at the simulator.

use serde_json::Value;
use sim::TemplateSpec;
use testkit::setup::{APPID, SECRET};
use testkit::{Hospital, Setup};

/// wechatpy, with nothing changed but the host, fetches a token, makes a menu and a code, and sends two messages; the
/// simulator's inbox shows that they arrived. `cargo xtask test` names the Python that has wechatpy.
#[tokio::test(flavor = "multi_thread")]
async fn wechatpy_works_against_the_simulator() {
    let Some(python) = std::env::var_os("XINGLIN_PYTHON") else {
        println!("SKIPPED: XINGLIN_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    Setup::default()
        .days(0)
        .play_on_sqlite(async |hospital: &Hospital| {
            let phone = hospital.phone("李娜").await;
            phone.follows().await;
            phone.says("你好").await;
            let template = TemplateSpec::hospital().remove(0);
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../sim/python/wechatpy_client.py");
            let mut command = tokio::process::Command::new(&python);
            command.args([script, &hospital.sim.base, APPID, SECRET, &phone.openid, &template.template_id]);
            let done = command.output().await.unwrap();
            let (said, grumbled) =
                (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
            assert!(done.status.success(), "{said}\n{grumbled}");
            let said: Value = serde_json::from_str(&said).unwrap();
            assert!(said["token"].as_u64() > Some(100), "{said}");
            assert_eq!(said["picture"]["status"], 200, "{said}");
            assert_eq!(said["user"]["openid"], phone.openid.as_str(), "{said}");
            let menus = hospital.sim.inbox("menu").await;
            assert!(menus.last().unwrap().to_string().contains("我的预约"), "{menus:?}");
            let codes = hospital.sim.inbox("qrcode").await;
            assert!(codes.last().unwrap().to_string().contains("from-wechatpy"), "{codes:?}");
            let custom = hospital.sim.inbox("custom").await;
            assert!(
                custom.iter().any(|m| m["phone"] == phone.id && m.to_string().contains("这是一条客服消息")),
                "{custom:?}"
            );
            assert_eq!(phone.receives_card(&template.title).await.line("就诊人"), "张**");
            let chat = phone.chat().await;
            assert!(chat.iter().any(|item| item["via"] == "custom"), "{chat:?}");
        })
        .await;
}
