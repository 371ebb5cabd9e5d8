//! Who is calling, for which hospital, and from where.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use base::HospitalId;
use edge::hospital::Profile;
use edge::session::{NewSession, Sessions};
use edge::{Actor, Role, StaffId};
use std::time::Duration;
use store::testing::{TestDb, each_db, on_postgres};

use crate::rig::{H, HOUR, account, assemble, migrations, open, pairs, request, staff};

#[tokio::test]
async fn a_session_lasts_until_it_is_idle_or_over() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let actor = account();
        let cookie = b.sign_in(actor.clone()).await;
        let who =
            async || b.get("/api/v1/who", &pairs(&cookie)).await.json()["actor"].as_str().unwrap().to_owned();
        assert_eq!(who().await, actor.to_string());
        // Used again and again it lasts, up to a day.
        for _ in 0..24 {
            assert_eq!(who().await, actor.to_string());
            t.pass(HOUR - Duration::from_secs(60));
        }
        assert_eq!(who().await, actor.to_string());
        t.pass(Duration::from_secs(24 * 60));
        assert_eq!(who().await, "nobody", "a day is over");
        // Left alone it ends after an hour, on the millisecond.
        for (pause, want) in [(HOUR - Duration::from_millis(1), true), (HOUR, false)] {
            let cookie = b.sign_in(actor.clone()).await;
            t.pass(pause);
            let answer = b.get("/api/v1/who", &pairs(&cookie)).await;
            assert_eq!(answer.json()["actor"] != "nobody", want, "{pause:?}");
        }
        assert!(b.sessions.forget().await.unwrap() <= 2);
    })
    .await;
}

#[tokio::test]
async fn nonsense_in_the_cookie_is_nobody() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let token = "0".repeat(64);
        for cookie in [
            format!("xl={token}"),
            "xl=".into(),
            "xl=' OR 1=1".into(),
            "=;;xl".into(),
            format!("xl={}", "é".repeat(32)),
        ] {
            assert_eq!(
                b.get("/api/v1/who", &[("cookie", &cookie)]).await.json()["actor"],
                "nobody",
                "{cookie}"
            );
        }
        let signed_in = b.sign_in(account()).await;
        let elsewhere = signed_in[0].1.replace("xl=", "__Host-xl=");
        assert_eq!(
            b.get("/api/v1/who", &[("cookie", &elsewhere)]).await.json()["actor"],
            "nobody",
            "another cookie's name"
        );
        // Over loopback the browser keeps the stricter cookie.
        let local =
            b.get("/api/v1/who", &[("cookie", &elsewhere), ("host", "p1.localhost:8080")]).await.json();
        assert_eq!((local["actor"] != "nobody", local["cookie"].as_str()), (true, Some("__Host-xl")));
    })
    .await;
}

