//! Where people stand in line: tickets come in together, and whoever waits is answered as soon as it is their turn.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base::{HospitalId, Kind, Problem, UnixMs};
use edge::{AccountId, Hospital};
use parking_lot::Mutex;
use schedule::SlotId;
use tokio::sync::{Notify, mpsc, oneshot};

use super::limits::Limits;
use super::model::{Ticket, TicketId};
use super::rules::{Rush, Wave, wave};
use super::{store as sql, turn};
use crate::desk::Desk;
use crate::lane::{BATCH, Counter};
use crate::model::Request;
use crate::pay;

/// How many wishes may come in at one moment; beyond it people are asked to try again.
const QUEUE: usize = 20_000;
/// What was served is remembered for so long on the node where it was asked for.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How often somebody's place in line is worked out.
const PLACES: Duration = Duration::from_millis(400);
/// So many may wait for an answer at one moment; others are told where they stand, and ask again.
const PARKED: i64 = 6_000;
/// What is served in a second until it was measured.
const FIRST_GUESS: i64 = 400;

/// A ticket on its way into the database.
struct Arriving {
    hospital: HospitalId,
    ticket: Ticket,
    answer: oneshot::Sender<Result<Ticket, Problem>>,
}

/// What this node knows of a ticket.
struct Known {
    ticket: Ticket,
    /// How many stand in front.
    ahead: Option<i64>,
    /// Who waits for it here.
    parked: Vec<oneshot::Sender<Ticket>>,
    since: UnixMs,
}

/// What the line's tasks share.
pub(crate) struct Shared {
    pub(crate) counter: Counter,
    known: Mutex<HashMap<(HospitalId, TicketId), Known>>,
    /// Hospitals whose line this node attends to.
    attended: Mutex<HashSet<HospitalId>>,
    /// Wakes those who attend.
    pub(crate) wake: Notify,
    /// How many are served in a second.
    rate: AtomicI64,
    /// How many stand in line, as seen last.
    people: AtomicI64,
    /// How many wait here for an answer.
    parked: AtomicI64,
}

/// The line. Cheap to clone; its tasks end with the last clone.
#[derive(Clone)]
pub struct Hall {
    intake: mpsc::Sender<Arriving>,
    shared: Arc<Shared>,
    desk: Desk,
    limits: Arc<Limits>,
}

/// Where a ticket stands, for whoever holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many stand in front, when that is known: nobody knows before the draw.
    pub(crate) ahead: Option<i64>,
    /// How many stand in line.
    pub(crate) people: i64,
    /// How many are served in a second.
    pub(crate) per_second: i64,
}

impl Hall {
    /// Opens the hall before a desk.
    #[must_use]
    pub fn open(desk: Desk) -> Self {
        let shared = Arc::new(Shared {
            counter: desk.counter().clone(),
            known: Mutex::default(),
            attended: Mutex::default(),
            wake: Notify::new(),
            rate: AtomicI64::new(FIRST_GUESS),
            people: AtomicI64::new(0),
            parked: AtomicI64::new(0),
        });
        let (intake, arriving) = mpsc::channel(QUEUE);
        tokio::spawn(take_in(shared.clone(), arriving));
        Self { intake, shared, desk, limits: Arc::default() }
    }

    /// In which line a wish stands that comes now; `None`, as nearly always, when it is decided at once. Known from memory.
    #[must_use]
    pub fn wave(&self, hospital: &Hospital, slot: SlotId) -> Option<Wave> {
        let rules: Rush = hospital.settings(Rush::SECTION);
        let now = self.shared.counter.db.now();
        let opens_at = self.shared.counter.board.slot(hospital.id, slot).map(|s| s.opens_at)?;
        let released = wave(&rules, opens_at, now);
        if released.is_some() {
            return released;
        }
        let crowded =
            rules.backlog > 0 && self.desk.backlog() >= usize::try_from(rules.backlog).unwrap_or(usize::MAX);
        (crowded && now >= opens_at).then_some(Wave { draw: false, due_at: now })
    }

    /// Gives a wish its ticket; durable when this returns. The same key finds the same ticket.
    pub(crate) async fn enter(
        &self,
        hospital: &Hospital,
        request: Request,
        wave: Wave,
    ) -> Result<Ticket, Problem> {
        let now = self.shared.counter.db.now();
        self.limits.take(hospital, &request, now)?;
        let ticket = Ticket {
            id: TicketId::new(),
            account: request.account,
            key: request.key,
            hash: request.hash,
            person: request.person.id,
            slot: request.slot,
            channel: request.channel,
            request_id: request.request_id,
            source: request.source,
            due_at: wave.due_at,
            wave: i64::from(!wave.draw),
            arrived_at: now,
            pay: pay::way(request.hold.as_ref()),
            served: None,
        };
        let (answer, answered) = oneshot::channel();
        let arriving = Arriving { hospital: hospital.id, ticket, answer };
        self.intake.try_send(arriving).map_err(|_| Problem::unavailable(2))?;
        answered.await.map_err(|_| Problem::unavailable(2))?
    }

