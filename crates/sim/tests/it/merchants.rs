//! Merchants of other people's making work against us with nothing changed but the host. `cargo xtask test` names the Python
//! that has their packages (`XINGLIN_PYTHON`); the npm one runs where `npm ci` was run in `crates/sim/node`.

use std::path::Path;
use std::process::Stdio;

use base::Clock;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::lab::{APPID, Lab, lab_with};
use crate::paying::Till;

/// They sign with the machine's clock, so the platform runs on it too.
async fn on_this_machines_clock() -> Lab {
    lab_with(|config| config.clock = Clock::machine()).await
}

async fn run(program: &Path, args: &[&str], input: &str) -> Value {
    let mut command = tokio::process::Command::new(program);
    command
        .args(args)
        .env("TZ", "Asia/Shanghai")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let done = child.wait_with_output().await.unwrap();
    let (said, grumbled) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n{grumbled}");
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}\n{grumbled}"))
}

fn python() -> Option<std::path::PathBuf> {
    let python = std::env::var_os("XINGLIN_PYTHON").map(Into::into);
    if python.is_none() {
        eprintln!("SKIPPED: XINGLIN_PYTHON is not set; `cargo xtask test` sets it");
    }
    python
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/merchants_client.py");

#[tokio::test]
async fn wechatpayv3_is_a_merchant_here() {
    let Some(python) = python() else { return };
    let lab = on_this_machines_clock().await;
    let (_, openid) = lab.follower().await;
    let (till, url) = Till::open().await;
    let base = lab.sim.base_url();
    let said = run(&python, &[SCRIPT, "wechatpay", &base, APPID, &openid, &url], "").await;
    assert_eq!(said["placed"]["status"], 200, "{said}");
    assert_eq!(
        (&said["unpaid"]["trade_state"], &said["paid"]["trade_state"]),
        (&json!("NOTPAY"), &json!("SUCCESS"))
    );
    assert_eq!(said["close_refused"]["code"], "ORDERPAID", "{said}");
    assert_eq!(
        (&said["refunded"]["status"], &said["refund"]["status"]),
        (&json!("PROCESSING"), &json!("SUCCESS"))
    );
    assert!(said["native"]["code_url"].as_str().unwrap().starts_with("weixin://"), "{said}");
    assert_eq!(said["closed"]["status"], 204, "{said}");
    // And it opens what we tell merchants.
    let (headers, body) = till.next().await;
    let headers: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect();
    let keys = lab.get("/sim/v1/wechatpay").await;
    let given = json!({ "keys": keys, "headers": headers, "body": String::from_utf8_lossy(&body) });
    let opened = run(&python, &[SCRIPT, "wechatpay_notice"], &given.to_string()).await;
    assert_eq!(opened["resource"]["out_trade_no"], "PY20260000001", "{opened}");
    assert_eq!(opened["event_type"], "TRANSACTION.SUCCESS");
}

fn alipay_worked(said: &Value) {
    for mode in ["key", "certificate"] {
        let said = &said[mode];
        let either = |part: &str, snake: &str, camel: &str| {
            let part = &said[part];
            part.get(snake).or_else(|| part.get(camel)).cloned().unwrap_or_default()
        };
        assert_eq!(either("paid", "trade_status", "tradeStatus"), "TRADE_SUCCESS", "{said}");
        assert_eq!(either("refunded", "fund_change", "fundChange"), "Y", "{said}");
        assert_eq!(either("refunded", "refund_fee", "refundFee"), "2.50", "{said}");
        assert_eq!(either("refund", "refund_status", "refundStatus"), "REFUND_SUCCESS", "{said}");
    }
}

#[tokio::test]
async fn python_alipay_sdk_is_a_merchant_here() {
    let Some(python) = python() else { return };
    let lab = on_this_machines_clock().await;
    let (till, url) = Till::open().await;
    let said = run(&python, &[SCRIPT, "alipay", &lab.sim.base_url(), &url], "").await;
    assert_eq!(said["key"]["page"], 200, "{said}");
    alipay_worked(&said);
    let (_, body) = till.next().await;
    let given = json!({ "keys": lab.get("/sim/v1/alipay").await, "body": String::from_utf8_lossy(&body) });
    let checked = run(&python, &[SCRIPT, "alipay_notice"], &given.to_string()).await;
    assert_eq!((&checked["fits"], &checked["trade_status"]), (&json!(true), &json!("TRADE_SUCCESS")));
}

#[tokio::test]
async fn alipay_sdk_is_a_merchant_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    if !folder.join("node_modules/alipay-sdk").exists() {
        println!("SKIPPED: run `npm ci` in crates/sim/node first");
        return;
    }
    let lab = on_this_machines_clock().await;
    let (till, url) = Till::open().await;
    let script = folder.join("alipay_client.mjs");
    let script = script.to_str().unwrap();
    let said = run(Path::new("node"), &[script, &lab.sim.base_url(), &url], "").await;
    alipay_worked(&said);
    let (_, body) = till.next().await;
    let args = [script, "notice", &lab.sim.base_url()];
    let checked = run(Path::new("node"), &args, std::str::from_utf8(&body).unwrap()).await;
    assert_eq!(checked["fits"], true);
}
