//! A hospital with a contract, and servers on it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use base::Clock;
use billing::merchants::{NewPayAccount, add_pay_account};
use billing::model::PayAccountId;
use server::Config;
use store::{Db, Vault};

use super::platform::{APP, MCHID, Platform};
use crate::child::Server;
use crate::places;
use crate::rush::prepare::HOSPITAL;

/// The contract's segment in the address of notices.
pub(super) const NAME: &str = "bench";
const PATIENCE: Duration = Duration::from_secs(60);

/// Signs the contract.
pub(super) async fn contract(config: &Config, platform: &Platform) -> Result<PayAccountId> {
    let db = Db::open(&config.database.store(), Clock::machine()).await?;
    let vault = Vault::open(&config.keys.file, true)?;
    let new = NewPayAccount {
        hospital: HOSPITAL,
        name: NAME.into(),
        merchant: MCHID.into(),
        app: APP.into(),
        base_url: Some(format!("http://{}", platform.address)),
        keys: platform.keys()?,
    };
    let mut tx = db.begin().await?;
    let id = add_pay_account(&mut tx, &vault, &new).await?;
    tx.commit().await?;
    db.close().await;
    Ok(id)
}

/// Starts so many servers on one database.
pub(super) async fn servers(config: &Config, folder: &Path, count: usize) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for (nth, port) in places::free_ports(count)?.into_iter().enumerate() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let folder = folder.join(format!("node-{nth}"));
        std::fs::create_dir_all(&folder)?;
        let settings = [
            ("XINGLIN__SERVER__LISTEN", address.to_string()),
            ("XINGLIN__SERVER__PUBLIC_URL", format!("http://{address}")),
            ("XINGLIN__SERVER__TRUST_PROXY", "true".to_owned()),
            ("XINGLIN__DATABASE__URL", config.database.url.expose().to_owned()),
            ("XINGLIN__DATABASE__PATH", config.database.path.display().to_string()),
            ("XINGLIN__KEYS__FILE", config.keys.file.display().to_string()),
            ("XINGLIN__LOG__LEVEL", "warn".to_owned()),
        ];
        servers.push(Server::start(&folder, address, &["serve"], &settings, PATIENCE).await?);
    }
    Ok(servers)
}
