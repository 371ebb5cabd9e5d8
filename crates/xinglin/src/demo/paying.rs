//! The demonstration hospital's contracts with the simulated payment platforms, set up as an administrator would.

use std::collections::BTreeMap;

use base::Secret;
use billing::invoice::{NewInvoiceAccount, add_invoice_account};
use billing::merchants::{
    AlipayKeys, BureauKeys, Keys, NewPayAccount, PortalKeys, WechatKeys, add_pay_account,
};
use edge::Hospitals;
use serde_json::{Value, json};
use store::{Tx, Vault};

use crate::seed::HOSPITAL;

/// Our code at the simulated bureau.
const ORG: &str = "H53010000001";

/// Signs contracts with all platforms at `sim`. `app_id`: the WeChat account that people pay in.
pub(super) async fn contracts(
    tx: &mut Tx,
    vault: &Vault,
    sim: &str,
    platforms: &Platforms,
    app_id: &str,
) -> anyhow::Result<()> {
    for (name, merchant, app, keys) in platforms.keys(sim, app_id) {
        let new = NewPayAccount {
            hospital: HOSPITAL,
            name: name.to_owned(),
            merchant,
            app,
            base_url: Some(sim.to_owned()),
            keys,
        };
        add_pay_account(tx, vault, &new).await?;
    }
    let invoices = NewInvoiceAccount {
        hospital: HOSPITAL,
        base_url: sim.to_owned(),
        app_id: text(&platforms.invoices, "app_id"),
        secret: Secret::new(text(&platforms.invoices, "secret")),
        place: "001".into(),
    };
    add_invoice_account(tx, vault, &invoices).await?;
    Ok(())
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What the bureau and WeChat's insurance cashier know the hospital by.
pub(super) async fn settings(hospitals: &Hospitals) -> anyhow::Result<()> {
    let insurance =
        json!({"city_id": "530100", "org_code": ORG, "region": "530100", "location": "102.71,25.04"});
    hospitals.set(HOSPITAL, "billing", &json!({"insurance": insurance}), "demo").await?;
    Ok(())
}

/// What the platforms show a new merchant on their pages.
pub(super) struct Platforms {
    wechat: Value,
    alipay: Value,
    bureau: Value,
    invoices: Value,
}

impl Platforms {
    /// Reads them off the simulator.
    pub(super) async fn read(sim: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let read = async |path: &str| -> anyhow::Result<Value> {
            Ok(http.get(format!("{sim}{path}")).send().await?.error_for_status()?.json().await?)
        };
        Ok(Self {
            wechat: read("/sim/v1/wechatpay").await?,
            alipay: read("/sim/v1/alipay").await?,
            bureau: read("/sim/v1/insurance").await?,
            invoices: read("/sim/v1/ebill").await?,
        })
    }

    fn keys(&self, sim: &str, app_id: &str) -> [(&'static str, String, String, Keys); 3] {
        let (wechat, alipay, bureau) = (&self.wechat, &self.alipay, &self.bureau);
        let mut province = bureau.get("dialect").and_then(Value::as_object).cloned().unwrap_or_default();
        province.insert("app_id".into(), text(bureau, "app_id").into());
        province.insert("app_secret".into(), text(bureau, "app_secret").into());
        province.insert("version".into(), "1.0.0".into());
        let public = BTreeMap::from([(text(wechat, "public_key_id"), text(wechat, "public_key"))]);
        let wechat_keys = Keys::Wechatpay(WechatKeys {
            serial_no: text(wechat, "merchant_serial"),
            private_key: text(wechat, "merchant_private_key"),
            apiv3_key: text(wechat, "apiv3_key"),
            apiv3_key_previous: None,
            public_keys: public,
            certificates: Vec::new(),
        });
        let alipay_keys = Keys::Alipay(AlipayKeys {
            private_key: text(alipay, "app_private_key"),
            public_keys: vec![text(alipay, "alipay_public_key")],
            certificates: None,
        });
        let bureau_keys = Keys::Insurance(BureauKeys {
            province: Value::Object(province),
            private_key: text(bureau, "hospital_private_key"),
            bureau_public_key: text(bureau, "bureau_public_key"),
            portal: Some(PortalKeys {
                base: sim.to_owned(),
                partner_id: text(bureau, "partner_id"),
                secret: text(bureau, "partner_secret"),
                page: format!("{sim}/insurance/authorise?authType=2&bizType=04107&cityCode=530100"),
            }),
        });
        [
            ("demo-wechat", text(wechat, "mchid"), app_id.to_owned(), wechat_keys),
            ("demo-alipay", text(alipay, "seller_id"), text(alipay, "app_id"), alipay_keys),
            ("demo-bureau", ORG.to_owned(), String::new(), bureau_keys),
        ]
    }
}
