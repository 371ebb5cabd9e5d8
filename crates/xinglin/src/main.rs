//! The program: serve, demo, migrate, seed, check.

mod check;
mod demo;
mod hospital;
mod logs;
mod memory;
mod rehearse;
mod seed;
mod serve;
mod staff;
mod wechat;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Xinglin (杏林): a hospital's services for patients and staff through WeChat.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// The settings file.
    #[arg(long, global = true, env = "XINGLIN_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is told to stop (Ctrl-C, SIGTERM).
    Serve {
        /// Bring the database up to date first.
        #[arg(long)]
        migrate: bool,
    },
    /// Serves by a clock that standard input sets: for playing a day on this machine, where nobody else can reach it.
    #[command(hide = true)]
    Rehearse {
        /// What the clock shows at first: milliseconds since 1970.
        #[arg(long)]
        at: i64,
    },
    /// Starts a demonstration hospital with a simulated WeChat on this machine.
    Demo(demo::Options),
    /// Brings the database up to date.
    Migrate,
    /// Fills an empty database with the demonstration hospital.
    Seed,
    /// Sets hospitals up.
    #[command(subcommand)]
    Hospital(hospital::Do),
    /// Sets our accounts at WeChat up.
    #[command(subcommand)]
    Wechat(wechat::Do),
    /// Lets people in who work here: the first administrator, and codes for who can't sign in.
    #[command(subcommand)]
    Staff(staff::Do),
    /// Looks whether all is well; read-only. Exit code 1 when something is not.
    Check {
        /// What to look at.
        #[arg(value_enum, default_value = "all")]
        what: check::What,
    },
    /// Prints the API description.
    Openapi {
        /// Print the table of routes and roles instead.
        #[arg(long)]
        permissions: bool,
    },
    /// Prints the default settings file.
    Config,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("xinglin: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xinglin: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // Everything that speaks TLS uses the same provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config = || server::Config::read(cli.config.as_deref(), std::env::vars());
    match cli.command {
        Command::Serve { migrate } => serve::run(config()?, migrate).await,
        Command::Rehearse { at } => rehearse::run(config()?, at).await,
        Command::Demo(options) => demo::run(options).await,
        Command::Migrate => serve::migrate(&config()?).await,
        Command::Seed => seed::run(&config()?).await,
        Command::Hospital(what) => hospital::run(&config()?, what).await,
        Command::Wechat(what) => wechat::run(&config()?, what).await,
        Command::Staff(what) => staff::run(&config()?, what).await,
        Command::Check { what } => check::run(&config()?, what).await,
        Command::Openapi { permissions } => {
            let description = server::app::description().await?;
            out(&if permissions {
                server::docs::permissions(&description.rules)
            } else {
                server::docs::json(&description.api)
            });
            Ok(ExitCode::SUCCESS)
        }
        Command::Config => {
            out(server::config::DEFAULT);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints to standard output; this program's own words to its user, not a log.
pub(crate) fn out(text: &str) {
    use std::io::Write as _;
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}
