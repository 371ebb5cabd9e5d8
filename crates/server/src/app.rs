//! What is joined, and how: one database, all capabilities, one router, one set of workers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Clock, HospitalId};
use edge::live::TopicSource;
use edge::routes::Rule;
use edge::session::Sessions;
use edge::{Anyone, ApiResult, Caller, Capability, Hospital, Hospitals, Routes};
use schedule::Board;
use schedule::wire::{HospitalFacts, Limits as LimitFacts, SignInFacts};
use store::{Db, Migration, Sql, Subscriber, Sweep, Vault};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Config;
use crate::{console, docs, entrance, health, http, layers, paying, web};

/// How often workers look by themselves when nothing wakes them.
const TICK: Duration = Duration::from_millis(500);

/// The program, put together. [`App::run`] serves it.
pub struct App {
    /// Its settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The keys of sealed fields.
    pub vault: Arc<Vault>,
    /// The hospitals.
    pub hospitals: Hospitals,
    /// Who has signed in.
    pub sessions: Sessions,
    /// The WeChat accounts.
    pub channels: people::Channels,
    /// What can be had.
    pub board: Board,
    /// The booking desk.
    pub desk: booking::Desk,
    /// The lines of people.
    pub queue: queue::QueueDeps,
    /// Staff and their sign-ins.
    pub staff: people::staff::StaffDeps,
    /// What money works with.
    pub billing: billing::BillingDeps,
    notify: notify::NotifyDeps,
    entrance: entrance::Deps,
    vendors: Vendors,
    capabilities: Vec<Capability>,
    /// Routes outside the API description: WeChat's entrance and its files.
    plain: Router,
}

/// All tables, in the order in which they may refer to each other.
#[must_use]
pub fn migrations() -> Vec<Migration> {
    [
        store::migrations(),
        edge::migrations(),
        people::migrations(),
        notify::migrations(),
        schedule::migrations(),
        billing::migrations(),
        booking::migrations(),
        channel::migrations(),
        queue::migrations(),
        entrance::migrations(),
    ]
    .concat()
}

/// All statements, for the test that prepares them on both databases.
#[must_use]
pub fn statements() -> Vec<Sql> {
    [
        store::statements(),
        edge::statements(),
        people::statements(),
        notify::statements(),
        schedule::statements(),
        billing::statements(),
        booking::statements(),
        channel::statements(),
        queue::statements(),
        entrance::statements(),
        crate::check::rows::statements(),
    ]
    .concat()
}

/// Brings the database up to date; gives what was applied.
///
/// # Errors
/// When the database can't be reached or a newer program was here.
pub async fn migrate(config: &Config, clock: Clock) -> anyhow::Result<Vec<String>> {
    let db = Db::open(&config.database.store(), clock).await?;
    let applied = store::migrate::apply(&db, &migrations()).await?;
    db.close().await;
    Ok(applied)
}

/// The API description and the rules of all routes.
pub struct Description {
    /// The description.
    pub api: OpenApi,
    /// Who may call what.
    pub rules: Vec<Rule>,
    /// What a hospital may set.
    pub settings: Vec<edge::Section>,
}

