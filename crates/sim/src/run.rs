//! Starting and stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use base::Clock;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wechat::callback::AesKey;

use crate::config::{Limits, SimConfig, SmsConfig};
use crate::net::{CuttableListener, Wire};
use crate::push::Turnstile;
use crate::world::World;
use crate::{api, control, pages, paying, snapshot, wecom};

/// What all handlers share.
pub(crate) struct Hub {
    pub(crate) world: Mutex<World>,
    pub(crate) clock: Clock,
    pub(crate) http: reqwest::Client,
    pub(crate) addr: SocketAddr,
    pub(crate) product_base: String,
    pub(crate) sms: SmsConfig,
    pub(crate) limits: Limits,
    pub(crate) push_timeout: Duration,
    pub(crate) push_gap: Duration,
    pub(crate) turnstile: Turnstile,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

pub(crate) type Shared = Arc<Hub>;

impl Hub {
    /// Milliseconds since 1970, by the clock that was handed in.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// Does something beside the current request; `stop` waits for it.
    pub(crate) fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A setting of an account makes no sense.
    #[error("account {appid}: {why}")]
    Account {
        /// Which account.
        appid: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// `product_base` is not an `http://` or `https://` address.
    #[error("product_base {0:?} is not an http address")]
    ProductBase(String),
    /// The snapshot can't be read.
    #[error("snapshot {path}")]
    Snapshot {
        /// The file.
        path: String,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The HTTP client that sends pushes can't be made.
    #[error("HTTP client")]
    Client(#[source] reqwest::Error),
}

/// The other side of the product's wires.
#[derive(Debug)]
pub struct Sim;

/// A running simulator. Dropping it stops it at once; [`SimHandle::stop`] does so in good order.
#[derive(Debug)]
pub struct SimHandle {
    /// Where it listens, with the real port.
    pub addr: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<()>,
    hub: HubRef,
}

struct HubRef(Shared);

impl std::fmt::Debug for HubRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hub")
    }
}

impl Sim {
    /// Starts listening; everything works when this returns.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: SimConfig) -> Result<SimHandle, StartError> {
        let product = url::Url::parse(&config.product_base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| StartError::ProductBase(config.product_base.clone()))?;
        let world = world(&config)?;
        // The first provider wins; a second call (another simulator, or the product in this process) is no error.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent("Mozilla/4.0")
            .build()
            .map_err(StartError::Client)?;
        let listener = TcpListener::bind(config.bind)
            .await
            .map_err(|source| StartError::Bind { addr: config.bind, source })?;
        let addr = listener.local_addr().map_err(|source| StartError::Bind { addr: config.bind, source })?;
        let stop = CancellationToken::new();
        let hub = Arc::new(Hub {
            world: Mutex::new(world),
            clock: config.clock,
            http,
            addr,
            product_base: product.origin().ascii_serialization(),
            sms: config.sms,
            limits: config.limits,
            push_timeout: config.push_timeout,
            push_gap: config.push_gap,
            turnstile: Turnstile::default(),
            tasks: TaskTracker::new(),
            stop: stop.clone(),
        });
        if let Some(path) = config.snapshot {
            snapshot::keep(&hub, path);
        }
        let app = Router::new()
            .merge(control::routes())
            .merge(wecom::routes())
            .merge(api::routes())
            .merge(pages::routes())
            .merge(paying::routes())
            .with_state(Arc::clone(&hub))
            .into_make_service_with_connect_info::<Wire>();
        let stopped = stop.clone();
        let server = tokio::spawn(async move {
            let serve = axum::serve(CuttableListener(listener), app)
                .with_graceful_shutdown(stopped.cancelled_owned())
                .await;
            if let Err(error) = serve {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        tracing::info!(%addr, "simulator listens");
        Ok(SimHandle { addr, stop, server, hub: HubRef(hub) })
    }
}

impl SimHandle {
    /// `http://host:port`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The EncodingAESKey of an account: the one given, or the random one that was made.
    #[must_use]
    pub fn encoding_aes_key(&self, appid: &str) -> Option<String> {
        self.hub.0.world.lock().by_appid(appid).map(|account| account.set.encoding_aes_key.clone())
    }

    /// Stops: no new calls, running ones are finished, pushes under way are dropped, the snapshot is written. Takes three
    /// seconds at most.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.hub.0.tasks.close();
        let quiet = async {
            self.hub.0.tasks.wait().await;
            if let Err(error) = (&mut self.server).await {
                tracing::warn!(%error, "the simulator's server task failed");
            }
        };
        if tokio::time::timeout(Duration::from_secs(3), quiet).await.is_err() {
            tracing::info!("connections were still open; closing them");
        }
        self.server.abort();
    }
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The state to start with: from the snapshot where there is one, with the accounts as they are configured now.
fn world(config: &SimConfig) -> Result<World, StartError> {
    let seed = config.seed.unwrap_or_else(|| {
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        high ^ low
    });
    let mut world = match &config.snapshot {
        Some(path) => snapshot::load(path)
            .map_err(|source| StartError::Snapshot { path: path.display().to_string(), source })?,
        None => None,
    }
    .unwrap_or_else(|| World::new(seed));
    for account in &config.accounts {
        let wrong = |why| StartError::Account { appid: account.appid.clone(), why };
        if account.appid.is_empty() || account.secret.is_empty() || account.gh_id.is_empty() {
            return Err(wrong("appid, secret and gh_id must not be empty"));
        }
        if !token_is_valid(&account.token) {
            return Err(wrong("the token must be 3 to 32 letters and digits"));
        }
        if !account.encoding_aes_key.is_empty() && AesKey::parse(&account.encoding_aes_key).is_err() {
            return Err(wrong("the EncodingAESKey must be 43 characters of base64"));
        }
        if url::Url::parse(&account.callback_url).is_err() {
            return Err(wrong("callback_url is no address"));
        }
        world.install(account.clone());
    }
    for corp in &config.corps {
        world.install_corp(corp.clone());
    }
    Ok(world)
}

/// What WeChat's page accepts as Token.
pub(crate) fn token_is_valid(token: &str) -> bool {
    (3..=32).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
