//! Money in stories: contracts with the platforms of the simulator, and what payers do there.

use std::collections::BTreeMap;

use base::HospitalId;
use billing::merchants::{
    AlipayKeys, BureauKeys, Keys, NewPayAccount, PortalKeys, WechatKeys, add_pay_account,
};
use serde_json::{Value, json};
use store::value::Row;
use store::{Db, Vault, args};

use crate::answer::Answer;
use crate::browser::{Browser, key};
use crate::hospital::Hospital;
use crate::phone::Phone;
use crate::setup::{APPID, FIRST};

store::statements! {
    BALANCE = "SELECT CAST(COALESCE(SUM(CASE WHEN debit LIKE $1 THEN amount_fen ELSE 0 END), 0)
            - COALESCE(SUM(CASE WHEN credit LIKE $1 THEN amount_fen ELSE 0 END), 0) AS BIGINT) AS fen FROM ledger";
    ROWS = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM ledger";
}

/// The hospital's settings for money.
pub(crate) fn settings() -> Value {
    json!({"insurance": {"city_id": "530100", "org_code": "H53010000001", "region": "530100", "location": "102.71,25.04"}})
}

/// Sets up contracts with all platforms of a simulator.
///
/// # Panics
/// When the simulator has no keys.
pub async fn contracts(db: &Db, vault: &Vault, sim: &str) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let read = async |path: &str| -> Value {
        http.get(format!("{sim}{path}")).send().await.unwrap().json().await.unwrap()
    };
    let (wechat, alipay) = (read("/sim/v1/wechatpay").await, read("/sim/v1/alipay").await);
    let bureau = read("/sim/v1/insurance").await;
    let mut tx = db.begin().await.unwrap();
    for new in accounts(FIRST, sim, &wechat, &alipay, &bureau) {
        add_pay_account(&mut tx, vault, &new).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Signs the contract with the platform for e-invoices of a simulator.
///
/// # Panics
/// When the simulator does not say who we are there.
pub async fn invoices(db: &Db, vault: &Vault, sim: &str) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let account: Value = http.get(format!("{sim}/sim/v1/ebill")).send().await.unwrap().json().await.unwrap();
    let new = billing::invoice::NewInvoiceAccount {
        hospital: FIRST,
        base_url: sim.to_owned(),
        app_id: text(&account, "app_id"),
        secret: base::Secret::new(text(&account, "secret")),
        place: "001".into(),
    };
    let mut tx = db.begin().await.unwrap();
    billing::invoice::add_invoice_account(&mut tx, vault, &new).await.unwrap();
    tx.commit().await.unwrap();
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn accounts(
    hospital: HospitalId,
    sim: &str,
    wechat: &Value,
    alipay: &Value,
    bureau: &Value,
) -> Vec<NewPayAccount> {
    let certificates = wechat["certificates"].as_array().cloned().unwrap_or_default();
    let mut province = bureau["dialect"].as_object().cloned().unwrap_or_default();
    province.insert("app_id".into(), bureau["app_id"].clone());
    province.insert("app_secret".into(), bureau["app_secret"].clone());
    province.insert("version".into(), "1.0.0".into());
    let new = |name: &str, merchant: String, app: String, keys| NewPayAccount {
        hospital,
        name: name.into(),
        merchant,
        app,
        base_url: Some(sim.to_owned()),
        keys,
    };
    vec![
        new(
            "wechat",
            text(wechat, "mchid"),
            APPID.into(),
            Keys::Wechatpay(WechatKeys {
                serial_no: text(wechat, "merchant_serial"),
                private_key: text(wechat, "merchant_private_key"),
                apiv3_key: text(wechat, "apiv3_key"),
                apiv3_key_previous: None,
                public_keys: BTreeMap::from([(text(wechat, "public_key_id"), text(wechat, "public_key"))]),
                certificates: certificates.iter().map(|one| text(one, "pem")).collect(),
            }),
        ),
        new(
            "alipay",
            text(alipay, "seller_id"),
            text(alipay, "app_id"),
            Keys::Alipay(AlipayKeys {
                private_key: text(alipay, "app_private_key"),
                public_keys: vec![text(alipay, "alipay_public_key")],
                certificates: None,
            }),
        ),
        new(
            "bureau",
            "H53010000001".into(),
            String::new(),
            Keys::Insurance(BureauKeys {
                province: Value::Object(province),
                private_key: text(bureau, "hospital_private_key"),
                bureau_public_key: text(bureau, "bureau_public_key"),
                portal: Some(PortalKeys {
                    base: sim.to_owned(),
                    partner_id: text(bureau, "partner_id"),
                    secret: text(bureau, "partner_secret"),
                    page: format!("{sim}/insurance/authorise?authType=2&bizType=04107&cityCode=530100"),
                }),
            }),
        ),
    ]
}

impl Browser {
    /// POST under a key of its own, as a page does with each tap.
    pub async fn post_once(&self, path: &str, body: Value) -> Answer {
        self.call(reqwest::Method::POST, path).key(&key()).json(&body).send().await
    }
}

impl Phone {
    /// Books a slot to be paid online: it is kept for a while. Gives the appointment.
    pub async fn holds(&self, slot: &str) -> Answer {
        let body = json!({"slot_id": slot, "person_id": self.who(), "pay": "online"});
        self.browser().post_once("/api/v1/appointments", body).await.expect(201)
    }

    /// Begins to pay by a way, or goes on with it.
    pub async fn begins_to_pay(&self, subject: &str, way: &str) -> Answer {
        let body = json!({"subject_id": subject, "way": way});
        self.browser().post_once("/api/v1/payments", body).await
    }

    /// Begins to pay with medical insurance.
    pub async fn begins_to_pay_insured(&self, subject: &str, pay_auth_no: &str) -> Answer {
        let body = json!({"subject_id": subject, "way": "insurance", "pay_auth_no": pay_auth_no});
        self.browser().post_once("/api/v1/payments", body).await
    }
}

impl Hospital {
    /// A payer pays an order of WeChat Pay, by our number.
    pub async fn pays_wechat(&self, number: &str) {
        self.sim.post(&format!("/sim/v1/wechatpay/orders/{number}/pay"), json!({})).await;
    }

    /// A payer pays an order of WeChat Pay whose time is over: the sheet was open already.
    pub async fn pays_wechat_late(&self, number: &str) {
        self.sim.post(&format!("/sim/v1/wechatpay/orders/{number}/pay"), json!({"late": true})).await;
    }

    /// A payer pays a trade of Alipay, by our number.
    pub async fn pays_alipay(&self, number: &str) {
        self.sim.post(&format!("/sim/v1/alipay/trades/{number}/pay"), json!({})).await;
    }

    /// Switches the faults of the payment platforms; those that are not named are off.
    pub async fn pay_faults(&self, faults: Value) {
        self.sim.put("/sim/v1/pay-faults", faults).await;
    }

    /// What the books say that accounts like this hold: debits less credits.
    ///
    /// # Panics
    /// When the database can't be read.
    pub async fn books(&self, account: &str) -> i64 {
        let row: Row = self.node().db().one(BALANCE, args![account]).await.unwrap();
        row.get("fen").unwrap()
    }

    /// How many rows the ledger has.
    ///
    /// # Panics
    /// When the database can't be read.
    pub async fn ledger_rows(&self) -> i64 {
        let row: Row = self.node().db().one(ROWS, args![]).await.unwrap();
        row.get("n").unwrap()
    }
}

/// Our order number at the platforms, of a payment as the API tells it.
#[must_use]
pub fn number(payment: &Answer) -> String {
    payment.id().trim_start_matches("pmt_").replace('-', "")
}
