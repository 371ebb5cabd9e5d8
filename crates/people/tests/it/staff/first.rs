//! The first administrator, and everybody's first time.

use std::time::Duration;

use edge::Role;
use people::staff::first;
use serde_json::json;
use store::testing::{TestDb, each_db};

use super::{PASSWORD, STEP, shown};
use crate::clinic::{self, Clinic, DAY, H, HOUR};

#[tokio::test]
async fn a_code_leads_to_a_password_and_a_second_factor_once() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let (deps, machine) = (clinic.staff(), clinic.machine());
        let handed = first::administrator(&deps, &machine, false).await.unwrap().unwrap();
        assert_eq!((handed.login.as_str(), handed.ends_at), ("admin", t.db.now().plus(DAY)));
        assert!(!format!("{handed:?}").contains(&handed.code));
        assert!(
            first::administrator(&deps, &machine, false).await.unwrap().is_none(),
            "the code is still good"
        );

        let mut browser = clinic.browser();
        let step = browser.password("admin", &handed.code.to_lowercase()).await.is(200);
        let ticket = &step["ticket"];
        for (password, reason) in
            [("short", "short"), ("administrator-Admin-1", "login"), ("password1234", "common")]
        {
            let body = browser.new_password(ticket, password).await.problem(422, "password_unfit");
            assert_eq!((&body["reason"], &body["fields"][0]["field"]), (&json!(reason), &json!("password")));
        }
        let step = browser.new_password(ticket, PASSWORD).await.is(200);
        assert!(step["uri"].as_str().unwrap().starts_with("otpauth://totp/"), "{step}");
        browser.new_password(ticket, PASSWORD).await.problem(410, "sign_in_expired");
        browser.second_factor(ticket, "000000").await.problem(422, "second_factor_wrong");
        // Left there, nothing has become good: neither the password nor the second factor.
        clinic.browser().password("admin", PASSWORD).await.problem(422, "sign_in_wrong");

        let (secret, answer) = browser.sets_up(&t, "admin", &handed.code, PASSWORD).await;
        let me = &answer["session"]["me"];
        assert_eq!(
            (&me["login"], &me["roles"], &me["way"]),
            (&json!("admin"), &json!(["system_admin"]), &json!("password"))
        );
        assert_eq!((&me["manages_staff"], &me["recovery_codes_left"]), (&json!(true), &json!(8)));
        assert_eq!(answer["recovery_codes"].as_array().unwrap().len(), 8);
        assert_eq!(browser.staff_session().await["me"]["name"], "首位管理员");

        // The code is used, the password and the second factor hold.
        clinic.browser().password("admin", &handed.code).await.problem(422, "sign_in_wrong");
        t.pass(STEP);
        let mut other = clinic.browser();
        let step = other.password(" ADMIN ", PASSWORD).await.is(200);
        let code = shown(&t, &secret);
        other.second_factor(&step["ticket"], &code).await.is(200);
        assert!(first::administrator(&deps, &machine, true).await.unwrap().is_none(), "somebody is there");
    })
    .await;
}

#[tokio::test]
async fn a_code_that_ran_out_is_replaced_at_the_next_start() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let (deps, machine) = (clinic.staff(), clinic.machine());
        let old = first::administrator(&deps, &machine, false).await.unwrap().unwrap();
        let again = first::administrator(&deps, &machine, true).await.unwrap().unwrap();
        clinic.browser().password("admin", &old.code).await.problem(422, "sign_in_wrong");
        clinic.browser().password("admin", &again.code).await.is(200);
        t.pass(DAY);
        clinic.browser().password("admin", &again.code).await.problem(422, "sign_in_wrong");
        let fresh = first::administrator(&deps, &machine, false).await.unwrap().unwrap();
        // A step that was begun before the code ran out can't be ended after it.
        let mut slow = clinic.browser();
        let step = slow.password("admin", &fresh.code).await.is(200);
        let step = slow.new_password(&step["ticket"], PASSWORD).await.is(200);
        t.pass(Duration::from_secs(15 * 60));
        slow.second_factor(&step["ticket"], "123456").await.problem(410, "sign_in_expired");
        let mut browser = clinic.browser();
        browser.sets_up(&t, "admin", &fresh.code, PASSWORD).await;
    })
    .await;
}

