//! Signing in through WeChat.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use people::reacts::LookUpFollower;
use people::settings::SignInRules;
use serde_json::Value;
use store::JobHandler;
use store::testing::{TestDb, each_db};

use crate::clinic::{self, ACCOUNTS, Answer, Browser, Clinic, MINUTE, SESSIONS};

/// Goes to WeChat's page; gives the address to which WeChat will send the browser back, with the state that it needs.
pub async fn leave(browser: &mut Browser, to: &str) -> (String, String) {
    let page = browser
        .get(&format!("/auth/wechat?to={}", to.replace('?', "%3F").replace('&', "%26").replace('#', "%23")))
        .await
        .location();
    let (_, query) = page.split_once('?').unwrap();
    let (query, fragment) = query.split_once('#').unwrap();
    assert_eq!(fragment, "wechat_redirect");
    let query: HashMap<_, _> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    assert_eq!(query["scope"], "snsapi_base");
    assert!(page.contains("/connect/oauth2/authorize?appid=wx0123456789abcdef&redirect_uri="), "{page}");
    let back: String =
        percent_encoding::percent_decode_str(query["redirect_uri"]).decode_utf8().unwrap().into();
    let path = back.strip_prefix(&format!("http://{}", browser.host)).unwrap().to_owned();
    assert!(path.starts_with("/auth/wechat/callback?to="), "{path}");
    (path, query["state"].to_owned())
}

async fn come_back(browser: &mut Browser, way: &(String, String), code: &str) -> Answer {
    browser.get(&format!("{}&code={code}&state={}", way.0, way.1)).await
}

pub async fn sign_in(browser: &mut Browser, openid: &str) -> Value {
    let way = leave(browser, "/").await;
    // A code is made for each sign-in; what stands behind `~` makes it another one.
    let answer = come_back(browser, &way, &format!("c-{openid}~{}", way.1)).await;
    assert_eq!(answer.location(), "/");
    browser.session().await
}

/// What the sign-in page is told.
fn problem(answer: &Answer) -> String {
    let location = answer.location();
    assert!(answer.headers.get("set-cookie").is_none(), "no session: {location}");
    let (path, query) = location.split_once('?').unwrap();
    assert_eq!(path, "/sign-in");
    query.split('&').find_map(|p| p.strip_prefix("problem=")).unwrap().to_owned()
}

#[tokio::test]
async fn to_wechat_and_back_to_where_one_was() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.browser();
        browser.lang = "en";
        assert_eq!(browser.session().await["wechat_available"], true);
        let way = leave(&mut browser, "/confirm?slot=slt_1&person=per_1").await;
        let answer = come_back(&mut browser, &way, "c-o-anna").await;
        assert_eq!(answer.location(), "/confirm?slot=slt_1&person=per_1");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let session = browser.session().await;
        assert_eq!((&session["signed_in"], &session["channel"]), (&true.into(), &"wechat".into()));
        assert_eq!(session["lang"], "en");
        assert_eq!((&session["phone_masked"], &session["reachable"]), (&Value::Null, &false.into()));
        let mut other = clinic.browser();
        assert_eq!(sign_in(&mut other, "o-anna").await["account_id"], session["account_id"]);
        assert_ne!(sign_in(&mut clinic.browser(), "o-ben").await["account_id"], session["account_id"]);
        assert_eq!(clinic.count(ACCOUNTS).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_asks_twice_gets_the_same_session() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.signed_in("13800138000").await;
        let before = browser.token().cloned();
        let way = leave(&mut browser, "/me").await;
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (mut browser, way) = (browser.clone(), way.clone());
            requests.spawn(async move {
                let answer = come_back(&mut browser, &way, "c-o-anna").await;
                (answer.location(), browser.token().cloned())
            });
        }
        let answers = requests.join_all().await;
        assert!(answers.iter().all(|a| *a == answers[0] && a.0 == "/me" && a.1 != before), "{answers:?}");
        assert_eq!(clinic.wechat.exchanges.load(Ordering::SeqCst), 1);
        assert_eq!(clinic.count(SESSIONS).await, 1, "and the session before it is over");
        // Once more, with the cookie of the new session: it stays.
        browser.cookies.insert("__Host-xl".into(), answers[0].1.clone().unwrap());
        come_back(&mut browser, &way, "c-o-anna").await;
        assert_eq!(browser.session().await["signed_in"], true);
        assert_eq!(clinic.wechat.exchanges.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test]
