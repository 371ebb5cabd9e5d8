//! Benchmarks: `cargo xtask bench NAME` builds the program and this, and runs it.
//!
//! - [`pages`]: the patient app on a slow phone, measured by the browser itself, against its budgets
//! - [`rush`]: the booking desk under many phones at once, on both databases
//! - [`reads`]: what everybody reads, from memory, beside bare axum; and how old it may be
//! - [`callback`]: WeChat's pushes, beside wechatpy and bare axum ([`echo`])
//! - [`release`]: 5,000 people for 300 numbers at a set second, through the rush entrance
//! - [`growth`]: the cost of bookings and reads with ten million past appointments
//! - [`pay`](mod@pay): a release that is paid, notices by the hundred, and a day of a million payments against its bill
//! - [`nodes`]: several processes of the program on one PostgreSQL
//! - [`watch`]: thousands of open streams over the lines of a hospital that moves
//! - [`day`]: a hospital's day, without appointments and with them
//! - [`load`]: the load generator; [`signed`]: requests of whoever has signed in; [`child`]: a server of its own for each measurement; [`postgres`]: a database server
//!
//! A figure is the median of several rounds with the smallest and the largest beside it. What was measured stands in
//! `target/bench/NAME.json` together with the machine, the versions and the commit. A machine that does other things
//! meanwhile measures those too: the load average at both ends stands beside the figures.

mod callback;
mod child;
mod day;
mod echo;
mod figures;
mod growth;
mod load;
mod machine;
mod nodes;
mod pages;
mod pay;
mod places;
mod postgres;
mod proc;
mod reads;
mod release;
mod rush;
mod signed;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// The benchmarks of Xinglin.
#[derive(Parser)]
#[command(name = "bench", about)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The patient app on a slow phone and a slow network. Fails when a budget is missed.
    Pages(pages::Options),
    /// Bookings a second on both databases, beside pgbench, SQLite alone and bare axum. Fails when a target is missed.
    Rush(rush::Options),
    /// What everybody reads, beside bare axum giving the same bytes; and how soon a booking shows. Fails when a target is missed.
    Reads(reads::Options),
    /// Encrypted callbacks a second and their processor time, beside wechatpy and bare axum. Fails when a target is missed.
    Callback(callback::Options),
    /// Bookings and reads with 0.1, 1 and 10 million past appointments. Fails when the cost grows by more than 1.3.
    Growth(growth::Options),
    /// One, two and three nodes on one PostgreSQL. Fails when three do less than 0.8 times what one does.
    Nodes(nodes::Options),
    /// A release: 5,000 people, 300 numbers, one second. Fails when a target is missed.
    Release(release::Options),
    /// 300 numbers held and paid by notices in threes and out of order; 100 notices a second; a million payments against their bill. Fails when
    /// a target is missed.
    Pay(pay::Options),
    /// Ten thousand streams over two hundred lines, and how soon each shows a call. Fails when a target is missed.
    Watch(watch::Options),
    /// A hospital's day on a program whose clock we set: waits without appointments and with them. Fails when a target is missed.
    Day(day::Options),
    /// Bare axum giving bytes from a file, for reads to be compared with.
    #[command(hide = true)]
    Plain {
        /// Where it listens.
        address: std::net::SocketAddr,
        /// What it answers.
        file: std::path::PathBuf,
    },
    /// Bare axum giving back what it gets, for the others to be compared with.
    #[command(hide = true)]
    Echo {
        /// Where it listens.
        address: std::net::SocketAddr,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(cli)));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `false` when something was measured and found wanting. A signal ends the measurement; what it started ends with it.
async fn run(cli: Cli) -> Result<bool> {
    let (mut stop, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let work = async {
        match cli.what {
            What::Pages(options) => pages::run(&options).await,
            What::Rush(options) => rush::run(&options).await,
            What::Reads(options) => reads::run(&options).await,
            What::Plain { address, file } => reads::plain::serve(address, &file).await,
            What::Callback(options) => callback::run(&options).await,
            What::Growth(options) => growth::run(&options).await,
            What::Nodes(options) => nodes::run(&options).await,
            What::Release(options) => release::run(&options).await,
            What::Pay(options) => pay::run(&options).await,
            What::Watch(options) => watch::run(&options).await,
            What::Day(options) => day::run(&options).await,
            What::Echo { address } => echo::serve(address).await,
        }
    };
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped"),
        _ = stop.recv() => anyhow::bail!("stopped"),
        _ = hang_up.recv() => anyhow::bail!("stopped"),
    }
}

/// Prints a line of the answer to whoever called; progress goes to standard error.
fn out(line: &str) {
    use std::io::Write as _;
    let mut stdout = std::io::stdout().lock();
    // Nobody listens any more: then nobody misses it.
    let _ = writeln!(stdout, "{line}");
}
