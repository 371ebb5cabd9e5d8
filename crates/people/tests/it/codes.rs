//! Codes by SMS: how long they hold, how often they may be tried, how many are sent.

use people::settings::CodeRules;
use serde_json::json;
use store::testing::{TestDb, each_db};

use crate::clinic::{self, Browser, CODES, COUNTS, Clinic, DAY, HOUR, MINUTE};

const PHONE: &str = "13800138000";

#[tokio::test]
async fn every_statement_is_understood() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        for sql in people::statements() {
            if let Err(error) = t.db.prepare(sql).await {
                panic!("{} on {:?}: {error}: {:?}", sql.name, t.backend(), std::error::Error::source(&error));
            }
        }
    })
    .await;
}

async fn ask(browser: &mut Browser, phone: &str) -> crate::clinic::Answer {
    browser.post("/api/v1/session/sms", json!({"phone": phone})).await
}

async fn try_code(browser: &mut Browser, code: &str) -> crate::clinic::Answer {
    browser.post("/api/v1/session/phone", json!({"phone": PHONE, "code": code})).await
}

/// A code that is not `right`.
fn wrong(right: &str) -> &'static str {
    if right == "000000" { "000001" } else { "000000" }
}

#[tokio::test]
async fn a_code_may_be_tried_five_times() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.browser();
        let sent = ask(&mut browser, PHONE).await.is(202);
        assert_eq!(sent, json!({"resend_after_s": 60, "expires_in_s": 300}));
        let right = clinic.inbox.code(PHONE);
        for left in [4, 3, 2, 1] {
            let body = try_code(&mut browser, wrong(&right)).await.problem(422, "code_wrong");
            assert_eq!((&body["tries_left"], &body["fields"][0]["field"]), (&left.into(), &"code".into()));
        }
        assert_eq!(
            try_code(&mut browser, wrong(&right)).await.problem(429, "too_many_tries")["retry_after_s"],
            60
        );
        // Not even the right one any more; and the pause is told as it runs.
        t.pass(MINUTE / 2);
        assert_eq!(try_code(&mut browser, &right).await.problem(429, "too_many_tries")["retry_after_s"], 30);
        t.pass(MINUTE / 2);
        ask(&mut browser, PHONE).await.is(202);
        try_code(&mut browser, &clinic.inbox.code(PHONE)).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn a_code_holds_for_five_minutes_and_once() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.browser();
        try_code(&mut browser, "123456").await.problem(410, "code_expired");
        ask(&mut browser, PHONE).await.is(202);
        let first = clinic.inbox.code(PHONE);
        t.pass(MINUTE * 5);
        try_code(&mut browser, &first).await.problem(410, "code_expired");
        ask(&mut browser, PHONE).await.is(202);
        let second = clinic.inbox.code(PHONE);
        t.pass(MINUTE);
        ask(&mut browser, PHONE).await.is(202);
        let third = clinic.inbox.code(PHONE);
        if second != third {
            try_code(&mut browser, &second).await.problem(422, "code_wrong");
        }
        // As a keyboard for Chinese types it.
        let wide: String = third.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
        try_code(&mut browser, &format!(" {wide} ")).await.is(200);
        let mut other = clinic.browser();
        try_code(&mut other, &third).await.problem(410, "code_expired");
    })
    .await;
}

#[tokio::test]
async fn sixty_four_guesses_at_once_are_five() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        ask(&mut clinic.browser(), PHONE).await.is(202);
        let right = clinic.inbox.code(PHONE);
        let mut guesses = tokio::task::JoinSet::new();
        for n in 0..64 {
            let mut browser = clinic.browser();
            let guess = format!("{:06}", (right.parse::<u32>().unwrap() + 1 + n) % 1_000_000);
            guesses.spawn(async move { try_code(&mut browser, &guess).await.body["code"].to_string() });
        }
        let codes = guesses.join_all().await;
        assert_eq!(codes.iter().filter(|c| c.contains("code_wrong")).count(), 4, "{codes:?}");
        assert_eq!(codes.iter().filter(|c| c.contains("too_many_tries")).count(), 60, "{codes:?}");
    })
    .await;
}

#[tokio::test]
async fn a_code_is_for_its_purpose_its_phone_and_its_account() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut anna = clinic.signed_in("13800138001").await;
        let mut ben = clinic.signed_in("13800138002").await;
        let code = anna.person_code(PHONE).await;
        // Not for signing in.
        try_code(&mut clinic.browser(), &code).await.problem(410, "code_expired");
        // Not for another account, and not for another phone.
        let number = clinic::resident("1990-05-05", 1);
        let body = clinic::new_person("王小明", &number, PHONE, &code, "self");
        ben.post("/api/v1/persons", body.clone()).await.problem(410, "code_expired");
        let other = clinic::with(body.clone(), "phone", "13800138009".into());
        anna.post("/api/v1/persons", other).await.problem(410, "code_expired");
        anna.post("/api/v1/persons", body).await.is(201);
        // Nor is a code for signing in good for a person.
        t.pass(MINUTE);
        ask(&mut clinic.browser(), PHONE).await.is(202);
        let code = clinic.inbox.code(PHONE);
        let body = clinic::new_person("王小红", &clinic::resident("1990-05-05", 2), PHONE, &code, "self");
        ben.post("/api/v1/persons", body).await.problem(410, "code_expired");
    })
    .await;
}

