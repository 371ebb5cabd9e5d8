//! How soon a booking shows: from the moment at which a phone has its answer to the moment at which others read one place less.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::child::Server;
use crate::load::{Line, Phone};
use crate::places;
use crate::postgres::Postgres;
use crate::rush::prepare::Prepared;
use crate::rush::round::settings;

const PATIENCE: Duration = Duration::from_secs(30);
/// Readers at the same time, each of a slot of its own.
const READERS: usize = 20;
/// Bookings that each of them sees.
const TIMES: usize = 10;
const LOOK: Duration = Duration::from_millis(2);
const GIVE_UP: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Clinics {
    items: Vec<Clinic>,
}

#[derive(Deserialize)]
struct Clinic {
    slots: Vec<Slot>,
}

#[derive(Deserialize)]
struct Slot {
    id: String,
    remaining: i64,
}

#[derive(Deserialize)]
struct Doctors {
    items: Vec<Doctor>,
}

#[derive(Deserialize)]
struct Doctor {
    id: String,
}

/// Milliseconds until each booking showed, sorted. On PostgreSQL phones book on one node and others read on another.
pub(super) async fn measure(
    prepared: &Prepared,
    postgres: Option<&Postgres>,
    folder: &Path,
) -> Result<Vec<f64>> {
    let config = prepared.copy(folder, postgres).await?;
    let mut nodes = Vec::new();
    for nth in 0..if postgres.is_some() { 2 } else { 1 } {
        let port = places::free_ports(nth + 1)?.last().copied().context("no free port")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let home = folder.join(format!("node-{nth}"));
        std::fs::create_dir_all(&home)?;
        nodes.push(Server::start(&home, address, &["serve"], &settings(&config, address), PATIENCE).await?);
    }
    let (books, reads) =
        (nodes.first().context("no node")?.address, nodes.last().context("no node")?.address);
    let doctors: Doctors = read(&mut Line::open(reads).await?, "/api/v1/doctors").await?;
    let mut pages = Vec::new();
    for doctor in doctors.items {
        let path = format!("/api/v1/doctors/{}/clinics", doctor.id);
        let clinics: Clinics = read(&mut Line::open(reads).await?, &path).await?;
        let slots = clinics.items.into_iter().flat_map(|clinic| clinic.slots).map(|slot| slot.id);
        pages.extend(slots.map(|slot| (path.clone(), slot)));
    }
    // Slots of different doctors, as far as there are enough.
    let step = (pages.len() / READERS).max(1);
    let mut readers = JoinSet::new();
    for (nth, (path, slot)) in pages.into_iter().step_by(step).take(READERS).enumerate() {
        let phones: Vec<Phone> = prepared.phones.iter().skip(nth * TIMES).take(TIMES).cloned().collect();
        readers.spawn(async move { watch(books, reads, &path, &slot, &phones).await });
    }
    let mut all = Vec::new();
    while let Some(seen) = readers.join_next().await {
        all.extend(seen??);
    }
    for node in nodes {
        node.stop()?;
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}

async fn watch(
    books: SocketAddr,
    reads: SocketAddr,
    path: &str,
    slot: &str,
    phones: &[Phone],
) -> Result<Vec<f64>> {
    let (mut writer, mut reader) = (Line::open(books).await?, Line::open(reads).await?);
    let mut all = Vec::new();
    for (nth, phone) in phones.iter().enumerate() {
        let before = remaining(&mut reader, path, slot).await?;
        let booked = writer.book_one(phone, slot, &format!("stale-{nth}")).await?;
        ensure!(booked.is_some(), "a phone was refused");
        let since = Instant::now();
        while remaining(&mut reader, path, slot).await? >= before {
            ensure!(since.elapsed() < GIVE_UP, "a booking does not show on {path}");
            tokio::time::sleep(LOOK).await;
        }
        all.push(since.elapsed().as_secs_f64() * 1e3);
    }
    Ok(all)
}

async fn remaining(line: &mut Line, path: &str, slot: &str) -> Result<i64> {
    let clinics: Clinics = read(line, path).await?;
    let found = clinics.items.iter().flat_map(|clinic| &clinic.slots).find(|one| one.id == slot);
    Ok(found.context("the slot is not on the page")?.remaining)
}

async fn read<T: serde::de::DeserializeOwned>(line: &mut Line, path: &str) -> Result<T> {
    let answer = line.get(path).await?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
    Ok(serde_json::from_slice(answer.bytes())?)
}
