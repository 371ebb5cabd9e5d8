//! One day, played: what happens at a moment is done through the API by whoever does it, then the clock goes on to the next.
//!
//! Moments are five seconds long. In each, those who arrive come first, then doctors end, call and pause. The clock goes on when
//! everything of a moment was answered: how long the server takes changes how long the day takes here, and nothing that happens in it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base::Date;
use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::clock::Hands;
use super::floor::Queue;
use super::phones::Phones;
use super::plan::{Day, HOUR, MINUTE, PATIENCE, SITTINGS, WALK};
use super::prepare::{Made, instant};
use crate::load::Line;
use crate::signed::{Signed, send};

/// How long a moment is, in seconds.
const MOMENT: u32 = 5;
/// Connections over which desks and phones ask.
const LINES: usize = 32;
/// When everybody goes home, and when doctors go to lunch at the latest: seconds of the day.
const NIGHT: u32 = 19 * HOUR;
const LUNCH: u32 = 12 * HOUR + 30 * MINUTE;
/// A doctor who has nobody goes to lunch so long after the sitting's end.
const LINGERS: u32 = 15 * MINUTE;
/// Somebody who is told to try again does, so often.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);
/// The walk back that `walk_until` leaves (the setting's default): seconds.
const WAY_BACK: i64 = 5 * 60;

/// What somebody is told of their wait: seconds of the day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) low: i64,
    pub(super) high: i64,
    /// They may go for a walk until five minutes before this.
    pub(super) earliest: Option<i64>,
}

/// What became of a patient.
#[derive(Debug, Clone, Default)]
pub(super) struct Stay {
    ticket: Option<String>,
    /// Seconds of the day.
    pub(super) arrived: Option<u32>,
    /// Their first call.
    pub(super) called: Option<u32>,
    pub(super) told: Option<Told>,
    missed: bool,
    examined: bool,
    back: bool,
    /// They were with the doctor to the end.
    pub(super) seen: bool,
}

/// A day that is over.
pub(super) struct Played {
    pub(super) stays: Vec<Stay>,
    /// The part of their sittings for which doctors were busy.
    pub(super) utilisation: f64,
    pub(super) requests: u32,
    pub(super) took: Duration,
    /// Seconds that were played.
    pub(super) seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Doing {
    Off,
    Idle,
    Break,
    /// Has asked for the next.
    Calling,
    With(usize),
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Arrives(usize),
    Returns(usize),
    /// A sitting begins.
    Begins(usize),
    /// A doctor is free.
    Free(usize),
    /// Whom a doctor has called does not come.
    Misses(usize),
    Resumes(usize),
}

impl Deed {
    fn is_arrival(self) -> bool {
        matches!(self, Self::Arrives(_) | Self::Returns(_))
    }
}

/// What is asked for one deed, one after the other.
struct Errand {
    deed: Deed,
    who: Signed,
    steps: Vec<(String, Value)>,
}

struct Done {
    deed: Deed,
    /// When the last step was sent.
    sent: Instant,
    /// Whether the last step was to call somebody.
    next: bool,
    /// What came of it.
    status: u16,
    answer: Value,
}

/// The day under way.
pub(super) struct Play<'a> {
    pub(super) day: &'a Day,
    pub(super) made: &'a Made,
    pub(super) queues: &'a [Queue],
    pub(super) address: SocketAddr,
    pub(super) date: Date,
    /// With appointments, or everybody takes a number.
    pub(super) booked: bool,
    /// Of those who have booked every so manieth looks at their phone while waiting.
    pub(super) watch_every: usize,
}

struct World {
    stays: Vec<Stay>,
    doing: Vec<Doing>,
    breaks: Vec<[bool; 2]>,
    of_ticket: HashMap<String, usize>,
    to_come: BTreeMap<u32, Vec<Deed>>,
    busy: u64,
    requests: u32,
}

impl World {
    fn at(&mut self, second: u32, deed: Deed) {
        self.to_come.entry(second.div_ceil(MOMENT) * MOMENT).or_default().push(deed);
    }

