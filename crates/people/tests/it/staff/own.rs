//! One's own sign-in: password, second factor, recovery codes, sessions.

use edge::Role;
use people::staff::totp::TotpSecret;
use serde_json::json;
use store::testing::{TestDb, each_db};

use super::{PASSWORD, STEP, secret, shown};
use crate::clinic::{self, Clinic};

#[tokio::test]
async fn a_new_password_ends_all_sessions_but_gives_this_browser_a_new_one() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.at_work(&t, "lin", &[Role::Nurse]).await;
        let mut other = clinic.browser();
        other.works(&t, "lin").await;
        let before = browser.token().unwrap().clone();
        let change = |current: &str, new: &str| json!({"current": current, "password": new});
        let path = "/api/v1/staff/me/password";
        browser
            .send("PUT", path, Some(change("wrong", "Another-Day-2026")))
            .await
            .problem(422, "password_wrong");
        browser.send("PUT", path, Some(change(PASSWORD, "short"))).await.problem(422, "password_unfit");
        browser.send("PUT", path, Some(change(PASSWORD, PASSWORD))).await.problem(422, "password_same");
        let session = browser.send("PUT", path, Some(change(PASSWORD, "Another-Day-2026"))).await.is(200);
        assert_ne!(browser.token().unwrap(), &before);
        browser.csrf = session["csrf"].as_str().unwrap().to_owned();
        assert_eq!(browser.staff_session().await["signed_in"], true);
        assert_eq!(other.staff_session().await["signed_in"], false);
        let mut old = clinic.browser();
        old.cookies.insert("__Host-xl".into(), before);
        assert_eq!(old.staff_session().await["signed_in"], false);
        clinic.browser().password("lin", PASSWORD).await.problem(422, "sign_in_wrong");
        clinic.browser().password("lin", "Another-Day-2026").await.is(200);
    })
    .await;
}

#[tokio::test]
async fn the_current_password_can_not_be_guessed_from_an_open_session() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.at_work(&t, "lin", &[Role::Nurse]).await;
        for _ in 0..5 {
            browser
                .post("/api/v1/staff/me/second-factor", json!({"password": "wrong"}))
                .await
                .problem(422, "password_wrong");
        }
        browser
            .post("/api/v1/staff/me/second-factor", json!({"password": PASSWORD}))
            .await
            .problem(429, "too_many_tries");
    })
    .await;
}

#[tokio::test]
async fn a_new_phone_takes_the_place_of_the_old_one() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.at_work(&t, "lin", &[Role::Nurse]).await;
        let mut other = clinic.browser();
        other.works(&t, "lin").await;
        let path = "/api/v1/staff/me/second-factor";
        let step = browser.post(path, json!({"password": PASSWORD})).await.is(200);
        assert_eq!(step["step"], "renew");
        let fresh = TotpSecret::parse(step["secret"].as_str().unwrap()).unwrap();
        // Until its first code is typed the old phone holds, and the ticket lets nobody in.
        let body = json!({"ticket": step["ticket"], "code": shown(&t, &secret())});
        browser.send("PUT", path, Some(body)).await.problem(422, "second_factor_wrong");
        clinic
            .browser()
            .second_factor(&step["ticket"], &shown(&t, &fresh))
            .await
            .problem(410, "sign_in_expired");
        let body = json!({"ticket": step["ticket"], "code": shown(&t, &fresh)});
        let answer = browser.send("PUT", path, Some(body)).await.is(200);
        assert_eq!(answer["recovery_codes"].as_array().unwrap().len(), 8);
        assert_eq!(browser.staff_session().await["signed_in"], true);
        assert_eq!(other.staff_session().await["signed_in"], false, "who has the old phone is out");
        t.pass(STEP);
        let mut browser = clinic.browser();
        let step = browser.password("lin", PASSWORD).await.is(200);
        browser
            .second_factor(&step["ticket"], &shown(&t, &secret()))
            .await
            .problem(422, "second_factor_wrong");
        browser.second_factor(&step["ticket"], &shown(&t, &fresh)).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_stands_for_a_lost_phone_once() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.at_work(&t, "lin", &[Role::Nurse]).await;
        t.pass(STEP);
        let path = "/api/v1/staff/me/recovery-codes";
        browser.post(path, json!({"code": "000000"})).await.problem(422, "second_factor_wrong");
        let answer = browser.post(path, json!({"code": shown(&t, &secret())})).await.is(200);
        let codes: Vec<String> = serde_json::from_value(answer["recovery_codes"].clone()).unwrap();
        let mut lost = clinic.browser();
        let step = lost.password("lin", PASSWORD).await.is(200);
        let answer =
            lost.second_factor(&step["ticket"], &codes[0].to_lowercase().replace('-', " ")).await.is(200);
        assert_eq!(answer["session"]["me"]["recovery_codes_left"], 7);
        let mut again = clinic.browser();
        let step = again.password("lin", PASSWORD).await.is(200);
        again.second_factor(&step["ticket"], &codes[0]).await.problem(422, "second_factor_wrong");
        again.second_factor(&step["ticket"], &codes[1]).await.is(200);
        // New ones make the old ones worthless.
        browser.post(path, json!({"code": codes[2]})).await.is(200);
        let step = clinic.browser().password("lin", PASSWORD).await.is(200);
        clinic.browser().second_factor(&step["ticket"], &codes[3]).await.problem(422, "second_factor_wrong");
    })
    .await;
}

