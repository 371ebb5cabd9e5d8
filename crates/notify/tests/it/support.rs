//! A hospital with a service account, an SMS vendor and people to tell.

use std::collections::BTreeMap;
use std::sync::{Arc, Once};
use std::time::Duration;

use base::{HospitalId, Lang, Secret, Text2, UnixMs};
use edge::{AccountId, Hospitals, Profile};
use notify::worker::{self, Attempt, Message};
use notify::{Kind, Mapping, NewVendor, NoticeState, NotifyDeps, Tell, Visit};
use people::channel::{CallbackFormat, CallbackMode, Hosts, NewChannel, add_channel};
use people::{Activity, Channel, ChannelKind, Channels, wechat_user};
use store::testing::{TestDb, each_db, each_db_in_real_time};
use store::value::One;
use store::{Db, Migration, Row, Sql, Value, Vault, args};

use crate::fake::Fake;

pub const H: HospitalId = HospitalId(1);
pub const HOUR: Duration = Duration::from_secs(3600);
pub const MINUTE: Duration = Duration::from_secs(60);
/// On PostgreSQL so many nodes work side by side.
pub const NODES: usize = 4;

pub struct World {
    pub t: TestDb,
    pub deps: NotifyDeps,
    pub fake: Fake,
    pub channel: Arc<Channel>,
}

pub fn migrations() -> Vec<Migration> {
    [edge::migrations(), people::migrations(), notify::migrations()].concat()
}

/// Runs a test on both databases, each time in a world of its own.
pub async fn each_world(test: impl AsyncFn(World)) {
    each_db(&migrations(), async |t: TestDb| test(world(t).await).await).await;
}

/// The same with a clock that goes on by itself.
pub async fn each_world_in_real_time(test: impl AsyncFn(World)) {
    each_db_in_real_time(&migrations(), async |t: TestDb| test(world(t).await).await).await;
}

async fn world(t: TestDb) -> World {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap());
    let fake = Fake::start().await;
    let vault = Arc::new(Vault::parse(&Vault::generate().unwrap()).unwrap());
    let hospitals = Hospitals::load(&t.db).await.unwrap();
    let name = Text2::new("杏林医院", "Xinglin Hospital");
    let profile = Profile {
        name: name.clone(),
        short_name: name.clone(),
        phone: "021-55550100".into(),
        address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
        notice: None,
    };
    hospitals.add(H, "xl", &profile, "Asia/Shanghai").await.unwrap();
    let mut tx = t.db.begin().await.unwrap();
    let account = add_channel(&mut tx, &vault, &new_channel(&fake.base)).await.unwrap();
    let vendor = NewVendor {
        base_url: fake.base.clone(),
        app_key: "key".into(),
        app_secret: Secret::new("vendor-secret"),
        sign: name,
    };
    notify::set_vendor(&mut tx, &vault, H, vendor).await.unwrap();
    for kind in Kind::ALL.iter().filter(|k| **k != Kind::SmsCode) {
        let fields = [("thing1", "person"), ("thing3", "doctor"), ("time4", "start"), ("thing5", "place")];
        let fields = fields.map(|(key, name)| (key.to_owned(), name.to_owned()));
        let mapping = Mapping {
            kind: *kind,
            template_id: format!("T-{}", kind.code()),
            fields: BTreeMap::from(fields),
        };
        notify::set_mapping(&mut tx, H, account, &mapping, "a test").await.unwrap();
    }
    tx.commit().await.unwrap();
    let http = wechat::api::http_client().build().unwrap();
    let channels = Channels::load(&t.db, vault.clone(), http.clone()).await.unwrap();
    let channel = channels.get(account).unwrap();
    let public_base = "https://wx.example.org".to_owned();
    let deps = NotifyDeps { db: t.db.clone(), vault, hospitals, channels, http, public_base };
    World { t, deps, fake, channel }
}

fn new_channel(base: &str) -> NewChannel {
    NewChannel {
        hospital: H,
        name: "service".into(),
        kind: ChannelKind::Service,
        app_id: "wx0123456789abcdef".into(),
        original_id: "gh_1".into(),
        secret: Secret::new("app-secret"),
        token: Secret::new("token"),
        aes_key: None,
        aes_key_previous: None,
        mode: CallbackMode::Plain,
        format: CallbackFormat::Xml,
        hosts: Some(Hosts::all_at(base)),
        js_sdk_url: None,
        verify_files: BTreeMap::new(),
    }
}

impl World {
    pub fn db(&self) -> &Db {
        &self.deps.db
    }

    pub fn now(&self) -> UnixMs {
        self.deps.db.now()
    }

    pub fn pass(&self, time: Duration) {
        self.t.pass(time);
    }

    /// Somebody who has been following the account for an hour.
    pub async fn follower(&self, openid: &str) -> AccountId {
        self.follows(openid, self.now().minus(HOUR)).await
    }

