//! Who may call what: every route of the API description, called by everybody.

use std::time::Duration;

use base::HospitalId;
use edge::permission::Who;
use edge::routes::Rule;
use edge::{AccountId, Actor, DeviceId, DeviceKind, Role, StaffId};
use reqwest::Method;
use serde_json::json;
use testkit::hospital::SECOND;
use testkit::setup::FIRST;
use testkit::{Answer, Browser, Hospital, Setup, each_hospital};

/// Ids of things that exist and are somebody else's.
struct Ids {
    appointment: String,
    person: String,
    doctor: String,
    department: String,
}

impl Ids {
    fn fill(&self, path: &str) -> String {
        let id = if path.starts_with("/api/v1/appointments/") { &self.appointment } else { &self.person };
        path.replace("{id}", id)
            .replace("{name}", "nothing")
            .replace("{doctor_id}", &self.doctor)
            .replace("{department_id}", &self.department)
    }
}

/// A request that gets as far as the caller is let, and does no more than it must.
async fn call(browser: &Browser, rule: &Rule, ids: &Ids) -> Answer {
    let method: Method = rule.method.parse().unwrap();
    let call = browser.call(method.clone(), &ids.fill(&rule.path));
    let call = if method == Method::GET { call } else { call.key(&testkit::browser::key()).json(&json!({})) };
    call.send().await
}

async fn rules() -> Vec<Rule> {
    let rules = server::app::description().await.unwrap().rules;
    assert!(rules.len() > 20, "{}", rules.len());
    rules
}

async fn signed_in(hospital: &Hospital, at: HospitalId, actor: Actor) -> Browser {
    let browser = if at == SECOND { hospital.browser_at_the_other().await } else { hospital.browser().await };
    browser.has_session(&hospital.session(at, actor).await).await;
    browser
}

/// The account that has signed in.
async fn account(browser: &Browser) -> AccountId {
    browser.looks_who_it_is().await.text_at("account_id").parse().unwrap()
}

/// Whether this is an answer to somebody who was let in: anything but "who are you?" and "not you".
fn let_in(answer: &Answer) -> bool {
    !matches!(answer.status, 401 | 403) && answer.status < 500
}

/// Every route, by nobody, by another account, by each role alone: let in by rule and by nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_its_rule_names() {
    Setup::default()
        .days(3)
        .play(async |hospital: &Hospital| {
            let owner = hospital.patient("李娜").await;
            let visit = owner.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
            let ids = Ids {
                appointment: visit.id().to_owned(),
                person: owner.who().to_owned(),
                doctor: hospital.site.dr_li.id.to_string(),
                department: hospital.site.cardiology.to_string(),
            };
            let stranger = account(hospital.patient("王强").await.browser()).await;
            for rule in rules().await {
                let name = format!("{} {}", rule.method, rule.path);
                let nobody = call(&hospital.browser().await, &rule, &ids).await;
                if rule.who == Who::Anyone {
                    assert!(let_in(&nobody), "nobody, {name}: {} {}", nobody.status, nobody.text);
                } else {
                    let _asked = nobody.refused(401, "sign_in_required");
                }
                // Another account is let in to its own things; of these it has none, and theirs are not there for it.
                let other = signed_in(hospital, FIRST, Actor::Account(stranger)).await;
                let other = call(&other, &rule, &ids).await;
                match rule.who {
                    Who::Staff | Who::Roles(_) | Who::Devices(_) | Who::RolesOrDevices(..) => {
                        drop(other.refused(403, "forbidden"));
                    }
                    // The body is read before the id is looked for.
                    Who::Accounts if rule.path.contains('{') && other.status != 422 => {
                        drop(other.refused(404, "not_found"));
                    }
                    _ => assert!(let_in(&other), "another account, {name}: {} {}", other.status, other.text),
                }
                for role in Role::ALL {
                    let actor = Actor::Staff(StaffId::new(), vec![*role]);
                    let admitted = rule.who.admits(&actor);
                    let staff = call(&signed_in(hospital, FIRST, actor).await, &rule, &ids).await;
                    if admitted {
                        assert!(let_in(&staff), "{role:?}, {name}: {} {}", staff.status, staff.text);
                    } else {
                        let _refused = staff.refused(403, "forbidden");
                    }
                }
                for kind in DeviceKind::ALL {
                    let actor = Actor::Device(DeviceId::new(), *kind);
                    let admitted = rule.who.admits(&actor);
                    let device = call(&signed_in(hospital, FIRST, actor).await, &rule, &ids).await;
                    if admitted {
                        assert!(let_in(&device), "{kind:?}, {name}: {} {}", device.status, device.text);
                    } else {
                        let _refused = device.refused(403, "forbidden");
                    }
                }
            }
            assert_eq!(owner.appointment(visit.id()).await.good()["state"], "booked", "nothing was changed");
            assert_eq!(owner.get("/api/v1/persons").await.good().items().len(), 1);
        })
        .await;
}