impl App {
    /// Opens the database and puts everything together. The database must be up to date.
    ///
    /// # Errors
    /// When the database can't be reached or is not up to date, or the key file can't be read.
    pub async fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        health::recorder();
        // Reading the machine's list of authorities takes as long as opening the database: both at once.
        let outbound = tokio::task::spawn_blocking(|| wechat::api::http_client().build());
        let db = Db::open(&config.database.store(), clock).await?;
        store::migrate::verify(&db, &migrations()).await?;
        let vault = Arc::new(Vault::open(&config.keys.file, true)?);
        let hospitals = Hospitals::load(&db).await?;
        let sessions = Sessions::new(db.clone());
        let outbound = outbound.await??;
        let channels = people::Channels::load(&db, vault.clone(), outbound.clone()).await?;
        let board = Board::load(&db, &hospitals).await?;
        let desk = booking::Desk::open(db.clone(), hospitals.clone(), board.clone());
        let merchants = billing::Merchants::load(&db, vault.clone(), outbound.clone()).await?;
        let registrations = booking::pay::Registrations::new(desk.clone(), hospitals.clone());
        let billing = billing::BillingDeps {
            db: db.clone(),
            vault: vault.clone(),
            hospitals: hospitals.clone(),
            channels: channels.clone(),
            merchants,
            payables: billing::Payables::new(vec![Arc::new(registrations)]),
            invoicer: Some(Arc::new(billing::invoice::Provided::new(
                db.clone(),
                vault.clone(),
                outbound.clone(),
            ))),
            public_url: config.server.public_url.as_str().into(),
        };
        let notify = notify::NotifyDeps {
            db: db.clone(),
            vault: vault.clone(),
            hospitals: hospitals.clone(),
            channels: channels.clone(),
            http: outbound,
            public_base: config.server.public_url.clone(),
        };
        let granted = edge::Granted::default();
        let people_deps = people::PeopleDeps {
            db: db.clone(),
            vault: vault.clone(),
            sessions: sessions.clone(),
            channels: channels.clone(),
            send_code: Arc::new(notify::Sender::new(vault.clone())),
            hospitals: hospitals.clone(),
            merging: Arc::new(crate::keeps::Kept),
            upcoming: Arc::new(Ahead),
            places: Arc::new(OnBoard(board.clone())),
            granted: granted.clone(),
        };
        let staff = people::staff::StaffDeps::new(people_deps.clone());
        let booking_deps = booking::BookingDeps::new(booking::Needs {
            db: db.clone(),
            hospitals: hospitals.clone(),
            board: board.clone(),
            desk: desk.clone(),
            hall: booking::rush::Hall::open(desk.clone()),
            vault: vault.clone(),
        });
        let queue_deps =
            queue::QueueDeps::new(db.clone(), vault.clone(), hospitals.clone(), board.clone(), desk.clone());
        let url = config.server.public_url.as_str();
        let channel_deps = channel::ChannelDeps {
            db: db.clone(),
            vault: vault.clone(),
            hospitals: hospitals.clone(),
            channels: channels.clone(),
            board: board.clone(),
            chat: channel::chat::Chat::default(),
            public_url: url.into(),
        };
        channel_deps.chat.reload(&db).await?;
        let entrance_deps = entrance::Deps::new(channel_deps.clone());
        let vendors = Vendors::load(&db).await?;
        let facts = facts(channels.clone(), vendors.clone());
        let schedule_deps = schedule::ScheduleDeps {
            db: db.clone(),
            hospitals: hospitals.clone(),
            board: board.clone(),
            facts,
        };
        let mut capabilities = vec![
            people::devices::capability(people_deps.clone()),
            people::capability(people_deps.clone()),
            notify::capability(notify.clone()),
            schedule::capability(schedule_deps),
            billing::capability(billing.clone()),
            booking::capability(booking_deps),
            channel::capability(channel_deps, people_deps),
            queue::capability(queue_deps.clone()),
            entrance::capability(),
        ];
        let settings = capabilities.iter().flat_map(|c| c.settings.clone()).collect();
        capabilities.push(console::capability(db.clone(), hospitals.clone(), &config, settings));
        granted.learn(&capabilities.iter().flat_map(|c| c.rules.clone()).collect::<Vec<_>>());
        let plain = entrance::routes(entrance_deps.clone()).merge(paying::routes(billing.clone()));
        Ok(Self {
            config,
            db,
            vault,
            hospitals,
            sessions,
            channels,
            board,
            desk,
            queue: queue_deps,
            staff,
            billing,
            notify,
            entrance: entrance_deps,
            vendors,
            capabilities,
            plain,
        })
    }

    /// What the WeChat entrance and its checks work with.
    #[must_use]
    pub fn wechat_deps(&self) -> entrance::Deps {
        self.entrance.clone()
    }

    /// All routes with their description, and who may call them.
    fn described(&mut self, stop: &CancellationToken) -> (Router, OpenApi, Vec<Rule>) {
        let sources: HashMap<&'static str, Arc<dyn TopicSource>> =
            self.capabilities.iter().flat_map(|c| c.topics.iter().map(|t| (t.kind(), t.clone()))).collect();
        let live = Live { db: self.db.clone(), sources: Arc::new(sources), stop: stop.clone() };
        let (watching, mut rules) = Routes::new().route::<Anyone>(routes!(watch)).with_state(live);
        let mut all = OpenApiRouter::with_openapi(docs::frame()).merge(watching);
        for capability in &mut self.capabilities {
            all = all.merge(std::mem::take(&mut capability.router));
            rules.extend(capability.rules.iter().cloned());
        }
        let (router, mut api) = all.split_for_parts();
        docs::name_operations(&mut api);
        (router, api, rules)
    }

    fn router(&mut self, stop: &CancellationToken) -> Router {
        let (described, api, rules) = self.described(stop);
        let for_patients = |c: &std::sync::Arc<people::Channel>| c.kind != people::ChannelKind::Wecom;
        let channels = self.channels.all().into_iter().filter(for_patients);
        let script_hosts = channels.filter_map(|c| origin(&c.js_sdk_url)).collect::<Vec<_>>();
        let pages = web::Pages::new(&self.config.web.frame_ancestors, &script_hosts);
        let inside =
            described.merge(docs::routes(api, rules)).fallback(move |request: axum::extract::Request| {
                let pages = pages.clone();
                async move { pages.answer(&request) }
            });
        let identify = edge::layers::Identify {
            hospitals: self.hospitals.clone(),
            sessions: self.sessions.clone(),
            trust_proxy: self.config.server.trust_proxy,
        };
        // The routes for machines that look after us stand outside: they answer while everything else is busy.
        let all = health::routes(self.db.clone())
            .merge(layers::around_machines(std::mem::take(&mut self.plain), &self.config))
            .fallback_service(layers::around(inside, &self.config, identify));
        layers::dated(all, self.db.clock())
    }

    /// Starts serving and all workers; they run until `stop`.
    pub fn run(mut self, listener: TcpListener, stop: CancellationToken) -> Running {
        let address = listener.local_addr().ok();
        let router = self.router(&stop);
        let mut tasks = JoinSet::new();
        let subscribers: Arc<[Arc<dyn Subscriber>]> =
            self.capabilities.iter().flat_map(|c| c.subscribers.clone()).collect();
        let jobs: Arc<[_]> = self.capabilities.iter().flat_map(|c| c.jobs.clone()).collect();
        let mut sweeps: Vec<Arc<dyn Sweep>> =
            self.capabilities.iter().flat_map(|c| c.sweeps.clone()).collect();
        sweeps.push(Arc::new(Forget { sessions: self.sessions.clone() }));
        sweeps.push(Arc::new(LinkAudit));
        let (db, within) = (self.db.clone(), Duration::from_secs(self.config.server.stop_within_s));
        tasks.spawn(http::serve(listener, router, stop.clone(), within));
        tasks.spawn(store::events::relay(db.clone(), subscribers, TICK, stop.clone()));
        tasks.spawn(store::jobs::run(db.clone(), jobs, TICK, stop.clone()));
        tasks.spawn(store::jobs::sweep(db.clone(), sweeps.into(), TICK, stop.clone()));
        tasks.spawn(store::live::bridge(db.clone(), stop.clone()));
        tasks.spawn(self.hospitals.clone().keep_fresh(stop.clone()));
        tasks.spawn(self.channels.clone().keep_fresh(stop.clone()));
        tasks.spawn(self.entrance.codes.chat.clone().keep_fresh(db.clone(), stop.clone()));
        tasks.spawn(self.vendors.clone().keep_fresh(db.clone(), stop.clone()));
        tasks.spawn(schedule::worker::run(self.board.clone(), stop.clone()));
        tasks.spawn(notify::worker::run(self.notify.clone(), stop.clone()));
        tasks.spawn(self.billing.merchants.clone().keep_fresh(stop.clone()));
        tasks.spawn(billing::worker::run(self.billing.clone(), stop.clone()));
        tasks.spawn(entrance::worker(self.entrance.clone(), stop.clone()));
        Running { address, tasks, db }
    }
}

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: Option<SocketAddr>,
    tasks: JoinSet<()>,
    db: Db,
}

