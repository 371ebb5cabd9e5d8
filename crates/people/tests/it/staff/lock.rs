//! What stops those who guess, and what they can't learn.

use std::time::Duration;

use edge::Role;
use people::staff::settings::StaffSignIn;
use serde_json::Value;
use store::testing::{TestDb, each_db};

use super::{PASSWORD, STEP, secret, shown};
use crate::clinic::{self, Clinic, MINUTE};

/// All but the request's own number.
fn told(mut body: Value) -> Value {
    body["request_id"] = Value::Null;
    body
}

#[tokio::test]
async fn nobody_learns_who_is_on_the_list() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.has_staff("lina", &[Role::Nurse]).await;
        let mut browser = clinic.browser();
        let mut said = Vec::new();
        for (login, password) in [
            ("lina", "not-the-password"),
            ("nobody", "not-the-password"),
            ("nobody", PASSWORD),
            ("李娜", PASSWORD),
            ("", ""),
            ("lina", ""),
        ] {
            said.push(told(browser.password(login, password).await.problem(422, "sign_in_wrong")));
        }
        said.dedup();
        assert_eq!(said.len(), 1, "{said:?}");
        // What is locked after too many tries says as little.
        for login in ["lina", "nobody"] {
            for _ in 0..5 {
                let _ = browser.password(login, "not-the-password").await;
            }
            let body = browser.password(login, PASSWORD).await.problem(429, "too_many_tries");
            assert_eq!(body["retry_after_s"], 900, "{login}");
        }
    })
    .await;
}

#[tokio::test]
async fn five_wrong_tries_lock_a_login_for_a_quarter_of_an_hour() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.has_staff("lina", &[Role::Nurse]).await;
        clinic.has_staff("other", &[Role::Nurse]).await;
        let mut browser = clinic.browser();
        for _ in 0..4 {
            browser.password("lina", "wrong").await.problem(422, "sign_in_wrong");
        }
        // A whole sign-in clears the count.
        browser.works(&t, "lina").await;
        browser = clinic.browser();
        for _ in 0..5 {
            browser.password("LINA", "wrong").await.problem(422, "sign_in_wrong");
        }
        t.pass(MINUTE);
        let body = browser.password("lina", PASSWORD).await.problem(429, "too_many_tries");
        assert_eq!(body["retry_after_s"], 14 * 60);
        // From elsewhere as well, and others are free.
        let mut elsewhere = clinic.browser();
        elsewhere.address = "192.0.2.99".into();
        elsewhere.password("lina", PASSWORD).await.problem(429, "too_many_tries");
        elsewhere.password("other", PASSWORD).await.is(200);
        t.pass(MINUTE * 14);
        browser.works(&t, "lina").await;
    })
    .await;
}

#[tokio::test]
async fn codes_are_counted_like_passwords_and_a_right_password_does_not_begin_anew() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.has_staff("lina", &[Role::Nurse]).await;
        let mut browser = clinic.browser();
        for _ in 0..5 {
            let step = browser.password("lina", PASSWORD).await.is(200);
            browser.second_factor(&step["ticket"], "000000").await.problem(422, "second_factor_wrong");
        }
        browser.password("lina", PASSWORD).await.problem(429, "too_many_tries");
        t.pass(MINUTE * 15);
        browser.works(&t, "lina").await;
    })
    .await;
}

#[tokio::test]
async fn many_tries_at_once_are_no_more_than_one_after_another() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.has_staff("lina", &[Role::Nurse]).await;
        let tries = (0..12).map(|_| {
            let mut browser = clinic.browser();
            async move { browser.password("lina", "wrong").await.status.as_u16() }
        });
        let found = futures(tries).await;
        assert_eq!(found.iter().filter(|s| **s == 422).count(), 5, "{found:?}");
        assert_eq!(found.iter().filter(|s| **s == 429).count(), 7, "{found:?}");
    })
    .await;
}

async fn futures<F: Future<Output = u16> + Send + 'static>(all: impl Iterator<Item = F>) -> Vec<u16> {
    let running: Vec<_> = all.map(tokio::spawn).collect();
    let mut found = Vec::new();
    for one in running {
        found.push(one.await.unwrap());
    }
    found
}

#[tokio::test]
async fn an_address_that_tries_many_logins_is_locked() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic
            .set(StaffSignIn::SECTION, &StaffSignIn { wrong_tries_per_address: 6, ..StaffSignIn::default() })
            .await;
        clinic.has_staff("lina", &[Role::Nurse]).await;
        let mut browser = clinic.browser();
        for n in 0..6 {
            browser.password(&format!("guess{n}"), PASSWORD).await.problem(422, "sign_in_wrong");
        }
        browser.password("lina", PASSWORD).await.problem(429, "too_many_tries");
        let mut elsewhere = clinic.browser();
        elsewhere.address = "192.0.2.99".into();
        elsewhere.works(&t, "lina").await;
    })
    .await;
}

#[tokio::test]
async fn a_code_of_the_second_factor_is_good_once() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.has_staff("lina", &[Role::Nurse]).await;
        t.pass(STEP);
        let code = shown(&t, &secret());
        let mut browser = clinic.browser();
        let step = browser.password("lina", PASSWORD).await.is(200);
        browser.second_factor(&step["ticket"], &code).await.is(200);
        let mut other = clinic.browser();
        let step = other.password("lina", PASSWORD).await.is(200);
        other.second_factor(&step["ticket"], &code).await.problem(422, "second_factor_wrong");
        // The same ticket serves for another try, but for one sign-in only.
        t.pass(STEP);
        other.second_factor(&step["ticket"], &shown(&t, &secret())).await.is(200);
        t.pass(STEP);
        let mut third = clinic.browser();
        third.second_factor(&step["ticket"], &shown(&t, &secret())).await.problem(410, "sign_in_expired");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_at_the_latest_after_twelve_hours() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.at_work(&t, "lina", &[Role::Nurse]).await;
        t.pass(Duration::from_secs(29 * 60));
        assert_eq!(browser.staff_session().await["signed_in"], true);
        t.pass(Duration::from_secs(30 * 60));
        assert_eq!(browser.staff_session().await["signed_in"], false);
        let mut browser = clinic.browser();
        browser.works(&t, "lina").await;
        for _ in 0..35 {
            t.pass(Duration::from_secs(20 * 60));
            assert_eq!(browser.staff_session().await["signed_in"], true);
        }
        t.pass(Duration::from_secs(20 * 60));
        assert_eq!(browser.staff_session().await["signed_in"], false);
    })
    .await;
}

#[tokio::test]
async fn what_was_tried_wrongly_is_written_down_without_what_was_typed() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let id = clinic.has_staff("lina", &[Role::Nurse]).await;
        let mut browser = clinic.browser();
        browser.password("lina", "my-secret-typo").await.problem(422, "sign_in_wrong");
        browser.password("my-secret-typo", "x").await.problem(422, "sign_in_wrong");
        let said = clinic.audited(&id.to_string()).await;
        assert!(said.iter().any(|(action, _)| action == "staff.sign_in.wrong"), "{said:?}");
        let nobody = store::audit::of_entity(&t.db, clinic::H, "nobody").await.unwrap();
        assert_eq!(
            (nobody.len(), nobody[0].action.as_str(), nobody[0].source.as_str()),
            (1, "staff.sign_in.wrong", "192.0.2.1")
        );
        assert!(!nobody[0].detail.contains("typo"), "{:?}", nobody[0]);
    })
    .await;
}