    /// A ticket of this account as it stands, after waiting at most so long for its turn.
    pub(crate) async fn look(
        &self,
        hospital: HospitalId,
        account: AccountId,
        id: TicketId,
        at_most: Duration,
    ) -> Result<(Ticket, Place), Problem> {
        let key = (hospital, id);
        if !self.shared.known.lock().contains_key(&key) {
            // Drawn on another node, or before this one was started.
            let ticket =
                sql::read(&self.shared.counter.db, hospital, id).await?.ok_or_else(Problem::not_found)?;
            self.shared.learn(hospital, ticket);
        }
        let parked = {
            let mut known = self.shared.known.lock();
            let found = known.get_mut(&key).ok_or_else(Problem::not_found)?;
            if found.ticket.account != account {
                return Err(Problem::not_found());
            }
            let crowded = self.shared.parked.load(Ordering::Relaxed) >= PARKED;
            if found.ticket.served.is_some() || at_most.is_zero() || crowded {
                return Ok((found.ticket.clone(), self.shared.place(found.ahead)));
            }
            let (sender, receiver) = oneshot::channel();
            found.parked.push(sender);
            receiver
        };
        attend(&self.shared, hospital);
        self.shared.parked.fetch_add(1, Ordering::Relaxed);
        // Counted off again also when the phone hangs up.
        let _counted = Counted(&self.shared.parked);
        match tokio::time::timeout(at_most, parked).await {
            Ok(Ok(ticket)) => Ok((ticket, self.shared.place(None))),
            _ => {
                let known = self.shared.known.lock();
                let found = known.get(&key).ok_or_else(|| Problem::unavailable(1))?;
                Ok((found.ticket.clone(), self.shared.place(found.ahead)))
            }
        }
    }

    /// Where a ticket stands that was just drawn.
    pub(crate) fn place(&self) -> Place {
        self.shared.place(None)
    }

    /// Serves a line that nobody attends to: its node died, say.
    pub(crate) fn attend(&self, hospital: HospitalId) {
        attend(&self.shared, hospital);
    }
}

/// Somebody who waits for an answer.
struct Counted<'a>(&'a AtomicI64);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn in_line(ticket: &Ticket) -> Problem {
    Problem::new(
        Kind::Conflict,
        "already_in_line",
        "您已经在排队，一个微信号一次排一个号。",
        "You are in line already: one account stands in line for one number at a time.",
    )
    .with("ticket_id", ticket.id.to_string())
}

impl Shared {
    fn place(&self, ahead: Option<i64>) -> Place {
        let people = self.people.load(Ordering::Relaxed);
        Place { ahead, people, per_second: self.rate.load(Ordering::Relaxed) }
    }

    fn learn(&self, hospital: HospitalId, ticket: Ticket) {
        let since = self.counter.db.now();
        let known = Known { ticket, ahead: None, parked: Vec::new(), since };
        self.known.lock().entry((hospital, known.ticket.id)).or_insert(known);
    }

    /// Tells those who wait that these tickets were served.
    pub(crate) fn deliver(&self, hospital: HospitalId, served: Vec<Ticket>) {
        let now = self.counter.db.now();
        let mut known = self.known.lock();
        for ticket in served {
            if let Some(found) = known.get_mut(&(hospital, ticket.id)) {
                for one in found.parked.drain(..) {
                    let _ = one.send(ticket.clone());
                }
                found.ticket = ticket;
                found.since = now;
            }
        }
    }

    /// Says how fast the line moved: so many in so long.
    pub(crate) fn measured(&self, served: usize, took: Duration) {
        let ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX).max(1);
        let now = i64::try_from(served).unwrap_or(0).saturating_mul(1_000) / ms;
        let before = self.rate.load(Ordering::Relaxed);
        self.rate.store(((before * 3 + now) / 4).max(1), Ordering::Relaxed);
    }

    /// The tickets that somebody on this node holds and that wait, as far as is known here.
    fn open_here(&self, hospital: HospitalId) -> Vec<TicketId> {
        let known = self.known.lock();
        known
            .iter()
            .filter(|((h, _), k)| *h == hospital && k.ticket.served.is_none())
            .map(|((_, id), _)| *id)
            .collect()
    }

    /// Works out where everybody stands who waits here.
    async fn find_places(&self, hospital: HospitalId) -> store::Result<()> {
        let line = sql::line(&self.counter.db, hospital).await?;
        self.people.store(i64::try_from(line.len()).unwrap_or(i64::MAX), Ordering::Relaxed);
        let at: HashMap<TicketId, i64> = line.into_iter().zip(0..).collect();
        let now = self.counter.db.now();
        for ((h, id), known) in self.known.lock().iter_mut() {
            // Before the draw nobody has a place.
            if *h == hospital && known.ticket.due_at <= now {
                known.ahead = at.get(id).copied();
            }
        }
        Ok(())
    }

    fn forget(&self, hospital: HospitalId) {
        let now = self.counter.db.now();
        self.known.lock().retain(|(h, _), k| {
            *h != hospital || k.ticket.served.is_none() || now.since(k.since) < REMEMBERED
        });
    }
}