impl Running {
    /// Waits until everything has stopped, gives leases back and closes the database.
    pub async fn finished(mut self) {
        while self.tasks.join_next().await.is_some() {}
        if let Err(error) = store::lease::give_back_all(&self.db).await {
            tracing::debug!(%error, "leases run out by themselves");
        }
        self.db.close().await;
    }
}

/// What other capabilities know and `GET /hospital` tells.
fn facts(
    channels: people::Channels,
    vendors: Vendors,
) -> Arc<dyn Fn(&Hospital) -> HospitalFacts + Send + Sync> {
    Arc::new(move |hospital: &Hospital| {
        let channel = channels.service(hospital.id);
        let limits: booking::Limits = hospital.settings("booking.limits");
        let consent: people::settings::ConsentVersions =
            hospital.settings(people::settings::ConsentVersions::SECTION);
        HospitalFacts {
            sign_in: SignInFacts { wechat: channel.is_some(), sms: vendors.has(hospital.id) },
            js_sdk_url: channel.map(|c| c.js_sdk_url.clone()),
            elder_hint: true,
            privacy_version: consent.privacy_version,
            consent_version: consent.consent_version,
            limits: LimitFacts {
                cancel_until: limits.cancel_until,
                hold_minutes: limits.hold_minutes,
                per_doctor_session: 1,
                per_department_day: limits.per_department_day,
                per_day: limits.per_day,
                per_week: limits.per_week,
                per_quarter: limits.per_quarter,
                further: booking::words::rules(hospital),
            },
        }
    })
}

