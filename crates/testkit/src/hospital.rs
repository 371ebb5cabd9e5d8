//! The hospital: its nodes, its clock, its people.

mod node;
mod settle;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base::{Clock, Date, HalfDay, HospitalId, Text2, UnixMs, Zone};
use edge::session::NewSession;
use edge::{Actor, Caller, Role, StaffId};
use futures_util::future::join_all;
use parking_lot::Mutex;
use people::documents::{Document, Mobile};
use people::names::RealName;
use people::patients::{self, NewPatient};
use people::{DocumentKind, PersonId, Relation, Sex};
use schedule::ClinicId;
use schedule::plan::{self, NewClinic};
use serde_json::json;
use sim::SimHandle;
use store::Backend;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::checks;
use crate::phone::Phone;
use crate::setup::FIRST;
use crate::sim_control::SimControl;
use crate::site::{Doctor, Site, sitting};
use crate::someone::Someone;

pub use node::Node;

/// The other hospital of an installation with two.
pub const SECOND: HospitalId = HospitalId(2);

/// A hospital at work.
pub struct Hospital {
    /// Its departments and doctors.
    pub site: Site,
    /// The other side of the wires: WeChat and the SMS vendor.
    pub sim: SimControl,
    /// The other hospital's departments and doctors, where there is one.
    pub other_site: Option<Site>,
    pub(crate) inner: Arc<Inner>,
    pub(crate) expected: Mutex<Expected>,
    simulator: SimHandle,
    _folder: TempDir,
}

/// What phones and browsers share with the hospital.
pub(crate) struct Inner {
    pub(crate) nodes: Vec<Node>,
    pub(crate) clock: Clock,
    pub(crate) first_day: Date,
    pub(crate) http: reqwest::Client,
    pub(crate) several: bool,
    pub(crate) real_time: bool,
    browsers: AtomicU32,
}

/// What a story brings about on purpose.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) errors: Vec<&'static str>,
    pub(crate) untold: bool,
}

/// What [`Hospital::new`] is made of.
pub(crate) struct Parts {
    pub(crate) nodes: Vec<Node>,
    pub(crate) clock: Clock,
    pub(crate) real_time: bool,
    pub(crate) first_day: Date,
    pub(crate) site: Site,
    pub(crate) other_site: Option<Site>,
    pub(crate) simulator: SimHandle,
    pub(crate) http: reqwest::Client,
    pub(crate) folder: TempDir,
}

impl Hospital {
    pub(crate) fn new(parts: Parts) -> Self {
        let inner = Inner {
            nodes: parts.nodes,
            clock: parts.clock,
            first_day: parts.first_day,
            http: parts.http.clone(),
            several: parts.other_site.is_some(),
            real_time: parts.real_time,
            browsers: AtomicU32::new(1),
        };
        Self {
            site: parts.site,
            other_site: parts.other_site,
            sim: SimControl { http: parts.http, base: parts.simulator.base_url() },
            inner: Arc::new(inner),
            expected: Mutex::default(),
            simulator: parts.simulator,
            _folder: parts.folder,
        }
    }

