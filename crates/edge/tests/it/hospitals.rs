//! Hospitals and their settings, and what an administrator changes on another node.

use base::{HospitalId, Text2};
use edge::hospital::{Hospitals, Profile};
use edge::limit::Limiter;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::testing::{TestDb, each_db};

use crate::rig::{H, migrations, open};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    per_day: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_day: 2 }
    }
}

#[tokio::test]
async fn settings_have_defaults_and_reach_every_node() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let other = Hospitals::load(&t.node().await).await.unwrap();
        let seen = |all: &Hospitals| all.get(H).unwrap().settings::<Limits>("test.limits");
        assert_eq!(seen(&b.hospitals), Limits { per_day: 2 });
        b.hospitals.set(H, "test.limits", &Limits { per_day: 5 }, "stf_1").await.unwrap();
        assert_eq!(seen(&b.hospitals), Limits { per_day: 5 }, "here at once");
        assert_eq!(seen(&other), Limits { per_day: 2 });
        other.reload().await.unwrap();
        assert_eq!(seen(&other), Limits { per_day: 5 });
        b.hospitals.set(H, "test.limits", &Limits { per_day: 6 }, "stf_1").await.unwrap();
        assert_eq!(seen(&b.hospitals), Limits { per_day: 6 });
        // What a newer program wrote, or nobody can read, counts as not set; the rest is not touched by it.
        b.hospitals
            .set(H, "test.limits", &serde_json::json!({"per_day": 6, "per_moon": 1}), "stf_1")
            .await
            .unwrap();
        b.hospitals.set(H, "test.other", &Limits { per_day: 7 }, "stf_1").await.unwrap();
        assert_eq!(seen(&b.hospitals), Limits::default());
        assert_eq!(b.hospitals.get(H).unwrap().settings::<Limits>("test.other"), Limits { per_day: 7 });
    })
    .await;
}

#[tokio::test]
async fn a_hospital_that_could_not_be_read_is_not_written() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let profile = Profile { name: Text2::new("二", "Two"), ..Profile::default() };
        let zone = b.hospitals.add(HospitalId(2), "two", &profile, "Mars/Base").await.unwrap_err();
        assert!(zone.to_string().contains("Mars/Base"), "{zone}");
        assert!(b.hospitals.add(H, "again", &profile, "Asia/Shanghai").await.is_err());
        assert!(b.hospitals.add(HospitalId(3), "xl", &profile, "Asia/Shanghai").await.is_err());
        let fresh = Hospitals::load(&t.db).await.unwrap();
        assert_eq!(fresh.all().len(), 1);
        b.hospitals.add(HospitalId(2), "two", &profile, "Asia/Urumqi").await.unwrap();
        assert_eq!(b.hospitals.by_code("two").unwrap().profile, profile);
        assert!(b.hospitals.by_code("three").is_none() && b.hospitals.get(HospitalId(3)).is_none());
        assert!(b.hospitals.add_host("nowhere.cn", HospitalId(9)).await.is_err(), "a host of no hospital");
    })
    .await;
}

#[test]
fn a_flood_of_addresses_does_not_slow_the_limiter_down() {
    let limiter = Limiter::new(2, 60_000);
    let now = store::testing::MORNING;
    let since = std::time::Instant::now();
    for i in 0..300_000 {
        limiter.take(&format!("a{i}"), now).unwrap();
    }
    // Walked at each request this took minutes.
    assert!(since.elapsed() < Duration::from_secs(60), "{:?}", since.elapsed());
    limiter.take("a299999", now).unwrap();
    assert_eq!(limiter.take("a299999", now), Err(61), "whoever is limited stays limited");
    assert!(limiter.take("a299999", now.plus(Duration::from_secs(60))).is_ok());
}

proptest::proptest! {
    /// However it is asked, in any stretch of time no more goes through than the burst and what flowed back.
    #[test]
    fn no_more_goes_through_than_was_promised(pauses in proptest::collection::vec(0_u64..3000, 1..200), burst in 1_u32..6, every in 100_u32..2000) {
        let limiter = Limiter::new(burst, every);
        let mut now = store::testing::MORNING;
        let (start, mut passed) = (now, 0_u64);
        for pause in pauses {
            now = now.plus(Duration::from_millis(pause));
            match limiter.take("a", now) {
                Ok(()) => passed += 1,
                Err(wait) => {
                    proptest::prop_assert!(wait >= 1 && u64::from(wait) <= u64::from(every) / 1000 + 1);
                }
            }
            let flowed = u64::try_from(now.since(start).as_millis()).unwrap() / u64::from(every);
            proptest::prop_assert!(passed <= u64::from(burst) + flowed + 1);
        }
    }
}