async fn a_return_that_is_not_ours_is_refused() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.browser();
        let way = leave(&mut browser, "/me").await;
        // Another browser: somebody who was made to follow a link with the attacker's code.
        assert_eq!(problem(&come_back(&mut clinic.browser(), &way, "c-o-eve").await), "expired");
        let mut other = clinic.browser();
        leave(&mut other, "/me").await;
        assert_eq!(problem(&come_back(&mut other, &way, "c-o-eve").await), "expired");
        // A forged state, none, another path.
        let forged = (way.0.clone(), way.1.replace('0', "1"));
        assert_eq!(problem(&come_back(&mut browser, &forged, "c-o-eve").await), "expired");
        assert_eq!(problem(&browser.get("/auth/wechat/callback?to=/me&code=c-o-eve").await), "expired");
        let elsewhere = ("/auth/wechat/callback?to=%2Fother".to_owned(), way.1.clone());
        assert_eq!(problem(&come_back(&mut browser, &elsewhere, "c-o-eve").await), "expired");
        assert_eq!(clinic.wechat.exchanges.load(Ordering::SeqCst), 0, "nothing of this reached WeChat");
        // The person did not agree: the way stays open.
        assert_eq!(problem(&come_back(&mut browser, &way, "").await), "denied");
        come_back(&mut browser, &way, "c-o-anna").await.location();
        assert_eq!(browser.session().await["signed_in"], true);
        // A state works once, and so does a code.
        assert_eq!(problem(&come_back(&mut browser, &way, "c-o-eve").await), "expired");
        let second = leave(&mut browser, "/me").await;
        assert_eq!(problem(&come_back(&mut browser, &second, "c-o-anna").await), "expired");
        // Too late.
        let third = leave(&mut browser, "/me").await;
        t.pass(MINUTE * 10);
        assert_eq!(problem(&come_back(&mut browser, &third, "c-o-anna~2").await), "expired");
    })
    .await;
}

#[tokio::test]
async fn snapshots_and_failures_sign_nobody_in() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.browser();
        for (code, want) in [("c-snapshot", "snapshot"), ("used", "wechat"), ("broken", "wechat")] {
            let way = leave(&mut browser, "/me").await;
            let answer = come_back(&mut browser, &way, code).await;
            assert_eq!(problem(&answer), want);
            assert!(answer.location().ends_with("&to=%2Fme"), "the way back is kept: {}", answer.location());
            // Asked for again: the same answer, and WeChat is not asked again.
            let before = clinic.wechat.exchanges.load(Ordering::SeqCst);
            assert_eq!(problem(&come_back(&mut browser, &way, code).await), want);
            assert_eq!(clinic.wechat.exchanges.load(Ordering::SeqCst), before);
        }
        assert_eq!(browser.session().await["signed_in"], false);
        assert_eq!((clinic.count(ACCOUNTS).await, clinic.count(SESSIONS).await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn who_only_wants_to_read_reads_on_as_a_guest() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.browser();
        for (to, public) in [
            ("/", true),
            ("/departments", true),
            ("/doctors/doc_1?date=2026-11-24", true),
            ("/help#codes", true),
            ("/doctorsx", false),
            ("/appointments", false),
            ("/persons?from=/departments", false),
        ] {
            let way = leave(&mut browser, to).await;
            let answer = come_back(&mut browser, &way, &format!("c-snapshot~{}", way.1)).await;
            if public {
                assert_eq!(answer.location(), to);
                assert!(answer.headers.get("set-cookie").is_none(), "nobody is signed in");
            } else {
                assert_eq!(problem(&answer), "snapshot");
            }
        }
        assert_eq!(clinic.count(SESSIONS).await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_way_back_is_never_anothers() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.browser();
        for to in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/auth/wechat",
            "javascript:alert(1)",
        ] {
            let way = leave(&mut browser, to).await;
            assert!(way.0.ends_with("?to=%2F"), "{way:?}");
        }
        let way = leave(&mut browser, "//evil.example").await;
        assert_eq!(come_back(&mut browser, &way, "c-o-anna").await.location(), "/");
    })
    .await;
}