/// Tells people of appointments ahead before they unbind a person.
struct Ahead;

#[async_trait::async_trait]
impl people::Upcoming for Ahead {
    async fn upcoming(
        &self,
        tx: &mut store::Tx,
        hospital: HospitalId,
        account: edge::AccountId,
        person: people::PersonId,
    ) -> store::Result<u32> {
        booking::store::ahead(tx, hospital, account, person).await
    }
}

/// Doctors and departments that staff may be tied to.
struct OnBoard(Board);

impl people::staff::Places for OnBoard {
    fn has_doctor(&self, hospital: HospitalId, id: &str) -> bool {
        id.parse().is_ok_and(|id| self.0.has_doctor(hospital, id))
    }

    fn has_department(&self, hospital: HospitalId, id: &str) -> bool {
        id.parse().is_ok_and(|id| self.0.has_department(hospital, id))
    }
}

/// The hospitals that can send SMS, read again every few seconds.
#[derive(Clone, Default)]
struct Vendors(Arc<parking_lot::RwLock<Vec<HospitalId>>>);

impl Vendors {
    async fn load(db: &Db) -> store::Result<Self> {
        let all = Self::default();
        *all.0.write() = notify::hospitals_with_vendor(db).await?;
        Ok(all)
    }

    fn has(&self, hospital: HospitalId) -> bool {
        self.0.read().contains(&hospital)
    }

    async fn keep_fresh(self, db: Db, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
            }
            if let Ok(fresh) = notify::hospitals_with_vendor(&db).await {
                *self.0.write() = fresh;
            }
        }
    }
}

fn origin(address: &str) -> Option<String> {
    url::Url::parse(address).ok().map(|u| u.origin().ascii_serialization())
}

#[derive(Clone)]
struct Live {
    db: Db,
    sources: Arc<HashMap<&'static str, Arc<dyn TopicSource>>>,
    stop: CancellationToken,
}

/// One stream of server-sent events for all that a page watches. Each topic (`doctor:doc_…`, `department:dep_…`,
/// `appointment:apt_…`, `area:are_…`, `queue:que_…`, `ticket:tkt_…`) sends a snapshot at once and after each change: `{"topic", "revision", "data"}`. What may be watched
/// is decided topic by topic, as for its page.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", params(("topic" = Vec<String>, Query, description = "1 to 16 topics")),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 404, body = edge::problem::ProblemBody)))]
async fn watch(
    State(live): State<Live>,
    caller: Caller,
    request: axum::extract::Request,
) -> ApiResult<Response> {
    let query = request.uri().query().unwrap_or("");
    let topics = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == "topic")
        .map(|(_, value)| value.into_owned());
    let topics: Vec<String> = topics.collect();
    Ok(edge::live::stream(live.db.live(), &live.sources, caller, topics, live.stop).await?.into_response())
}

/// Removes what has served its time: ended sessions, answers to old keys, done events and jobs.
struct Forget {
    sessions: Sessions,
}

#[async_trait::async_trait]
impl Sweep for Forget {
    fn name(&self) -> &'static str {
        "server.forget"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn run(&self, db: &Db) -> Result<bool, store::events::Failure> {
        let day = Duration::from_secs(86_400);
        let now = db.now();
        self.sessions.forget().await?;
        edge::idempotency::forget(db, now.minus(day * 2)).await?;
        store::jobs::forget(db, now.minus(day * 7)).await?;
        Ok(store::events::forget(db, now.minus(day * 7)).await? > 0)
    }
}

/// Links new audit entries each second.
struct LinkAudit;

#[async_trait::async_trait]
impl Sweep for LinkAudit {
    fn name(&self) -> &'static str {
        "server.link_audit"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn run(&self, db: &Db) -> Result<bool, store::events::Failure> {
        Ok(store::audit::link(db).await? > 0)
    }
}

/// The API description without a database: what `xinglin openapi` prints.
///
/// # Errors
/// When a database in a temporary folder can't be made.
pub async fn description() -> anyhow::Result<Description> {
    let folder = std::env::temp_dir().join(format!("xinglin-openapi-{}", uuid::Uuid::new_v4().simple()));
    let mut config = Config::default();
    config.database.path = folder.join("db");
    config.keys.file = folder.join("keys");
    migrate(&config, Clock::machine()).await?;
    let mut app = App::build(config, Clock::machine()).await?;
    let (_, api, rules) = app.described(&CancellationToken::new());
    app.db.close().await;
    let _ = std::fs::remove_dir_all(folder);
    let settings = app.capabilities.iter().flat_map(|c| c.settings.clone()).collect();
    Ok(Description { api, rules, settings })
}