#[tokio::test]
async fn nobody_is_bombed() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.browser();
        ask(&mut browser, PHONE).await.is(202);
        let body = ask(&mut browser, "+86 138-0013-8000").await.problem(429, "sms_too_soon");
        assert_eq!(body["retry_after_s"], 60);
        // Whatever it is for: one pause for a phone.
        let mut other = clinic.signed_in("13800138001").await;
        other.post("/api/v1/persons/code", json!({"phone": PHONE})).await.problem(429, "sms_too_soon");
        t.pass(MINUTE);
        for _ in 0..4 {
            ask(&mut browser, PHONE).await.is(202);
            t.pass(MINUTE);
        }
        // Five within a day, from wherever.
        browser.address = "198.51.100.7".into();
        let body = ask(&mut browser, PHONE).await.problem(429, "sms_limit");
        assert_eq!(body["retry_after_s"], 86_400 - 300);
        assert_eq!(clinic.inbox.count(), 6);
        t.pass(DAY);
        ask(&mut browser, PHONE).await.is(202);
    })
    .await;
}

#[tokio::test]
async fn an_address_an_account_and_the_hospital_have_their_limits() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let rules = CodeRules {
            per_address_hour: 3,
            per_account_day: 2,
            per_day: 7,
            shared_addresses: vec!["203.0.113.9".into()],
            per_shared_address_hour: 4,
            ..CodeRules::default()
        };
        clinic.set(CodeRules::SECTION, &rules).await;
        let phone = |n: u32| format!("139{n:08}");
        let mut browser = clinic.browser();
        for n in 0..3 {
            ask(&mut browser, &phone(n)).await.is(202);
        }
        let counts = clinic.count(COUNTS).await;
        assert_eq!(ask(&mut browser, &phone(3)).await.problem(429, "sms_limit")["retry_after_s"], 3600);
        assert_eq!(clinic.count(COUNTS).await, counts, "what was refused counts nowhere");
        t.pass(HOUR);
        // The account's own limit, from an address with room.
        let mut account = clinic.signed_in(&phone(4)).await;
        for n in 5..7 {
            account.post("/api/v1/persons/code", json!({"phone": phone(n)})).await.is(202);
        }
        account.address = "198.51.100.1".into();
        account.post("/api/v1/persons/code", json!({"phone": phone(8)})).await.problem(429, "sms_limit");
        // An address that many share has more room; what the hospital pays for has an end all the same.
        browser.address = "203.0.113.9".into();
        ask(&mut browser, &phone(9)).await.is(202);
        ask(&mut browser, &phone(10)).await.problem(429, "sms_limit");
        assert_eq!(clinic.inbox.count(), 7);
        t.pass(DAY);
        for n in 20..24 {
            ask(&mut browser, &phone(n)).await.is(202);
        }
        ask(&mut browser, &phone(24)).await.problem(429, "sms_limit");
    })
    .await;
}

#[tokio::test]
async fn forty_requests_at_once_send_one_sms() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut requests = tokio::task::JoinSet::new();
        for n in 0..40 {
            let mut browser = clinic.browser();
            browser.address = format!("198.51.100.{n}");
            requests.spawn(async move { ask(&mut browser, PHONE).await.status.as_u16() });
        }
        let statuses = requests.join_all().await;
        assert_eq!(statuses.iter().filter(|s| **s == 202).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|s| matches!(s, 202 | 429)), "{statuses:?}");
        assert_eq!((clinic.inbox.count(), clinic.count(CODES).await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_code_that_could_not_be_sent_does_not_exist() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.inbox.break_it(true);
        let mut browser = clinic.browser();
        ask(&mut browser, PHONE).await.problem(500, "internal");
        assert_eq!((clinic.count(CODES).await, clinic.count(COUNTS).await), (0, 0));
        clinic.inbox.break_it(false);
        ask(&mut browser, PHONE).await.is(202);
    })
    .await;
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        use store::Sweep as _;
        let clinic = Clinic::open(&t).await;
        clinic.signed_in(PHONE).await;
        assert!(!people::reacts::Forget.run(&t.db).await.unwrap());
        assert_eq!(clinic.count(CODES).await, 1);
        t.pass(DAY * 2 + HOUR);
        people::reacts::Forget.run(&t.db).await.unwrap();
        assert_eq!((clinic.count(CODES).await, clinic.count(COUNTS).await), (0, 0));
    })
    .await;
}
