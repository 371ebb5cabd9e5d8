//! Hospitals as an administrator sets them up: `xinglin hospital …`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use base::{Clock, HospitalId, Secret, Text2};
use edge::{Hospitals, Profile};
use serde::Deserialize;
use server::Config;
use store::{Db, Vault};

/// The file to fill in.
const EXAMPLE: &str = include_str!("hospital.example.toml");

/// What to do with hospitals.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Do {
    /// Prints a file to fill in.
    Example,
    /// Sets a hospital up, or changes the one of this id.
    Set {
        /// The filled-in file.
        file: std::path::PathBuf,
    },
    /// Lists the hospitals.
    List,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: i64,
    code: String,
    zone: String,
    phone: String,
    name: Text2,
    short_name: Text2,
    address: Text2,
    #[serde(default)]
    hosts: Vec<String>,
    sms: Option<Sms>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sms {
    base_url: String,
    app_key: String,
    app_secret: Secret,
    sign_zh: String,
    sign_en: String,
}

/// Does it.
pub(crate) async fn run(config: &Config, what: Do) -> anyhow::Result<ExitCode> {
    match what {
        Do::Example => crate::out(EXAMPLE),
        Do::Set { file } => set(config, &file).await?,
        Do::List => {
            let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
            for hospital in Hospitals::load(&db).await?.all() {
                crate::out(&format!(
                    "{} {} {} {}\n",
                    hospital.id, hospital.code, hospital.profile.name.zh, hospital.profile.name.en
                ));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(config: &Config, file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let new: File = toml::from_str(&text).with_context(|| file.display().to_string())?;
    anyhow::ensure!(new.id > 0, "{}: id must be 1 or more", file.display());
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    anyhow::ensure!(
        (1..=32).contains(&new.code.len()) && new.code.bytes().all(plain),
        "{}: code has 1 to 32 lower-case letters, digits and hyphens",
        file.display()
    );
    base::Zone::named(&new.zone).with_context(|| file.display().to_string())?;
    let db = Db::open(&config.database.store(), Clock::machine()).await?;
    store::migrate::verify(&db, &server::app::migrations()).await?;
    let vault = Vault::open(&config.keys.file, true)?;
    let hospitals = Hospitals::load(&db).await?;
    let id = HospitalId(new.id);
    let profile = Profile {
        name: new.name,
        short_name: new.short_name,
        phone: new.phone,
        address: new.address,
        notice: None,
    };
    hospitals.put(id, &new.code, &profile, &new.zone).await?;
    for host in &new.hosts {
        hospitals.add_host(host, id).await?;
    }
    if let Some(sms) = new.sms {
        let vendor = notify::NewVendor {
            base_url: sms.base_url,
            app_key: sms.app_key,
            app_secret: sms.app_secret,
            sign: Text2::new(sms.sign_zh, sms.sign_en),
        };
        let mut tx = db.begin().await?;
        notify::set_vendor(&mut tx, &vault, id, vendor).await?;
        tx.commit().await?;
    }
    db.close().await;
    crate::out(&format!(
        "hospital {} ({}) is set up; delete {} now if it holds a secret\n",
        new.id,
        new.code,
        file.display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_can_be_read() {
        let _: super::File = toml::from_str(super::EXAMPLE).unwrap();
        let with_all = super::EXAMPLE
            .replace("# hosts", "hosts")
            .lines()
            .map(|l| l.strip_prefix("# ").filter(|r| r.contains('=') || r.starts_with('[')).unwrap_or(l))
            .collect::<Vec<_>>()
            .join("\n");
        assert!(with_all.contains("\n[sms]\n"), "{with_all}");
    }
}