#[tokio::test]
async fn an_ended_session_is_over_at_once() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let id = StaffId::new();
        let nurse = Actor::Staff(id, vec![Role::Nurse]);
        let mut cookies = Vec::new();
        for _ in 0..3 {
            let cookie = b.sign_in(nurse.clone()).await;
            assert_eq!(b.get("/api/v1/desk", &pairs(&cookie)).await.status, 200);
            cookies.push(cookie);
        }
        let token = cookies[0][0].1.trim_start_matches("xl=").to_owned();
        b.sessions.end(&token).await.unwrap();
        let status = async |i: usize| b.get("/api/v1/desk", &pairs(&cookies[i])).await.status;
        assert_eq!((status(0).await, status(1).await), (401, 200));
        // Roles were taken away: whoever ends the sessions names the person, whatever roles it thinks of.
        assert_eq!(b.sessions.end_all(H, &Actor::Staff(id, vec![])).await.unwrap(), 2);
        assert_eq!((status(1).await, status(2).await), (401, 401));
        assert_eq!(b.sessions.end_all(H, &Actor::Nobody).await.unwrap(), 0);
        assert!(
            b.sessions
                .open(NewSession {
                    hospital: H,
                    actor: Actor::System,
                    channel: "sms",
                    idle: HOUR,
                    longest: HOUR,
                    device: String::new()
                })
                .await
                .is_err()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_ends_while_it_is_looked_up_is_not_remembered() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        for _ in 0..30 {
            let cookie = b.sign_in(account()).await;
            let token = cookie[0].1.trim_start_matches("xl=").to_owned();
            // Forgotten by the cache, so that the looks go to the database while the end goes there, too.
            t.pass(Duration::from_secs(21));
            let mut looks = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let (sessions, token) = (b.sessions.clone(), token.clone());
                looks.spawn(async move { sessions.find(&token).await.map(drop) });
            }
            b.sessions.end(&token).await.unwrap();
            looks.join_all().await;
            assert!(b.sessions.find(&token).await.unwrap().is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn another_node_learns_of_an_end_within_seconds() {
    on_postgres(&migrations(), base::Clock::manual(store::testing::MORNING), &async |t: TestDb| {
        let b = open(&t).await;
        let other = Sessions::new(t.node().await);
        let cookie = b.sign_in(account()).await;
        let token = cookie[0].1.trim_start_matches("xl=").to_owned();
        // In use there all the time, also when the use is written down.
        for _ in 0..20 {
            assert!(other.find(&token).await.unwrap().is_some());
            t.pass(Duration::from_secs(15));
        }
        assert!(other.find(&token).await.unwrap().is_some());
        b.sessions.end(&token).await.unwrap();
        t.pass(Duration::from_secs(20));
        assert!(other.find(&token).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn the_host_names_the_hospital() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let code = async |host: &str| {
            let answer = b.get("/api/v1/who", &[("host", host)]).await;
            (answer.status, answer.json()["hospital"].as_str().unwrap_or("-").to_owned())
        };
        assert_eq!(code("anything.cn").await, (200, "xl".into()), "the only one needs no name");
        b.hospitals.add(HospitalId(2), "two", &Profile::default(), "Asia/Urumqi").await.unwrap();
        assert_eq!(code("anything.cn").await.0, 404, "with two there must be one");
        b.hospitals.add_host("Two.CN", HospitalId(2)).await.unwrap();
        b.hospitals.add_host("[::1]", H).await.unwrap();
        assert_eq!(code("two.cn").await, (200, "two".into()));
        assert_eq!(code("TWO.cn:8443").await, (200, "two".into()));
        assert_eq!(code("[::1]").await, (200, "xl".into()));
        assert_eq!(code("[::1]:80").await, (200, "xl".into()));
        assert_eq!(code("evil-two.cn").await.0, 404);
        // A session of one hospital is nothing in the other.
        let cookie = b.sign_in(account()).await;
        let there = [pairs(&cookie), vec![("host", "two.cn")]].concat();
        assert_eq!(b.get("/api/v1/who", &there).await.json()["actor"], "nobody");
        let here = [pairs(&cookie), vec![("host", "[::1]")]].concat();
        // (Loopback has the stricter cookie name.)
        assert_eq!(b.get("/api/v1/who", &here).await.json()["actor"], "nobody");
    })
    .await;
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed() {
    each_db(&migrations(), async |t: TestDb| {
        let direct = open(&t).await;
        let behind = assemble(t.db.clone(), direct.hospitals.clone(), direct.sessions.clone(), true);
        let headers = [
            ("x-forwarded-for", "6.6.6.6, 10.0.0.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "hospital.cn"),
            ("user-agent", &"长".repeat(500)),
        ];
        let ask = |b: &crate::rig::Rig| {
            let mut request = request("GET", "/api/v1/who", &headers, "");
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 168, 1, 1], 5000))));
            let b = b.clone();
            async move { b.send(request).await.json() }
        };
        let seen = ask(&direct).await;
        assert_eq!(
            (seen["source"].as_str(), seen["origin"].as_str()),
            (Some("192.168.1.1"), Some("http://h.cn"))
        );
        let seen = ask(&behind).await;
        assert_eq!(
            (seen["source"].as_str(), seen["origin"].as_str()),
            (Some("10.0.0.9"), Some("https://hospital.cn"))
        );
        assert_eq!(seen["cookie"], "__Host-xl");
        assert!(seen["user_agent"].as_u64().unwrap() <= 200);
    })
    .await;
}

#[tokio::test]
async fn other_sites_change_nothing() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let cookie = b.sign_in(staff(&[Role::Triage])).await;
        let (session, token) = (("cookie", cookie[0].1.as_str()), ("x-csrf", cookie[1].1.as_str()));
        let other = b.sign_in(staff(&[Role::Triage])).await;
        let foreign = ("x-csrf", other[1].1.as_str());
        for (headers, want) in [
            (vec![], "-"),
            (vec![("origin", "http://h.cn")], "-"),
            (vec![("origin", "https://evil.cn")], "cross_site"),
            (vec![("origin", "http://h.cn.evil.cn")], "cross_site"),
            (vec![("origin", "null")], "cross_site"),
            (vec![("sec-fetch-site", "cross-site")], "cross_site"),
            (vec![("sec-fetch-site", "same-site")], "cross_site"),
            (vec![session], "csrf_missing"),
            (vec![session, foreign], "csrf_missing"),
            (vec![session, ("x-csrf", "")], "csrf_missing"),
            (vec![session, token], "-"),
            (vec![session, token, ("origin", "http://H.cn"), ("sec-fetch-site", "same-origin")], "-"),
            (vec![session, token, ("origin", "https://evil.cn")], "cross_site"),
        ] {
            let answer = b.ask("POST", "/api/v1/who", &headers, "").await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (if want == "-" { 200 } else { 403 }, want),
                "{headers:?}"
            );
        }
        // Reading needs no token.
        assert_eq!(b.get("/api/v1/who", &[session, ("sec-fetch-site", "cross-site")]).await.status, 200);
    })
    .await;
}
