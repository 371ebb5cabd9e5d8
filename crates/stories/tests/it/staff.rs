//! H7: staff, their roles and sign-ins, as they are met from outside.

use std::time::Duration;

use edge::{Caller, Role};
use people::staff::first::{self, Prepared, add_prepared};
use people::staff::totp::{TotpSecret, step_at};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::setup::{CORP, FIRST};
use testkit::{Answer, Browser, Hospital, Setup, each_hospital};

const PASSWORD: &str = "Sunny-Day-2026";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const HALF_A_MINUTE: Duration = Duration::from_secs(30);

fn machine(hospital: &Hospital) -> Caller {
    Caller::system(hospital.node().hospitals().get(FIRST).unwrap())
}

fn shown(hospital: &Hospital, secret: &str) -> String {
    TotpSecret::parse(secret).unwrap().code(step_at(hospital.now()))
}

/// Somebody on the list with the usual secrets.
async fn on_the_list(hospital: &Hospital, login: &str, roles: &[Role]) {
    let deps = hospital.node().staff();
    let new = Prepared {
        login: login.into(),
        name: "李娜".into(),
        roles: roles.to_vec(),
        doctor_id: None,
        wecom_userid: None,
        password_hash: deps.hasher.hash(PASSWORD).await.unwrap(),
        totp: TotpSecret::parse(SECRET).unwrap(),
    };
    add_prepared(&deps, &machine(hospital), &new).await.unwrap();
}

async fn password(browser: &Browser, login: &str, password: &str) -> Answer {
    browser.post("/api/v1/staff/session/password", json!({"login": login, "password": password})).await
}

/// The last step. From then on changing requests carry the right token.
async fn second_factor(browser: &Browser, ticket: &Value, code: &str) -> Answer {
    let body = json!({"ticket": ticket, "code": code});
    let answer = browser.post("/api/v1/staff/session/second-factor", body).await;
    browser.has_session(&browser.cookie("__Host-xl")).await;
    answer
}

/// Signs in with the usual secrets.
async fn works(hospital: &Hospital, browser: &Browser, login: &str) {
    hospital.passes(HALF_A_MINUTE).await;
    let step = password(browser, login, PASSWORD).await.good();
    let _in = second_factor(browser, &step["ticket"], &shown(hospital, SECRET)).await.good();
}

/// Comes with a code for the first time; gives the secret.
async fn sets_up(hospital: &Hospital, browser: &Browser, login: &str, code: &str) -> String {
    let step = password(browser, login, code).await.good();
    let body = json!({"ticket": step["ticket"], "password": PASSWORD});
    let step = browser.post("/api/v1/staff/session/new-password", body).await.good();
    let secret = step.text_at("secret").to_owned();
    let answer = second_factor(browser, &step["ticket"], &shown(hospital, &secret)).await.good();
    assert_eq!(answer["recovery_codes"].as_array().unwrap().len(), 8);
    secret
}

async fn me(browser: &Browser) -> Value {
    browser.get("/api/v1/staff/session").await.good()["me"].clone()
}

/// From a machine with nobody on it to a nurse at work: three people, each with what is theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_begins_with_one_administrator() {
    each_hospital(async |hospital: &Hospital| {
        let deps = hospital.node().staff();
        let handed = first::administrator(&deps, &machine(hospital), false).await.unwrap().unwrap();
        let admin = hospital.browser().await;
        sets_up(hospital, &admin, "admin", &handed.code).await;
        let new = json!({"login": "shen", "name": "沈安宁", "roles": ["security_admin"]});
        let made = admin.post("/api/v1/staff/members", new).await.expect(201);
        let shen = hospital.browser().await;
        sets_up(hospital, &shen, "shen", made.text_at("code")).await;
        let new = json!({
            "login": "lin", "name": "林若水", "roles": ["nurse"], "doctor_id": hospital.site.dr_li.id.to_string(),
            "department_ids": [hospital.site.cardiology.to_string()],
        });
        let _not_any_more = admin.post("/api/v1/staff/members", new.clone()).await.refused(403, "forbidden");
        let made = shen.post("/api/v1/staff/members", new).await.expect(201);
        let lin = hospital.browser().await;
        sets_up(hospital, &lin, "lin", made.text_at("code")).await;
        assert_eq!(me(&lin).await["department_ids"], json!([hospital.site.cardiology.to_string()]));
        // Each sees what is theirs: the audit log is nobody's of these three.
        for browser in [&admin, &shen, &lin] {
            let _not_theirs = browser.get("/api/v1/audit").await.refused(403, "forbidden");
        }
        // A nurse's session is none for patients' things, and the other way round.
        let _for_patients = lin.get("/api/v1/persons").await.refused(403, "forbidden");
        let patient = hospital.patient("李娜").await;
        let _for_staff = patient.get("/api/v1/staff/me/sessions").await.refused(403, "forbidden");
    })
    .await;
}