    /// Somebody follows, perhaps again.
    pub async fn follows(&self, openid: &str, at: UnixMs) -> AccountId {
        let mut tx = self.db().begin().await.unwrap();
        let id = wechat_user::followed(&mut tx, &self.channel, openid, at, None).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// A follower whose phone is known too.
    pub async fn follower_with_phone(&self, openid: &str) -> AccountId {
        let id = self.follower(openid).await;
        self.give_phone(id).await;
        id
    }

    pub async fn unfollows(&self, openid: &str) {
        let mut tx = self.db().begin().await.unwrap();
        let now = tx.now();
        wechat_user::unfollowed(&mut tx, &self.channel, openid, now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Writes in the chat.
    pub async fn writes(&self, openid: &str) {
        let mut tx = self.db().begin().await.unwrap();
        let now = tx.now();
        wechat_user::seen(&mut tx, &self.channel, openid, now, Activity::Message).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn give_phone(&self, account: AccountId) {
        let phone = "13800000001";
        let sealed = self.deps.vault.seal(H, "phone", phone).unwrap();
        let sql = "INSERT INTO account_phone (hospital_id, phone_blind, account_id, phone, masked, verified_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let blind = format!("blind of {account}");
        self.exec(sql, args![H, blind, account, sealed, "138****0001", self.now()]).await;
    }

    pub async fn speaks(&self, account: AccountId, lang: Lang) {
        let sql = "UPDATE account SET lang = $3 WHERE hospital_id = $1 AND id = $2";
        self.exec(sql, args![H, account, lang]).await;
    }

    /// Takes the template for a kind away, so that only the chat and SMS are left.
    pub async fn without_templates(&self) {
        self.exec("DELETE FROM template_map WHERE hospital_id = $1", args![H]).await;
    }

    pub async fn without_vendor(&self) {
        self.exec("DELETE FROM sms_vendor WHERE hospital_id = $1", args![H]).await;
    }

    pub async fn exec(&self, sql: &'static str, values: Vec<Value>) {
        let mut tx = self.db().begin().await.unwrap();
        tx.exec(Sql { name: "TEST", sqlite: sql, postgres: sql }, values).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn number(&self, sql: &'static str) -> i64 {
        self.db().one::<One<i64>>(Sql { name: "TEST", sqlite: sql, postgres: sql }, args![]).await.unwrap().0
    }

    /// Rows as text, to look for what must not be there.
    pub async fn rows(&self, sql: &'static str) -> String {
        let rows: Vec<Row> =
            self.db().all(Sql { name: "TEST", sqlite: sql, postgres: sql }, args![]).await.unwrap();
        format!("{rows:?}")
    }

    pub async fn told(&self, kind: Kind, account: AccountId) -> bool {
        self.told_of("apt_1", kind, account).await
    }

    pub async fn told_of(&self, subject: &str, kind: Kind, account: AccountId) -> bool {
        let tell = self.tell(subject, kind, account);
        self.tells(tell).await
    }

    pub async fn tells(&self, tell: Tell) -> bool {
        let mut tx = self.db().begin().await.unwrap();
        let told = notify::tell(&mut tx, H, tell).await.unwrap();
        tx.commit().await.unwrap();
        told
    }

    /// An appointment two days from now.
    pub fn tell(&self, subject: &str, kind: Kind, account: AccountId) -> Tell {
        let start = self.now().plus(49 * HOUR);
        let visit = Visit {
            person: "张三".into(),
            department_id: "dep_1".into(),
            department: Text2::new("心血管内科", "Cardiology"),
            doctor: Some(Text2::new("李明", "Li Ming")),
            start,
            end: Some(start.plus(30 * MINUTE)),
            campus: Text2::new("东院区", "East Campus"),
            room: Some(Text2::new("305 诊室", "Room 305")),
            number: Some(7),
            old_start: None,
            note: None,
        };
        Tell {
            kind,
            account,
            person: None,
            subject: subject.into(),
            data: visit.data(),
            link: format!("/appointments/{subject}"),
            send_after: None,
            expires_at: start,
        }
    }

    /// Does all that is due now.
    pub async fn work(&self) -> usize {
        worker::drain(&self.deps).await.unwrap()
    }

    /// The first message that is due, taken.
    pub async fn taken(&self) -> Message {
        worker::claim(&self.deps, 1).await.unwrap().pop().unwrap()
    }

    /// The first message that is due, with its attempt written down and nothing sent.
    pub async fn prepared(&self) -> Attempt {
        worker::prepare(&self.deps, self.taken().await).await.unwrap().unwrap()
    }

    /// What a page shows of the only message about `apt_1`.
    pub async fn notice(&self) -> (&'static str, &'static str) {
        let all = self.notices().await;
        assert_eq!(all.len(), 1, "{all:?}");
        let channel = all[0].channel.map_or("", |c| c.code());
        (all[0].state.code(), channel)
    }

    pub async fn notices(&self) -> Vec<NoticeState> {
        notify::of_subject(self.db(), H, "apt_1").await.unwrap()
    }

    pub async fn set(&self, settings: &notify::Settings) {
        self.deps.hospitals.set(H, "notify", settings, "a test").await.unwrap();
    }

    /// The same world seen from another node.
    pub async fn node(&self) -> NotifyDeps {
        let db = self.t.node().await;
        let channels = Channels::load(&db, self.deps.vault.clone(), self.deps.http.clone()).await.unwrap();
        let hospitals = Hospitals::load(&db).await.unwrap();
        NotifyDeps { db, channels, hospitals, ..self.deps.clone() }
    }
}
