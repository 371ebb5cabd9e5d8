//! Staff as whoever has the machine itself sets them up: `xinglin staff …`, and the first administrator at the first start.

use std::process::ExitCode;

use anyhow::Context as _;
use base::Clock;
use edge::{Caller, Hospital, Hospitals};
use people::staff::first::{self, Handed};
use people::staff::{StaffDeps, StaffRefusal};
use server::{App, Config};

/// What to do with staff.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Do {
    /// Makes the first administrator of each hospital without staff, and prints a code to sign in with once. While nobody has
    /// signed in yet it prints a new code.
    First,
    /// Gives somebody a code in place of the password, and lifts a lock: for the day when no security administrator can sign in.
    Code {
        /// The name that they sign in with.
        login: String,
        /// Which hospital, by its code; not needed where there is one.
        #[arg(long)]
        hospital: Option<String>,
        /// Have them set up their second factor anew, too: the phone is lost.
        #[arg(long)]
        second_factor: bool,
    },
}

/// Does it.
pub(crate) async fn run(config: &Config, what: Do) -> anyhow::Result<ExitCode> {
    // PostgreSQL may be served by others meanwhile; the embedded file belongs to one program at a time.
    let app = App::build(config.clone(), Clock::machine()).await?;
    match what {
        Do::First => {
            if !administrators(&app.staff, &app.hospitals, &config.server.public_url, true).await? {
                crate::out("every hospital has staff who can sign in; see `xinglin staff code --help`\n");
            }
        }
        Do::Code { login, hospital, second_factor } => {
            let hospital = named(&app.hospitals, hospital.as_deref())?;
            let caller = Caller::system(hospital.clone());
            match first::reset(&app.staff, &caller, &login, second_factor).await {
                Ok(handed) => tell(&hospital, &config.server.public_url, &handed),
                Err(StaffRefusal::NotFound) => anyhow::bail!("{login}: no member of staff has this login"),
                Err(other) => return Err(other.into()),
            }
        }
    }
    app.db.close().await;
    Ok(ExitCode::SUCCESS)
}

fn named(hospitals: &Hospitals, code: Option<&str>) -> anyhow::Result<std::sync::Arc<Hospital>> {
    match code {
        Some(code) => hospitals.by_code(code).with_context(|| format!("{code}: no hospital has this code")),
        None => match hospitals.all().as_slice() {
            [one] => Ok(one.clone()),
            [] => anyhow::bail!("there is no hospital yet; see `xinglin hospital --help`"),
            _ => anyhow::bail!("there are several hospitals; name one with --hospital"),
        },
    }
}

/// Makes the first administrator where there is none, and says how they sign in. Whether there was anything to say.
pub(crate) async fn administrators(
    staff: &StaffDeps,
    hospitals: &Hospitals,
    public_url: &str,
    again: bool,
) -> anyhow::Result<bool> {
    let mut told = false;
    for hospital in hospitals.all() {
        let caller = Caller::system(hospital.clone());
        if let Some(handed) = first::administrator(staff, &caller, again).await? {
            tell(&hospital, public_url, &handed);
            told = true;
        }
    }
    Ok(told)
}

/// On standard output, not in the log: a log is kept and read by many.
fn tell(hospital: &Hospital, public_url: &str, handed: &Handed) {
    let public_url = public_url.trim_end_matches('/');
    crate::out(&format!(
        "\n  {} ({})\n  sign in at  {public_url}/h/{}/console/\n  login       {}\n  code        {}\n  good once, until {}; it leads to a password and a second factor\n\n",
        hospital.profile.name.zh,
        hospital.code,
        hospital.code,
        handed.login,
        handed.code,
        hospital.rfc3339(handed.ends_at),
    ));
}