/// Takes tickets in: those that come while the last were written down are written down together.
async fn take_in(shared: Arc<Shared>, mut arriving: mpsc::Receiver<Arriving>) {
    let mut buffer = Vec::with_capacity(BATCH);
    while arriving.recv_many(&mut buffer, BATCH).await > 0 {
        shared.counter.crowd(buffer.len());
        let mut by_hospital: HashMap<HospitalId, Vec<Arriving>> = HashMap::new();
        for one in buffer.drain(..) {
            by_hospital.entry(one.hospital).or_default().push(one);
        }
        for (hospital, group) in by_hospital {
            let tickets: Vec<Ticket> = group.iter().map(|one| one.ticket.clone()).collect();
            let written = write_down(&shared, hospital, &tickets).await;
            for (nth, one) in group.into_iter().enumerate() {
                let answer = match &written {
                    Ok(found) => found.get(nth).cloned().unwrap_or_else(|| Err(Problem::unavailable(1))),
                    Err(error) => {
                        tracing::warn!(%error, "tickets could not be written down; their people are asked to try again");
                        Err(Problem::unavailable(1))
                    }
                };
                if let Ok(ticket) = &answer {
                    shared.learn(hospital, ticket.clone());
                }
                let _ = one.answer.send(answer);
            }
            attend(&shared, hospital);
        }
    }
}

/// What each of these tickets amounts to: itself, the one of the same key, or a refusal.
async fn write_down(
    shared: &Shared,
    hospital: HospitalId,
    tickets: &[Ticket],
) -> store::Result<Vec<Result<Ticket, Problem>>> {
    let mut tx = shared.counter.db.begin().await?;
    let added: HashSet<TicketId> = sql::add_all(&mut tx, hospital, tickets).await?.into_iter().collect();
    let mut accounts: Vec<AccountId> =
        tickets.iter().filter(|t| !added.contains(&t.id)).map(|t| t.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let there = match accounts.is_empty() {
        true => Vec::new(),
        false => sql::of_accounts(&mut tx, hospital, &accounts).await?,
    };
    tx.commit().await?;
    let found = tickets.iter().map(|ticket| {
        if added.contains(&ticket.id) {
            return Ok(ticket.clone());
        }
        let own = || there.iter().filter(|t| t.account == ticket.account);
        if let Some(same) = own().find(|t| t.key == ticket.key) {
            return if same.hash == ticket.hash {
                Ok(same.clone())
            } else {
                Err(edge::idempotency::reused())
            };
        }
        match own().find(|t| t.served.is_none()) {
            Some(waits) => Err(in_line(waits)),
            None => Err(Problem::unavailable(1)),
        }
    });
    Ok(found.collect())
}

/// Has this node attend to a hospital's line until nobody stands in it.
fn attend(shared: &Arc<Shared>, hospital: HospitalId) {
    shared.wake.notify_one();
    if shared.attended.lock().insert(hospital) {
        tokio::spawn(serve(shared.clone(), hospital));
    }
}

/// Serves the line, or waits while another node does, until it is empty.
async fn serve(shared: Arc<Shared>, hospital: HospitalId) {
    let mut looked = tokio::time::Instant::now();
    loop {
        let pause = match turn::next(&shared, hospital).await {
            Ok(turn::Turn::Served) => None,
            Ok(turn::Turn::Over) => {
                // Whoever comes at this very moment attends again: the mark goes first, then we look once more.
                shared.attended.lock().remove(&hospital);
                let left = sql::how_many_wait(&shared.counter.db, hospital).await.unwrap_or(0);
                if left == 0 || !shared.attended.lock().insert(hospital) {
                    break;
                }
                None
            }
            Ok(turn::Turn::Later(pause)) => Some(pause),
            Err(error) => {
                tracing::warn!(%error, "the line could not be served; it is tried again");
                Some(Duration::from_millis(200))
            }
        };
        if let Err(error) = hear(&shared, hospital, pause.is_some()).await {
            tracing::debug!(%error, "what other nodes have served is looked for again");
        }
        if looked.elapsed() >= PLACES {
            let _ = shared.find_places(hospital).await;
            looked = tokio::time::Instant::now();
        }
        if let Some(pause) = pause {
            let _ = tokio::time::timeout(pause, shared.wake.notified()).await;
        }
    }
    let _ = hear(&shared, hospital, true).await;
    shared.people.store(0, Ordering::Relaxed);
    shared.forget(hospital);
}

/// Tells people here what other nodes have served.
async fn hear(shared: &Shared, hospital: HospitalId, idle: bool) -> store::Result<()> {
    if !idle || shared.counter.db.backend() == store::Backend::Sqlite {
        return Ok(());
    }
    let open = shared.open_here(hospital);
    if !open.is_empty() {
        let served = sql::served(&shared.counter.db, hospital, &open).await?;
        shared.deliver(hospital, served);
    }
    Ok(())
}