    fn doing(&self, doctor: usize) -> Doing {
        self.doing.get(doctor).copied().unwrap_or(Doing::Off)
    }

    fn does(&mut self, doctor: usize, doing: Doing) {
        if let Some(one) = self.doing.get_mut(doctor) {
            *one = doing;
        }
    }

    fn stay(&mut self, patient: usize) -> Result<&mut Stay> {
        self.stays.get_mut(patient).context("no such patient")
    }
}

impl Play<'_> {
    /// Plays it from before the doors open until the last has gone.
    pub(super) async fn run(&self, hands: &mut Hands, phones: &mut Phones) -> Result<Played> {
        let mut world = self.world();
        let since = Instant::now();
        let mut lines = VecDeque::new();
        for _ in 0..LINES {
            lines.push_back(Line::open(self.address).await?);
        }
        let (mut first, mut last, mut shown) = (None, 0, 0);
        while let Some((now, deeds)) = world.to_come.pop_first() {
            first = first.or(Some(now));
            last = now;
            if now / HOUR > shown {
                shown = now / HOUR;
                eprintln!("{shown}:00 after {:.0} s", since.elapsed().as_secs_f64());
            }
            hands.set(instant(self.date, now))?;
            let (arrivals, others): (Vec<Deed>, Vec<Deed>) = deeds.into_iter().partition(|d| d.is_arrival());
            self.moment(&mut world, &mut lines, now, arrivals, phones).await?;
            // Whoever just came may be called at once.
            let woken = world.to_come.remove(&now).unwrap_or_default();
            self.moment(&mut world, &mut lines, now, others.into_iter().chain(woken).collect(), phones)
                .await?;
        }
        let sitting: u32 = SITTINGS.iter().map(|(start, end)| end - start).sum();
        let could = f64::from(sitting) * f64::from(u32::try_from(self.day.doctors.len())?);
        Ok(Played {
            stays: world.stays,
            utilisation: f64::from(u32::try_from(world.busy)?) / could,
            requests: world.requests,
            took: since.elapsed(),
            seconds: last - first.unwrap_or(last),
        })
    }

    fn world(&self) -> World {
        let mut world = World {
            stays: vec![Stay::default(); self.day.patients.len()],
            doing: vec![Doing::Off; self.day.doctors.len()],
            breaks: vec![[false; 2]; self.day.doctors.len()],
            of_ticket: HashMap::new(),
            to_come: BTreeMap::new(),
            busy: 0,
            requests: 0,
        };
        for (nth, patient) in self.day.patients.iter().enumerate().filter(|(_, p)| p.comes) {
            let at = if self.booked { patient.with } else { patient.without };
            world.at(at, Deed::Arrives(nth));
        }
        for (nth, doctor) in self.day.doctors.iter().enumerate() {
            for begins in doctor.begins {
                world.at(begins, Deed::Begins(nth));
            }
        }
        world
    }

    /// Does what happens in a moment, side by side.
    async fn moment(
        &self,
        world: &mut World,
        lines: &mut VecDeque<Line>,
        now: u32,
        deeds: Vec<Deed>,
        phones: &mut Phones,
    ) -> Result<()> {
        let mut errands = Vec::new();
        for deed in deeds {
            errands.extend(self.errand(world, now, deed)?);
        }
        for done in all(self.address, lines, errands, &mut world.requests).await? {
            self.apply(world, now, done, phones).await?;
        }
        Ok(())
    }

    fn errand(&self, world: &mut World, now: u32, deed: Deed) -> Result<Option<Errand>> {
        let (who, steps) = match deed {
            Deed::Arrives(patient) => self.arrives(patient)?,
            Deed::Returns(patient) => {
                world.stay(patient)?.back = true;
                match self.made.phones.get(&patient).filter(|_| self.booked) {
                    Some(_) => self.arrives(patient)?,
                    None => {
                        let doctor = self.doctor_of(patient)?;
                        let ticket = world.stay(patient)?.ticket.clone().context("no ticket")?;
                        (self.signed(doctor)?, vec![step(&ticket, "back")])
                    }
                }
            }
            // Whoever came back from lunch early and has somebody goes on with them.
            Deed::Begins(doctor) if !matches!(world.doing(doctor), Doing::Off | Doing::Idle) => {
                return Ok(None);
            }
            Deed::Begins(doctor) | Deed::Free(doctor) => match self.free(world, now, doctor)? {
                Some(steps) => (self.signed(doctor)?, steps),
                None => return Ok(None),
            },
            Deed::Misses(doctor) => {
                let Doing::With(patient) = world.doing(doctor) else { return Ok(None) };
                let ticket = world.stay(patient)?.ticket.clone().context("no ticket")?;
                (self.signed(doctor)?, vec![step(&ticket, "pass"), next()])
            }
            Deed::Resumes(doctor) => {
                let queue = &self.queues.get(doctor).context("no such line")?.id;
                let resume = (format!("/api/v1/desk/queues/{queue}/resume"), json!({}));
                (self.signed(doctor)?, vec![resume, next()])
            }
        };
        Ok(Some(Errand { deed, who, steps }))
    }

    fn arrives(&self, patient: usize) -> Result<(Signed, Vec<(String, Value)>)> {
        let doctor = self.doctor_of(patient)?;
        let queue = self.queues.get(doctor).context("no such line")?;
        if let Some(phone) = self.made.phones.get(&patient).filter(|_| self.booked) {
            let signed = Signed { cookie: phone.cookie.clone(), csrf: phone.csrf.clone() };
            return Ok((
                signed,
                vec![("/api/v1/queue/check-ins".to_owned(), json!({"code": queue.place_code}))],
            ));
        }
        let mut body = json!({"queue_id": queue.id, "name": "王伟"});
        if self.day.patients.get(patient).is_some_and(|p| p.elder)
            && let Some(body) = body.as_object_mut()
        {
            body.insert("class".into(), json!("elder"));
            body.insert("reason".into(), json!("70 岁以上"));
        }
        Ok((self.signed(doctor)?, vec![("/api/v1/desk/tickets".to_owned(), body)]))
    }

    /// A doctor ends with whoever is there, and goes on.
    fn free(&self, world: &mut World, now: u32, doctor: usize) -> Result<Option<Vec<(String, Value)>>> {
        let sitting = usize::from(now >= LUNCH);
        let mut steps = Vec::new();
        let doing = world.doing(doctor);
        if matches!(doing, Doing::Break | Doing::Calling) {
            return Ok(None);
        }
        if let Doing::With(patient) = doing {
            let exam = self.day.patients.get(patient).and_then(|p| p.exam);
            let stay = world.stay(patient)?;
            let ticket = stay.ticket.clone().context("no ticket")?;
            // Who could not be back before the evening comes on another day.
            let back = exam.map(|exam| now + exam.away).filter(|at| !stay.examined && *at < 17 * HOUR);
            match back {
                Some(at) => {
                    stay.examined = true;
                    world.at(at, Deed::Returns(patient));
                    steps.push(step(&ticket, "exam"));
                }
                None => {
                    stay.seen = true;
                    steps.push(step(&ticket, "end"));
                }
            }
        }
        let stops = if sitting == 0 { LUNCH } else { NIGHT };
        if now + MOMENT >= stops {
            world.does(doctor, Doing::Off);
            return Ok(Some(steps).filter(|steps| !steps.is_empty()));
        }
        let due = self.day.doctors.get(doctor).and_then(|d| d.breaks.get(sitting).copied().flatten());
        let taken =
            world.breaks.get_mut(doctor).and_then(|b| b.get_mut(sitting)).context("no such doctor")?;
        if let Some((at, minutes)) = due
            && at <= now
            && !*taken
        {
            *taken = true;
            let queue = &self.queues.get(doctor).context("no such line")?.id;
            steps.push((format!("/api/v1/desk/queues/{queue}/pause"), json!({"minutes": minutes})));
            world.does(doctor, Doing::Break);
            world.at(now + minutes * MINUTE, Deed::Resumes(doctor));
            return Ok(Some(steps));
        }
        // `next` ends the visit in the room by itself.
        steps.retain(|(path, _)| !path.ends_with("/end"));
        steps.push(next());
        world.does(doctor, Doing::Calling);
        Ok(Some(steps))
    }

    async fn apply(&self, world: &mut World, now: u32, done: Done, phones: &mut Phones) -> Result<()> {
        match done.deed {
            Deed::Arrives(patient) | Deed::Returns(patient) => {
                ensure!(done.status < 300, "patient {patient} at {now}: {} {}", done.status, done.answer);
                let doctor = self.doctor_of(patient)?;
                if matches!(done.deed, Deed::Arrives(_)) {
                    let place = done.answer.pointer("/tickets/0");
                    let id = place.and_then(|p| p.get("id")).or_else(|| done.answer.pointer("/ticket/id"));
                    let id = id.and_then(Value::as_str).context("no ticket")?.to_owned();
                    let told = told(place.or_else(|| done.answer.get("slip")), self.date)?;
                    world.of_ticket.insert(id.clone(), patient);
                    let stay = world.stay(patient)?;
                    (stay.arrived, stay.told) = (Some(now), told);
                    stay.ticket = Some(id.clone());
                    if let Some(phone) = self.made.phones.get(&patient).filter(|_| self.booked)
                        && patient.is_multiple_of(self.watch_every)
                    {
                        phones.watch(patient, &id, &phone.cookie).await?;
                    }
                }
                let lunch = SITTINGS[0].1 + LINGERS..SITTINGS[1].0;
                if world.doing(doctor) == Doing::Idle && !lunch.contains(&now) {
                    world.does(doctor, Doing::Off);
                    world.at(now, Deed::Free(doctor));
                }
            }
            Deed::Begins(doctor) | Deed::Free(doctor) | Deed::Misses(doctor) | Deed::Resumes(doctor) => {
                if !done.next {
                    ensure!(done.status < 300, "doctor {doctor} stops: {} {}", done.status, done.answer);
                    return Ok(());
                }
                self.called(world, now, doctor, &done, phones)?;
            }
        }
        Ok(())
    }

    /// Who was called, and what follows from it.
    fn called(
        &self,
        world: &mut World,
        now: u32,
        doctor: usize,
        done: &Done,
        phones: &mut Phones,
    ) -> Result<()> {
        let code = done.answer.get("code").and_then(Value::as_str);
        ensure!(done.status < 300 || code == Some("nobody_waiting"), "doctor {doctor}: {}", done.answer);
        let ticket = done.answer.pointer("/ticket/id").and_then(Value::as_str);
        let Some(ticket) = ticket.filter(|_| done.status < 300) else {
            let over = (SITTINGS[0].1 + LINGERS..LUNCH).contains(&now);
            world.does(doctor, if over { Doing::Off } else { Doing::Idle });
            return Ok(());
        };
        let patient = *world.of_ticket.get(ticket).with_context(|| format!("whose is {ticket}?"))?;
        ensure!(self.doctor_of(patient)? == doctor, "{ticket} is another doctor's");
        world.does(doctor, Doing::With(patient));
        let about = self.day.patients.get(patient).context("no such patient")?;
        let stay = world.stay(patient)?;
        if stay.called.is_none() {
            stay.called = Some(now);
            phones.called(patient, done.sent);
        }
        if about.misses && !stay.missed {
            stay.missed = true;
            world.at(now + PATIENCE, Deed::Misses(doctor));
            return Ok(());
        }
        let visit = about.exam.filter(|_| stay.back).map_or(about.visit, |exam| exam.visit);
        let until = now + WALK + visit;
        let within = SITTINGS.iter().map(|(start, end)| until.min(*end).saturating_sub(now.max(*start)));
        world.busy += u64::from(within.sum::<u32>());
        world.at(until, Deed::Free(doctor));
        Ok(())
    }

    fn doctor_of(&self, patient: usize) -> Result<usize> {
        self.day.patients.get(patient).map(|p| p.doctor).context("no such patient")
    }

    fn signed(&self, doctor: usize) -> Result<Signed> {
        self.made.doctors.get(doctor).map(|d| d.signed.clone()).context("no such doctor")
    }
}