/// Guessing is stopped for a login, wherever it comes from and whichever node it meets; nobody learns who is on the list.
#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_stopped_on_all_nodes() {
    Setup::default()
        .nodes(2)
        .days(0)
        .play(async |hospital: &Hospital| {
            on_the_list(hospital, "lina", &[Role::Nurse]).await;
            for login in ["lina", "nobody"] {
                for n in 0..5 {
                    let browser = hospital.browser().await;
                    browser.is_served_by(n % 2);
                    let _wrong = password(&browser, login, "guess").await.refused(422, "sign_in_wrong");
                }
                for node in [0, 1] {
                    let browser = hospital.browser().await;
                    browser.is_served_by(node);
                    let locked = password(&browser, login, PASSWORD).await.refused(429, "too_many_tries");
                    assert_eq!(locked.number_at("retry_after_s"), 900);
                }
            }
            hospital.passes(Duration::from_secs(900)).await;
            let browser = hospital.browser().await;
            works(hospital, &browser, "lina").await;
        })
        .await;
}

/// Roles that are taken are gone: at once where they were taken, on other nodes when they next look.
#[tokio::test(flavor = "multi_thread")]
async fn roles_that_are_taken_are_gone_on_all_nodes() {
    Setup::default()
        .nodes(2)
        .days(0)
        .play(async |hospital: &Hospital| {
            on_the_list(hospital, "shen", &[Role::SecurityAdmin]).await;
            on_the_list(hospital, "yan", &[Role::AuditAdmin]).await;
            let shen = hospital.browser().await;
            works(hospital, &shen, "shen").await;
            let yan = hospital.browser().await;
            yan.is_served_by(1);
            works(hospital, &yan, "yan").await;
            let _theirs = yan.get("/api/v1/audit").await.good();
            let list = shen.get("/api/v1/staff/members?q=yan").await.good();
            let id = list.items()[0]["id"].as_str().unwrap().to_owned();
            let path = format!("/api/v1/staff/members/{id}");
            let _changed = shen.patch(&path, json!({"roles": ["director"]})).await.good();
            // What another node has in memory lasts twenty seconds.
            hospital.passes(Duration::from_secs(21)).await;
            let _gone = yan.get("/api/v1/audit").await.refused(401, "sign_in_required");
            let yan = hospital.browser().await;
            works(hospital, &yan, "yan").await;
            assert_eq!(me(&yan).await["roles"], json!(["director"]));
            let _not_theirs = yan.get("/api/v1/audit").await.refused(403, "forbidden");
        })
        .await;
}

/// Sessions: seen by whose they are, ended one by one, all at once by the security administrator, and by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_in_their_owners_hands() {
    each_hospital(async |hospital: &Hospital| {
        on_the_list(hospital, "lina", &[Role::Nurse]).await;
        let (ward, home) = (hospital.browser().await, hospital.browser().await);
        works(hospital, &ward, "lina").await;
        works(hospital, &home, "lina").await;
        let list = home.get("/api/v1/staff/me/sessions").await.good();
        assert_eq!(list.items().len(), 2);
        let name = list.items()[1]["name"].as_str().unwrap();
        assert_eq!(home.delete(&format!("/api/v1/staff/me/sessions/{name}")).await.status, 204);
        let _ended = ward.get("/api/v1/staff/me/sessions").await.refused(401, "sign_in_required");
        // A page without the session's token changes nothing.
        let bare = hospital.browser().await;
        let cookie = format!("__Host-xl={}", home.cookie("__Host-xl"));
        let call = bare.call(Method::DELETE, "/api/v1/staff/me/sessions").header("cookie", &cookie);
        let _refused = call.send().await.refused(403, "csrf_missing");
        // Half an hour without use ends it.
        hospital.passes(Duration::from_secs(30 * 60)).await;
        let _over = home.get("/api/v1/staff/me/sessions").await.refused(401, "sign_in_required");
    })
    .await;
}