#[tokio::test]
async fn sessions_are_seen_and_ended() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.at_work(&t, "lin", &[Role::Nurse]).await;
        let mut second = clinic.browser();
        second.works(&t, "lin").await;
        let mut third = clinic.browser();
        third.works(&t, "lin").await;
        let stranger = clinic.at_work(&t, "other", &[Role::Nurse]).await;
        let list = browser.get("/api/v1/staff/me/sessions").await.is(200);
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 3, "only one's own");
        assert_eq!(
            (&items[0]["current"], &items[1]["current"], &items[0]["way"]),
            (&json!(true), &json!(false), &json!("password"))
        );
        let hash = browser.token().unwrap().clone();
        assert!(!list.to_string().contains(&hash), "no token");
        // One of them, by its name; somebody else's is not there.
        let theirs = {
            stranger.clone().get("/api/v1/staff/me/sessions").await.is(200)["items"][0]["name"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        browser.delete(&format!("/api/v1/staff/me/sessions/{theirs}")).await.problem(404, "not_found");
        let newest = items[1]["name"].as_str().unwrap().to_owned();
        browser.delete(&format!("/api/v1/staff/me/sessions/{newest}")).await.is(204);
        let left = [
            second.staff_session().await["signed_in"] == true,
            third.staff_session().await["signed_in"] == true,
        ];
        assert_eq!(left.iter().filter(|l| **l).count(), 1);
        assert_eq!(browser.delete("/api/v1/staff/me/sessions").await.is(200)["ended"], 1);
        assert_eq!(
            browser.get("/api/v1/staff/me/sessions").await.is(200)["items"].as_array().unwrap().len(),
            1
        );
        assert_eq!(stranger.clone().staff_session().await["signed_in"], true);
        browser.delete("/api/v1/staff/session").await.is(204);
        assert_eq!(browser.staff_session().await["signed_in"], false);
    })
    .await;
}

#[tokio::test]
async fn the_security_administrator_sees_and_ends_the_sessions_of_all() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        let mut yan = clinic.at_work(&t, "yan", &[Role::AuditAdmin]).await;
        let id = clinic.has_staff("lin", &[Role::Nurse]).await;
        let mut lin = clinic.browser();
        let path = format!("/api/v1/staff/members/{id}/sessions");
        for _ in 0..2 {
            lin.cookies.clear();
            lin.csrf.clear();
            lin.works(&t, "lin").await;
        }
        assert_eq!(yan.get(&path).await.is(200)["items"].as_array().unwrap().len(), 2);
        yan.delete(&path).await.problem(403, "forbidden");
        let name = shen.get(&path).await.is(200)["items"][1]["name"].as_str().unwrap().to_owned();
        shen.delete(&format!("{path}/{name}")).await.is(204);
        shen.delete(&format!("{path}/{name}")).await.problem(404, "not_found");
        assert_eq!(lin.staff_session().await["signed_in"], true);
        assert_eq!(shen.delete(&path).await.is(200)["ended"], 1);
        assert_eq!(lin.staff_session().await["signed_in"], false);
        let said = clinic.audited(&id.to_string()).await;
        assert!(said.iter().any(|(a, d)| a == "staff.session.end_all" && d["sessions"] == 1), "{said:?}");
    })
    .await;
}