fn step(ticket: &str, step: &str) -> (String, Value) {
    (format!("/api/v1/desk/tickets/{ticket}/{step}"), json!({}))
}

fn next() -> (String, Value) {
    ("/api/v1/desk/next".to_owned(), json!({}))
}

/// What a place or a slip says of the wait.
fn told(place: Option<&Value>, date: Date) -> Result<Option<Told>> {
    let Some(place) = place else { return Ok(None) };
    let midnight = instant(date, 0).seconds();
    let at = |pointer: &str| -> Result<Option<i64>> {
        let Some(text) = place.pointer(pointer).and_then(Value::as_str) else { return Ok(None) };
        Ok(Some(text.parse::<jiff::Timestamp>()?.as_second() - midnight))
    };
    let (Some(low), Some(high)) = (at("/estimate/low")?, at("/estimate/high")?) else { return Ok(None) };
    Ok(Some(Told { low, high, earliest: at("/walk_until")?.map(|until| until + WAY_BACK) }))
}

/// A line again, and what came of the errands that went over it, with their place.
type Share = (Line, Vec<(usize, Done)>);

/// Runs errands side by side over the lines; what came of them in their order.
async fn all(
    address: SocketAddr,
    lines: &mut VecDeque<Line>,
    errands: Vec<Errand>,
    requests: &mut u32,
) -> Result<Vec<Done>> {
    let side_by_side = lines.len().min(errands.len());
    if side_by_side == 0 {
        return Ok(Vec::new());
    }
    let mut shares: Vec<Vec<(usize, Errand)>> = (0..side_by_side).map(|_| Vec::new()).collect();
    for (nth, errand) in errands.into_iter().enumerate() {
        *requests += u32::try_from(errand.steps.len())?;
        if let Some(share) = shares.get_mut(nth % side_by_side) {
            share.push((nth, errand));
        }
    }
    let mut running: JoinSet<Result<Share>> = JoinSet::new();
    for share in shares {
        // In turn, so that none lies unused for long; one that was closed is opened anew, as a browser does.
        let mut line = lines.pop_front().context("no line")?;
        running.spawn(async move {
            if !line.is_open() {
                line = Line::open(address).await?;
            }
            let mut done = Vec::new();
            for (nth, errand) in share {
                done.push((nth, run(&mut line, address, errand).await?));
            }
            Ok((line, done))
        });
    }
    let mut done = Vec::new();
    while let Some(share) = running.join_next().await {
        let (line, some) = share??;
        lines.push_back(line);
        done.extend(some);
    }
    done.sort_by_key(|(nth, _)| *nth);
    Ok(done.into_iter().map(|(_, done)| done).collect())
}

async fn run(line: &mut Line, address: SocketAddr, errand: Errand) -> Result<Done> {
    let count = errand.steps.len();
    let next = errand.steps.last().is_some_and(|(path, _)| path.ends_with("/next"));
    let mut done = Done { deed: errand.deed, sent: Instant::now(), next, status: 200, answer: Value::Null };
    for (nth, (path, body)) in errand.steps.iter().enumerate() {
        done.sent = Instant::now();
        let mut tries = 0;
        let answer = loop {
            let answer = send(line, address, Some(&errand.who), Method::POST, path, Some(body)).await?;
            tries += 1;
            if answer.status != 503 {
                break answer;
            }
            ensure!(tries < TRIES, "{path}: asked to try again {TRIES} times");
            tokio::time::sleep(PAUSE).await;
        };
        if nth + 1 < count && answer.status >= 300 {
            bail!("{path}: {} {}", answer.status, answer.text());
        }
        done.status = answer.status;
        done.answer = serde_json::from_slice(answer.bytes()).unwrap_or(Value::Null);
    }
    Ok(done)
}
