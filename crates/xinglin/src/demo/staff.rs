//! The staff of the demonstration: one for each kind of work, with secrets that everybody may know.

use edge::{Caller, Role};
use people::staff::first::{Prepared, add_prepared};
use people::staff::totp::TotpSecret;
use schedule::DoctorId;
use serde_json::{Value, json};
use server::App;
use sim::SimMember;

use crate::seed::HOSPITAL;

/// The password of all of them.
pub(super) const PASSWORD: &str = "Kaifang-2026-demo";
/// The second factor of all of them; an app on a phone takes it, too.
const TOTP: &str = "KAIFANGXINGLINDEMOKAIFANGXINGLIN";

/// Somebody of the demonstration.
pub(super) struct Person {
    pub(super) login: &'static str,
    name: &'static str,
    roles: &'static [Role],
}

/// One for each kind of work, two for money.
pub(super) const PEOPLE: &[Person] = &[
    Person { login: "admin", name: "陈志远", roles: &[Role::SystemAdmin] },
    Person { login: "security", name: "沈安宁", roles: &[Role::SecurityAdmin] },
    Person { login: "audit", name: "严明理", roles: &[Role::AuditAdmin] },
    Person { login: "operations", name: "周晓岚", roles: &[Role::Operations] },
    Person { login: "triage", name: "何佳音", roles: &[Role::Triage] },
    Person { login: "nurse", name: "林若水", roles: &[Role::Nurse] },
    Person { login: "doctor", name: "", roles: &[Role::Doctor] },
    Person { login: "finance", name: "钱守信", roles: &[Role::Finance] },
    // What one asks for above a limit, another approves.
    Person { login: "cashier", name: "金巧珍", roles: &[Role::Finance] },
    Person { login: "experience", name: "温如玉", roles: &[Role::Experience] },
    Person { login: "director", name: "高瞻远", roles: &[Role::Director] },
];

impl Person {
    /// The first doctor of the demonstration signs in as `doctor`.
    fn name(&self) -> String {
        if self.name.is_empty() { crate::seed::name(0).zh } else { self.name.to_owned() }
    }
}

/// The same person in the simulated WeCom.
pub(super) fn member(person: &Person) -> SimMember {
    SimMember { userid: person.login.into(), name: person.name(), phone: None }
}

/// Puts them on the list.
pub(super) async fn fill(app: &App, doctor: Option<DoctorId>) -> anyhow::Result<()> {
    let hospital = app.hospitals.get(HOSPITAL).ok_or_else(|| anyhow::anyhow!("the hospital was not made"))?;
    let caller = Caller::system(hospital);
    let password_hash = app.staff.hasher.hash(PASSWORD).await?;
    let totp = TotpSecret::parse(TOTP).ok_or_else(|| anyhow::anyhow!("no secret"))?;
    for person in PEOPLE {
        let is_doctor = person.roles.contains(&Role::Doctor);
        let prepared = Prepared {
            login: person.login.into(),
            name: person.name(),
            roles: person.roles.to_vec(),
            doctor_id: doctor.filter(|_| is_doctor).map(|id| id.to_string()),
            wecom_userid: Some(person.login.into()),
            password_hash: password_hash.clone(),
            totp: totp.clone(),
        };
        add_prepared(&app.staff, &caller, &prepared).await?;
    }
    Ok(())
}

/// How scripts sign in as them.
pub(super) fn describe() -> Value {
    let uri = |login: &str| TotpSecret::parse(TOTP).map(|secret| secret.uri("杏林医院", login));
    let one = |person: &Person| {
        let roles: Vec<_> = person.roles.iter().map(|role| role.code()).collect();
        let about = json!({
            "login": person.login, "name": person.name(), "roles": roles, "password": PASSWORD, "totp_secret": TOTP,
            "totp_uri": uri(person.login), "wecom_userid": person.login,
            "sign_in": "POST /api/v1/staff/session/password {login, password}, then /api/v1/staff/session/second-factor {ticket, code}",
        });
        (person.login.to_owned(), about)
    };
    Value::Object(PEOPLE.iter().map(one).collect())
}