/// Every route at another hospital: a session is nothing there, ids of one do not exist in the other, and what the pages
/// show is its own.
#[tokio::test(flavor = "multi_thread")]
async fn another_hospital_is_another_world() {
    Setup::default()
        .days(3)
        .beside_another()
        .play(async |hospital: &Hospital| {
            let owner = hospital.patient("李娜").await;
            let visit = owner.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
            let ids = Ids {
                appointment: visit.id().to_owned(),
                person: owner.who().to_owned(),
                doctor: hospital.site.dr_li.id.to_string(),
                department: hospital.site.cardiology.to_string(),
            };
            // The same cookie under the other hospital's name, …
            let abroad = hospital.browser_at_the_other().await;
            let token = hospital.session(FIRST, Actor::Account(account(owner.browser()).await)).await;
            abroad.has_session(&token).await;
            // … and somebody who has signed in there.
            let phone = hospital.phone("王强").await;
            let there = hospital.browser_at_the_other().await;
            let _session = phone.signs_in_by_sms(&there).await;
            let native = account(&there).await;
            for rule in rules().await {
                let answer = call(&abroad, &rule, &ids).await;
                if rule.who != Who::Anyone {
                    let _nobody = answer.refused(401, "sign_in_required");
                }
                let local = signed_in(hospital, SECOND, Actor::Account(native)).await;
                let answer = call(&local, &rule, &ids).await;
                if !matches!(rule.who, Who::Anyone | Who::Accounts) {
                    let _for_staff = answer.refused(403, "forbidden");
                } else if rule.path == "/q/{scene}" {
                    // A code that is none leads a browser to the page that says so.
                    assert_eq!(answer.expect(302).header("location"), "/code?problem=code_unknown");
                } else if rule.path.contains('{') && answer.status != 422 {
                    let _not_there = answer.refused(404, "not_found");
                }
            }
            let local = signed_in(hospital, SECOND, Actor::Account(native)).await;
            // By the path as by the name: /h/{code}.
            for (path, name) in
                [("/h/xinglin/api/v1/hospital", "杏林医院"), ("/h/other/api/v1/hospital", "橘井医院")]
            {
                assert_eq!(local.get(path).await.good()["name"]["zh"], name);
            }
            let _no_such = local.get("/h/nowhere/api/v1/hospital").await.refused(404, "not_found");
            let path = format!("/h/other/api/v1/appointments/{}", visit.id());
            let _not_there = owner.get(&path).await.refused(401, "sign_in_required");
            let theirs = hospital.slot(&hospital.site.dr_li, 1, "08:30").await;
            let _not_bound = local.books(&theirs, owner.who()).await.refused(404, "person_not_bound");
            // A slot of the other hospital can't be had by a patient of this one.
            let other_site = hospital.other_site.as_ref().unwrap();
            let path =
                format!("/api/v1/doctors/{}/clinics?from={}&days=1", other_site.dr_li.id, hospital.day(1));
            let elsewhere =
                local.get(&path).await.good().items()[0]["slots"][0]["id"].as_str().unwrap().to_owned();
            let _no_such = owner.takes(&elsewhere).await.refused(404, "not_found");
        })
        .await;
}

/// Pages of other sites can't use somebody's cookie, and a page that is out of date is told so.
#[tokio::test(flavor = "multi_thread")]
async fn other_sites_are_kept_out() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let session = phone.cookie("__Host-xl");
        let body = json!({"slot_id": slot, "person_id": phone.who()});
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let call = phone.booking(&slot, phone.who(), "k").header(name, value);
            let _refused = call.send().await.refused(403, "cross_site");
        }
        // The cookie alone, without the page's token.
        let bare = hospital.browser().await;
        let call = bare
            .call(Method::POST, "/api/v1/appointments")
            .key("k")
            .header("cookie", &format!("__Host-xl={session}"));
        let _refused = call.json(&body).send().await.refused(403, "csrf_missing");
        assert!(phone.upcoming().await.items().is_empty());
    })
    .await;
}

/// The table of routes and roles is reviewed like code: it changes here or not at all. `XINGLIN_REFRESH=1` writes it anew.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_permissions_is_the_one_that_was_reviewed() {
    Setup::default()
        .days(0)
        .play_on_sqlite(async |_: &Hospital| {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/permissions.md");
            let made = server::docs::permissions(&rules().await);
            if std::env::var_os("XINGLIN_REFRESH").is_some() {
                std::fs::write(file, &made).unwrap();
            }
            assert_eq!(
                std::fs::read_to_string(file).unwrap_or_default(),
                made,
                "run with XINGLIN_REFRESH=1 and review"
            );
        })
        .await;
}

/// Somebody who tries doors at random is let through none of them, and a session that was guessed is none.
#[tokio::test(flavor = "multi_thread")]
async fn guessed_sessions_are_none() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let real = phone.cookie("__Host-xl");
        let upper = real.to_uppercase();
        let cut = &real[..63];
        for guess in ["", "x", cut, upper.as_str(), &"0".repeat(64), &"é".repeat(32), &format!("{real}0")] {
            let browser = hospital.browser().await;
            let call =
                browser.call(Method::GET, "/api/v1/persons").header("cookie", &format!("__Host-xl={guess}"));
            let _nobody = call.send().await.refused(401, "sign_in_required");
        }
        // The plain name is for plain-http test networks elsewhere; on loopback it counts for nothing.
        let browser = hospital.browser().await;
        let call = browser.call(Method::GET, "/api/v1/persons").header("cookie", &format!("xl={real}"));
        let _nobody = call.send().await.refused(401, "sign_in_required");
        // At the latest after twelve hours it is over, used or not.
        for _ in 0..36 {
            hospital.passes(Duration::from_secs(20 * 60)).await;
            if hospital.now() < hospital.instant(0, "20:00") {
                let _used = phone.get("/api/v1/persons").await.good();
            }
        }
        let _over = phone.get("/api/v1/persons").await.refused(401, "sign_in_required");
    })
    .await;
}