    /// Which database this round of the story is on.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.node().db().backend()
    }

    /// The first node.
    ///
    /// # Panics
    /// Never: there is one.
    #[must_use]
    pub fn node(&self) -> &Node {
        self.inner.nodes.first().expect("there is a node")
    }

    /// All nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.inner.nodes
    }

    /// The second node of several; the only one on SQLite.
    ///
    /// # Panics
    /// Never: there is one.
    #[must_use]
    pub fn another_node(&self) -> &Node {
        self.inner.nodes.last().expect("there is a node")
    }

    // — people

    /// Somebody with a new phone and WeChat on it, who does not follow us yet.
    pub async fn phone(&self, name: &str) -> Phone {
        let made = self.sim.post("/sim/v1/phones", json!({"name": name})).await;
        let id = made["id"].as_str().expect("a phone's id").to_owned();
        let browser = self.browser_at(&format!("{id}.localhost")).await;
        Phone::new(browser, self.sim.clone(), name, &made)
    }

    /// A plain browser without WeChat.
    pub async fn browser(&self) -> Browser {
        self.browser_at("127.0.0.1").await
    }

    /// A browser that has opened the other hospital's pages.
    pub async fn browser_at_the_other(&self) -> Browser {
        self.browser_at("other.localhost").await
    }

    async fn browser_at(&self, host: &str) -> Browser {
        if self.inner.several && host != "other.localhost" {
            for node in self.nodes() {
                node.hospitals().add_host(host, FIRST).await.unwrap();
            }
        }
        let nth = self.inner.browsers.fetch_add(1, Ordering::SeqCst);
        Browser::new(self.inner.clone(), host, format!("10.0.{}.{}", nth / 250, nth % 250 + 1))
    }

    /// A follower who has signed in and has a person of this name on the list: where most stories begin. Nothing of it went
    /// through our pages; stories about signing in and adding people do that.
    pub async fn patient(&self, name: &str) -> Phone {
        self.patient_who_is(Someone::adult(name)).await
    }

    /// As [`Self::patient`], a person of one's choice.
    pub async fn patient_who_is(&self, who: Someone) -> Phone {
        let phone = self.follower(who).await;
        // Whether they follow decides by which way they are told things.
        self.settle().await;
        phone
    }

    async fn follower(&self, who: Someone) -> Phone {
        let mut phone = self.phone(&who.name).await;
        phone.does("follow", json!({})).await;
        let number = phone.number.clone();
        let person = self.on_file(&who, (!who.without_phone).then_some(number.as_str())).await;
        let node = self.node();
        let channel = node.channels().service(FIRST).expect("a service account");
        let mut tx = node.db().begin().await.unwrap();
        let openid = &phone.openid;
        let account = people::wechat_user::account_of_openid(&mut tx, FIRST, channel.id, openid, true).await;
        let account = account.unwrap().expect("it was made");
        let relation = Relation::from_code(&who.relation).expect("a relation");
        patients::bind(&mut tx, FIRST, account, person, relation).await.unwrap();
        tx.commit().await.unwrap();
        let token = self.session(FIRST, Actor::Account(account)).await;
        phone.browser().has_session(&token).await;
        phone.person = Some(person.to_string());
        phone
    }

    /// Many patients, each on a phone of their own.
    pub async fn patients(&self, count: usize) -> Vec<Phone> {
        let names: Vec<String> = (0..count).map(|n| format!("王{}", numeral(n))).collect();
        let phones = join_all(names.iter().map(|name| self.follower(Someone::adult(name)))).await;
        self.settle().await;
        phones
    }

    /// Puts somebody on file, as the hospital's own records or its desk would; gives the person's id.
    ///
    /// # Panics
    /// When they can't be real.
    pub async fn on_file(&self, who: &Someone, phone: Option<&str>) -> PersonId {
        let new = self.patient_on_file(who, phone);
        let node = self.node();
        let mut tx = node.db().begin().await.unwrap();
        let person = patients::add(&mut tx, &node.vault(), FIRST, &new).await.unwrap();
        tx.commit().await.unwrap();
        person
    }

    pub(crate) fn patient_on_file(&self, who: &Someone, phone: Option<&str>) -> NewPatient {
        let kind = DocumentKind::from_code(&who.document_kind).expect("a kind of document");
        let document = Document::parse(kind, &who.number, Some("FRA"), self.today());
        NewPatient {
            name: RealName::parse(&who.name).expect("a real name"),
            document: Some(document.expect("a true number")),
            birth: Some(who.birth),
            sex: Sex::Female,
            phone: phone.map(|p| Mobile::parse(p).expect("a mobile number")),
            verified: true,
        }
    }

    /// A browser in which a member of staff has signed in, with these roles.
    pub async fn staff(&self, roles: &[Role]) -> Browser {
        let browser = self.browser().await;
        let token = self.session(FIRST, Actor::Staff(StaffId::new(), roles.to_vec())).await;
        browser.has_session(&token).await;
        browser
    }

    /// Opens a session without a sign-in; gives the cookie's value.
    pub async fn session(&self, hospital: HospitalId, actor: Actor) -> String {
        let new = NewSession {
            hospital,
            actor,
            channel: "wechat",
            idle: Duration::from_secs(30 * 60),
            longest: Duration::from_secs(12 * 3600),
            device: "a test".into(),
        };
        self.node().sessions().open(new).await.unwrap()
    }

    // — time

    /// Now, by the clock that all share.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        self.inner.clock.now()
    }

    /// Today's date in the hospital.
    #[must_use]
    pub fn today(&self) -> Date {
        Zone::china().date(self.now())
    }

    /// The date so many days after the story began.
    ///
    /// # Panics
    /// When the calendar ends before.
    #[must_use]
    pub fn day(&self, days: i64) -> Date {
        self.inner.first_day.checked_add(jiff::Span::new().days(days)).expect("a date")
    }

    /// The instant of a wall time (`18:00`) so many days after the story began.
    ///
    /// # Panics
    /// When that is no time.
    #[must_use]
    pub fn instant(&self, days: i64, wall: &str) -> UnixMs {
        Zone::china().at(self.day(days), wall.parse().expect("a time HH:MM"))
    }

    /// Time passes, when what was due before has been done.
    pub async fn passes(&self, time: Duration) {
        self.settle().await;
        assert!(self.inner.clock.advance(time), "the machine's clock can't be moved");
        self.sees().await;
    }

    /// It becomes this time (`18:00`), so many days after the story began.
    pub async fn becomes(&self, days: i64, wall: &str) {
        self.becomes_exactly(self.instant(days, wall)).await;
    }

    /// It becomes this very instant, when what was due before has been done.
    pub async fn becomes_exactly(&self, at: UnixMs) {
        self.settle().await;
        assert!(self.inner.clock.set(at), "the machine's clock can't be moved");
        self.sees().await;
    }

    /// All nodes look at what there is.
    async fn sees(&self) {
        for node in self.nodes() {
            node.board().refresh().await.unwrap();
        }
    }

    // — what there is to be had

    /// Plans a clinic, or changes it; all nodes know of it when this returns.
    ///
    /// # Panics
    /// When it can't be.
    pub async fn plans(&self, clinic: &NewClinic) -> ClinicId {
        let node = self.node();
        let hospital = node.hospitals().get(FIRST).expect("the hospital");
        let mut tx = node.db().begin().await.unwrap();
        let id = plan::add_clinic(&mut tx, &hospital, clinic).await.expect("a clinic");
        tx.commit().await.unwrap();
        self.sees().await;
        id
    }

    /// Opens a doctor's evening clinic with one segment, 17:30 to 18:00, of so many places; gives the slot.
    pub async fn opens_evening(&self, doctor: &Doctor, days: i64, places: u32) -> String {
        let slots = sitting("17:30", "18:00", places);
        let clinic = self.site.clinic(doctor, self.day(days));
        self.plans(&NewClinic { half_day: HalfDay::Night, slots, ..clinic }).await;
        self.slot(doctor, days, "17:30").await
    }

    /// Calls a clinic off, as its office would.
    ///
    /// # Panics
    /// When there is no such clinic.
    pub async fn stops(&self, clinic: &str) {
        let node = self.node();
        let hospital = node.hospitals().get(FIRST).expect("the hospital");
        let mut tx = node.db().begin().await.unwrap();
        let reason = Text2::new("医生临时有急诊手术", "The doctor was called to an emergency");
        let clinic = clinic.parse().expect("a clinic's id");
        plan::stop_clinic(&mut tx, &Caller::system(hospital), clinic, &reason).await.expect("a clinic");
        tx.commit().await.unwrap();
        self.sees().await;
    }

    /// Calls one segment of a clinic off, for everybody who has a place in it.
    ///
    /// # Panics
    /// When there is no such segment.
    pub async fn stops_segment(&self, clinic: &str, slot: &str) {
        let node = self.node();
        let hospital = node.hospitals().get(FIRST).expect("the hospital");
        let mut tx = node.db().begin().await.unwrap();
        let reason = Text2::new("医生十点后有会诊", "The doctor has a consultation after ten");
        let (clinic, slot) = (clinic.parse().expect("a clinic's id"), slot.parse().expect("a slot's id"));
        plan::stop_part(&mut tx, &Caller::system(hospital), clinic, &[slot], &reason)
            .await
            .expect("a segment");
        tx.commit().await.unwrap();
        self.sees().await;
    }

    /// Changes a section of the hospital's settings, on all nodes.
    pub async fn sets(&self, section: &str, value: serde_json::Value) {
        for node in self.nodes() {
            node.hospitals().set(FIRST, section, &value, "test").await.unwrap();
        }
        self.sees().await;
    }

    /// The slot of a doctor's clinic that begins at a time, so many days after the story began. Of several clinics on that day
    /// the first that has such a slot.
    ///
    /// # Panics
    /// When there is none.
    pub async fn slot(&self, doctor: &Doctor, days: i64, start: &str) -> String {
        let path = format!("/api/v1/doctors/{}/clinics?from={}&days=1", doctor.id, self.day(days));
        let answer = self.browser().await.get(&path).await.good();
        let slots = answer.items().iter().flat_map(|clinic| clinic["slots"].as_array().unwrap());
        let slot = slots.clone().find(|slot| slot["start"] == start);
        let slot = slot.unwrap_or_else(|| panic!("no slot at {start}: {}", answer.text));
        slot["id"].as_str().unwrap().to_owned()
    }

    /// What the audit log has about a record, each entry as `action detail`, the first first.
    ///
    /// # Panics
    /// When it can't be read.
    pub async fn audit_of(&self, entity: &str) -> Vec<String> {
        let entries = store::audit::of_entity(&self.node().db(), FIRST, entity).await.unwrap();
        entries.into_iter().map(|e| format!("{} {}", e.action, e.detail)).collect()
    }

    // — the end

    /// From here on an error line with these words in it is part of the story.
    pub fn expects_error(&self, words: &'static str) {
        self.expected.lock().errors.push(words);
    }

    /// It is part of the story that somebody could not be told something.
    pub fn expects_untold(&self) {
        self.expected.lock().untold = true;
    }

    /// Works off what is left, looks at what must always hold, and closes.
    ///
    /// # Panics
    /// When something does not hold.
    pub async fn close(self) {
        self.settle().await;
        let expected = std::mem::take(&mut *self.expected.lock());
        let mut wrong = checks::state(self.node().db(), &expected).await;
        wrong.extend(checks::told(&self.sim).await);
        for node in self.nodes() {
            node.stop().await;
        }
        self.simulator.stop().await;
        wrong.extend(checks::errors(&expected));
        assert!(wrong.is_empty(), "when the story was over:\n  {}", wrong.join("\n  "));
    }
}

/// The `n`-th of many given names.
fn numeral(n: usize) -> String {
    const DIGITS: [char; 10] = ['一', '二', '三', '四', '五', '六', '七', '八', '九', '春'];
    [n / 100 % 10, n / 10 % 10, n % 10].iter().map(|d| DIGITS[*d]).collect()
}
