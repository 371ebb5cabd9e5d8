//! The simulator alone, with one account, two phones and a product that says only "success": for work on the phones' page.
//!
//! `cargo run -p sim --example desk -- [PORT] [PRODUCT_BASE] [CALLBACK_URL]`
#![expect(clippy::print_stdout, reason = "it tells where it listens")]

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use base::{Clock, UnixMs};
use sim::{PushMode, Sim, SimAccount, SimConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let port: u16 = args.next().unwrap_or_else(|| "19090".to_owned()).parse()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let own = format!("http://{}", listener.local_addr()?);
    let product = args.next().unwrap_or_else(|| own.clone());
    let callback = args.next().unwrap_or_else(|| format!("{own}/wechat/main"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(async || "success")).await });
    let mut account = SimAccount::service("wx1f2e3d4c5b6a7980", "0123456789abcdef0123456789abcdef", callback);
    account.mode = PushMode::Safe;
    let now = Clock::machine().now();
    let mut config = SimConfig::new(product, Clock::starting_at(UnixMs(now.0)));
    config.bind = SocketAddr::from(([127, 0, 0, 1], port));
    config.accounts.push(account);
    config.seed = Some(1);
    let sim = Sim::start(config).await?;
    println!("simulator at {} (product {own}); Ctrl-C stops it", sim.base_url());
    tokio::signal::ctrl_c().await?;
    sim.stop().await;
    Ok(())
}