#[tokio::test]
async fn two_tabs_of_one_browser() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.browser();
        let first = leave(&mut browser, "/departments").await;
        let second = leave(&mut browser, "/me").await;
        assert_eq!(come_back(&mut browser, &first, "c-o-anna").await.location(), "/departments");
        assert_eq!(come_back(&mut browser, &second, "c-o-anna~2").await.location(), "/me");
        // The mark of a browser is for signing in only, and does not live long.
        let answer = clinic.browser().get("/auth/wechat?to=/").await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        for part in ["__Host-xl-in=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=600"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        let mut plain = clinic.browser();
        plain.host = "192.168.1.5:8080".into();
        let answer = plain.get("/auth/wechat?to=/").await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("xl-in=") && !cookie.contains("Secure"), "{cookie}");
    })
    .await;
}

#[tokio::test]
async fn a_hospital_that_the_address_names() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.browser();
        // As the server does when it has taken `/h/xl` off the path.
        let named = edge::layers::NamedHospital(clinic.hospitals.get(clinic::H).unwrap());
        browser.clinic.router = clinic.router.layer(axum::Extension(named));
        let page = browser.get("/auth/wechat?to=/h/xl/me").await.location();
        let back = "redirect_uri=http%3A%2F%2Fp1.localhost%3A8080%2Fh%2Fxl%2Fauth%2Fwechat%2Fcallback%3Fto%3D%252Fh%252Fxl%252Fme";
        assert!(page.contains(back), "{page}");
        let answer = browser.get("/auth/wechat/callback?to=/h/xl/me&code=1&state=2").await;
        assert_eq!(answer.location(), "/h/xl/sign-in?problem=expired&to=%2Fh%2Fxl%2Fme");
    })
    .await;
}

#[tokio::test]
async fn without_a_service_account_there_is_no_such_way() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.browser();
        assert_eq!(problem(&browser.get("/auth/wechat?to=/me").await), "wechat_off");
        assert_eq!(problem(&browser.get("/auth/wechat/callback?to=/me&code=1&state=2").await), "wechat_off");
        let clinic = clinic.with_wechat().await;
        browser.get("/auth/wechat?to=/me").await.location();
        clinic.set(SignInRules::SECTION, &SignInRules { wechat: false, ..SignInRules::default() }).await;
        assert_eq!(problem(&browser.get("/auth/wechat?to=/me").await), "wechat_off");
        assert_eq!(browser.session().await["wechat_available"], false);
    })
    .await;
}

#[tokio::test]
async fn who_followed_long_ago_is_found_out() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        clinic.wechat.followers.lock().unwrap().insert("o-anna".into(), 1_700_000_000);
        let handlers: Vec<Arc<dyn JobHandler>> = vec![Arc::new(LookUpFollower::new(clinic.channels.clone()))];
        let (mut anna, mut ben) = (clinic.browser(), clinic.browser());
        assert_eq!(sign_in(&mut anna, "o-anna").await["reachable"], false);
        sign_in(&mut ben, "o-ben").await;
        assert_eq!(store::jobs::turn(&t.db, &handlers).await.unwrap(), 2);
        assert_eq!(anna.session().await["reachable"], true);
        assert_eq!(ben.session().await["reachable"], false);
        // Known by now: nobody asks again.
        sign_in(&mut clinic.browser(), "o-anna").await;
        assert_eq!(store::jobs::turn(&t.db, &handlers).await.unwrap(), 0);
        assert_eq!(clinic.events("people.followed").await, Vec::<Value>::new(), "old news is no news");
        assert_eq!(clinic.wechat.tokens.load(Ordering::SeqCst), 1);
    })
    .await;
}