/// WeCom knows who works here: on a desk by a scan, in WeCom's own browser by itself.
#[tokio::test(flavor = "multi_thread")]
async fn staff_sign_in_through_wecom() {
    each_hospital(async |hospital: &Hospital| {
        on_the_list(hospital, "lina", &[Role::Nurse]).await;
        let browser = hospital.browser().await;
        works(hospital, &browser, "lina").await;
        // The corporation's administrator has put her phone into WeCom.
        let phone = hospital.phone("李娜").await;
        let id = phone.browser().origin();
        let id = id.trim_start_matches("http://").split('.').next().unwrap().to_owned();
        let path = format!("/sim/v1/wecom/{CORP}/members/LiNa");
        hospital.sim.put(&path, json!({"name": "李娜", "phone": id})).await;
        let at = phone
            .browser()
            .call(Method::GET, "/auth/wecom?to=/console/me")
            .header("user-agent", "wxwork/4.1")
            .send()
            .await;
        let back = phone.browser().opens(at.header("location")).await;
        assert!(back.at.starts_with("/console/sign-in?problem=wecom_unknown"), "{}", back.at);
        // She ties her account at the desk, choosing herself on the page that stands for the scan, …
        let page = browser.opens("/auth/wecom?to=/console/me&bind=1").await;
        let link = page
            .answer
            .text
            .split("href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .replace("&amp;", "&");
        let base = page.at.split("/wwlogin").next().unwrap().to_owned();
        let bound = browser.opens(&format!("{base}/wwlogin/sso/login{link}")).await;
        assert!(bound.at.starts_with("/console/me") && !bound.at.contains("problem"), "{}", bound.at);
        assert_eq!(me(&browser).await["wecom"], true);
        // … and from now on comes in on her phone without a password.
        let at = phone
            .browser()
            .call(Method::GET, "/auth/wecom?to=/console/me")
            .header("user-agent", "wxwork/4.1")
            .send()
            .await;
        let back = phone.browser().opens(at.header("location")).await;
        assert_eq!(back.at, "/console/me");
        assert_eq!(me(phone.browser()).await["way"], "wecom");
    })
    .await;
}

/// Who did what stands in the log, for those who are there to read it.
#[tokio::test(flavor = "multi_thread")]
async fn what_staff_did_can_be_read_later() {
    each_hospital(async |hospital: &Hospital| {
        on_the_list(hospital, "shen", &[Role::SecurityAdmin]).await;
        on_the_list(hospital, "yan", &[Role::AuditAdmin]).await;
        let (shen, yan) = (hospital.browser().await, hospital.browser().await);
        works(hospital, &shen, "shen").await;
        let new = json!({"login": "lin", "name": "林若水", "roles": ["nurse"]});
        let made = shen.post("/api/v1/staff/members", new).await.expect(201);
        let path = format!("/api/v1/staff/members/{}", made.id());
        let _locked = shen.patch(&path, json!({"state": "locked"})).await.good();
        works(hospital, &yan, "yan").await;
        let log = yan.get("/api/v1/audit?actor=shen").await.good();
        let actions: Vec<_> = log.items().iter().map(|i| i["action"].as_str().unwrap().to_owned()).collect();
        assert_eq!(actions, ["staff.open", "staff.change", "staff.add", "staff.sign_in"]);
        assert!(!log.text.contains("若水"), "no names in the log");
        let about = yan.get(&format!("/api/v1/audit?entity={}", made.id())).await.good();
        assert_eq!(about.items().len(), 3);
        assert_eq!(about.items()[1]["detail"]["state"], json!({"from": "active", "to": "locked"}));
    })
    .await;
}
