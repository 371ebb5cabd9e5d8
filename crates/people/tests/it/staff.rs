//! Staff: signing in step by step, what stops it, roles and what they forbid, sessions, WeCom.

mod first;
mod lock;
mod managing;
mod own;
mod wecom;

use std::sync::OnceLock;
use std::time::Duration;

use edge::{Caller, Role, StaffId};
use people::staff::StaffDeps;
use people::staff::first::{Prepared, add_prepared};
use people::staff::totp::{TotpSecret, step_at};
use serde_json::{Value, json};
use store::testing::TestDb;

use crate::browser::{Answer, Browser};
use crate::clinic::{Clinic, H};

pub const PASSWORD: &str = "Sunny-Day-2026";
pub const STEP: Duration = Duration::from_secs(30);
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

pub fn secret() -> TotpSecret {
    TotpSecret::parse(SECRET).unwrap()
}

/// What an app shows for the secret now.
pub fn shown(t: &TestDb, secret: &TotpSecret) -> String {
    secret.code(step_at(t.db.now()))
}

impl Clinic {
    pub fn staff(&self) -> StaffDeps {
        static HASHERS: OnceLock<people::staff::password::Hasher> = OnceLock::new();
        // One for all tests, which run side by side on few cores.
        StaffDeps { people: self.deps(), hasher: HASHERS.get_or_init(Default::default).clone() }
    }

    pub fn machine(&self) -> Caller {
        Caller::system(self.hospitals.get(H).unwrap())
    }

    /// Somebody with a password and a second factor.
    pub async fn has_staff(&self, login: &str, roles: &[Role]) -> StaffId {
        static HASH: OnceLock<String> = OnceLock::new();
        let deps = self.staff();
        if HASH.get().is_none() {
            let _known = HASH.set(deps.hasher.hash(PASSWORD).await.unwrap());
        }
        let new = Prepared {
            login: login.into(),
            name: "李娜".into(),
            roles: roles.to_vec(),
            doctor_id: None,
            wecom_userid: Some(login.into()),
            password_hash: HASH.get().unwrap().clone(),
            totp: secret(),
        };
        add_prepared(&deps, &self.machine(), &new).await.unwrap()
    }

    /// A browser in which somebody with these roles has signed in. The clock moves on: a code is good once.
    pub async fn at_work(&self, t: &TestDb, login: &str, roles: &[Role]) -> Browser {
        self.has_staff(login, roles).await;
        let mut browser = self.browser();
        browser.works(t, login).await;
        browser
    }
}

impl Browser {
    /// The first step.
    pub async fn password(&mut self, login: &str, password: &str) -> Answer {
        self.post("/api/v1/staff/session/password", json!({"login": login, "password": password})).await
    }

    /// The step after a code.
    pub async fn new_password(&mut self, ticket: &Value, password: &str) -> Answer {
        self.post("/api/v1/staff/session/new-password", json!({"ticket": ticket, "password": password})).await
    }

    /// The last step; takes the token for changing requests when it is good.
    pub async fn second_factor(&mut self, ticket: &Value, code: &str) -> Answer {
        let body = json!({"ticket": ticket, "code": code});
        let answer = self.post("/api/v1/staff/session/second-factor", body).await;
        if answer.status.is_success() {
            self.csrf = answer.body["session"]["csrf"].as_str().unwrap().to_owned();
        }
        answer
    }

    /// Signs in with the usual secrets, half a minute later.
    pub async fn works(&mut self, t: &TestDb, login: &str) -> Value {
        t.pass(STEP);
        let step = self.password(login, PASSWORD).await.is(200);
        assert_eq!(step["step"], "second_factor");
        assert!(step.get("secret").is_none(), "{step}");
        self.second_factor(&step["ticket"], &shown(t, &secret())).await.is(200)["session"].clone()
    }

    /// Comes with a code for the first time: chooses a password, enrols, is in. Gives the secret and the answer.
    pub async fn sets_up(
        &mut self,
        t: &TestDb,
        login: &str,
        code: &str,
        password: &str,
    ) -> (TotpSecret, Value) {
        let step = self.password(login, code).await.is(200);
        assert_eq!(step["step"], "new_password");
        let step = self.new_password(&step["ticket"], password).await.is(200);
        assert_eq!(step["step"], "enrol");
        let secret = TotpSecret::parse(step["secret"].as_str().unwrap()).unwrap();
        let answer = self.second_factor(&step["ticket"], &shown(t, &secret)).await.is(200);
        (secret, answer)
    }

    pub async fn staff_session(&mut self) -> Value {
        self.get("/api/v1/staff/session").await.is(200)
    }
}
