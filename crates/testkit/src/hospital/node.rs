//! A node: one run of the server, which can be stopped and started again at the same address.

use std::net::SocketAddr;
use std::sync::Arc;

use base::Clock;
use edge::Hospitals;
use edge::session::Sessions;
use parking_lot::RwLock;
use people::Channels;
use schedule::Board;
use server::{App, Config, Running};
use store::{Db, Vault};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A node of the program.
pub struct Node {
    /// Where it listens.
    pub address: SocketAddr,
    config: Config,
    clock: Clock,
    parts: RwLock<Arc<Joined>>,
    running: tokio::sync::Mutex<Option<(Running, CancellationToken)>>,
}

/// What tests take hold of inside.
struct Joined {
    db: Db,
    vault: Arc<Vault>,
    hospitals: Hospitals,
    sessions: Sessions,
    channels: Channels,
    board: Board,
    desk: booking::Desk,
    staff: people::staff::StaffDeps,
}

impl Node {
    pub(crate) async fn start(config: Config, clock: Clock, listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let (joined, running) = run(&config, &clock, listener).await;
        Self {
            address,
            config,
            clock,
            parts: RwLock::new(Arc::new(joined)),
            running: tokio::sync::Mutex::new(Some(running)),
        }
    }

    /// The settings that it runs with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its database.
    #[must_use]
    pub fn db(&self) -> Db {
        self.parts.read().db.clone()
    }

    /// The keys of sealed fields.
    #[must_use]
    pub fn vault(&self) -> Arc<Vault> {
        self.parts.read().vault.clone()
    }

    /// The hospitals as it knows them.
    #[must_use]
    pub fn hospitals(&self) -> Hospitals {
        self.parts.read().hospitals.clone()
    }

    /// Who has signed in.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        self.parts.read().sessions.clone()
    }

    /// The WeChat accounts.
    #[must_use]
    pub fn channels(&self) -> Channels {
        self.parts.read().channels.clone()
    }

    /// Staff and their sign-ins.
    #[must_use]
    pub fn staff(&self) -> people::staff::StaffDeps {
        self.parts.read().staff.clone()
    }

    /// What can be had, as it knows it.
    #[must_use]
    pub fn board(&self) -> Board {
        self.parts.read().board.clone()
    }

    /// The booking desk.
    #[must_use]
    pub fn desk(&self) -> booking::Desk {
        self.parts.read().desk.clone()
    }

    /// Stops in good order.
    pub async fn stop(&self) {
        if let Some((running, stop)) = self.running.lock().await.take() {
            stop.cancel();
            running.finished().await;
        }
    }

    /// Starts again at the same address.
    ///
    /// # Panics
    /// When somebody else has taken the address meanwhile.
    pub async fn starts_again(&self) {
        let listener = server::http::listen(self.address).unwrap();
        let (joined, running) = run(&self.config, &self.clock, listener).await;
        *self.parts.write() = Arc::new(joined);
        *self.running.lock().await = Some(running);
    }
}

/// Kinds that go by chat or SMS alone: codes, and those for which WeChat's library offers hospitals no template that fits.
const WITHOUT_TEMPLATE: &[notify::Kind] = &[
    notify::Kind::SmsCode,
    notify::Kind::WaitlistOffer,
    notify::Kind::WaitlistClosed,
    notify::Kind::NoShow,
    notify::Kind::AppealDecided,
    notify::Kind::RecordHandOver,
    notify::Kind::PaymentReturned,
    notify::Kind::ServiceToday,
];

async fn run(
    config: &Config,
    clock: &Clock,
    listener: TcpListener,
) -> (Joined, (Running, CancellationToken)) {
    let app = App::build(config.clone(), clock.clone()).await.expect("put the server together");
    // The sweep that does this daily would come a moment later; nothing should be told before it.
    for channel in app.channels.all().iter().filter(|c| c.kind == people::ChannelKind::Service) {
        let mapped = notify::map_templates(&app.db, channel).await.expect("read the templates");
        let missing: Vec<_> = notify::Kind::ALL
            .iter()
            .filter(|kind| !mapped.contains(kind) && !WITHOUT_TEMPLATE.contains(kind))
            .collect();
        assert!(missing.is_empty(), "every kind of notice has its template: {missing:?}");
    }
    let joined = Joined {
        db: app.db.clone(),
        vault: app.vault.clone(),
        hospitals: app.hospitals.clone(),
        sessions: app.sessions.clone(),
        channels: app.channels.clone(),
        board: app.board.clone(),
        desk: app.desk.clone(),
        staff: app.staff.clone(),
    };
    let stop = CancellationToken::new();
    let running = app.run(listener, stop.clone());
    (joined, (running, stop))
}