#[tokio::test]
async fn of_two_who_hold_the_same_code_one_gets_in() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let handed = first::administrator(&clinic.staff(), &clinic.machine(), false).await.unwrap().unwrap();
        let mut tickets = Vec::new();
        for mut browser in [clinic.browser(), clinic.browser()] {
            let step = browser.password("admin", &handed.code).await.is(200);
            let step = browser.new_password(&step["ticket"], PASSWORD).await.is(200);
            tickets.push((browser, step));
        }
        let mut answers = Vec::new();
        for (browser, step) in &mut tickets {
            let secret = people::staff::totp::TotpSecret::parse(step["secret"].as_str().unwrap()).unwrap();
            let code = shown(&t, &secret);
            answers.push(browser.second_factor(&step["ticket"], &code).await);
        }
        let mut answers = answers.into_iter();
        answers.next().unwrap().is(200);
        answers.next().unwrap().problem(410, "sign_in_expired");
    })
    .await;
}

#[tokio::test]
async fn the_first_administrator_stands_in_until_a_security_administrator_is_there() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let handed = first::administrator(&clinic.staff(), &clinic.machine(), false).await.unwrap().unwrap();
        let mut admin = clinic.browser();
        admin.sets_up(&t, "admin", &handed.code, PASSWORD).await;
        let new = |login: &str, roles: &[Role]| {
            json!({"login": login, "name": "王安", "roles": roles.iter().map(|r| r.code()).collect::<Vec<_>>()})
        };
        let made = admin.post("/api/v1/staff/members", new("wang.an", &[Role::SecurityAdmin])).await.is(201);
        admin.post("/api/v1/staff/members", new("zhou", &[Role::Operations])).await.is(201);
        let mut security = clinic.browser();
        let code = made["code"].as_str().unwrap().to_owned();
        let (_, answer) = security.sets_up(&t, "wang.an", &code, "Another-Day-2026").await;
        assert_eq!(answer["session"]["me"]["manages_staff"], true);
        // From now on the two are apart.
        assert_eq!(admin.staff_session().await["me"]["manages_staff"], false);
        admin.post("/api/v1/staff/members", new("late", &[Role::Nurse])).await.problem(403, "forbidden");
        let id = made["id"].as_str().unwrap().to_owned();
        admin.patch(&format!("/api/v1/staff/members/{id}"), json!({"state": "locked"})).await.problem(403, "forbidden");
        admin.post(&format!("/api/v1/staff/members/{id}/code"), json!({})).await.problem(403, "forbidden");
        security.post("/api/v1/staff/members", new("late", &[Role::Nurse])).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn whoever_has_the_machine_lets_people_in_again() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let id = clinic.has_staff("shen", &[Role::SecurityAdmin]).await;
        let mut browser = clinic.browser();
        browser.works(&t, "shen").await;
        let (deps, machine) = (clinic.staff(), clinic.machine());
        let handed = first::reset(&deps, &machine, "Shen", true).await.unwrap();
        assert_eq!(browser.staff_session().await["signed_in"], false, "all sessions end");
        browser.csrf.clear();
        browser.password("shen", PASSWORD).await.problem(422, "sign_in_wrong");
        browser.sets_up(&t, "shen", &handed.code, "Another-Day-2026").await;
        assert!(first::reset(&deps, &machine, "nobody", false).await.is_err());
        let said = clinic.audited(&id.to_string()).await;
        assert!(
            said.iter().any(|(action, detail)| action == "staff.reset" && detail["second_factor"] == true),
            "{said:?}"
        );
        assert_eq!(store::audit::of_entity(&t.db, H, &id.to_string()).await.unwrap()[0].actor, "system");
        t.pass(HOUR);
    })
    .await;
}
