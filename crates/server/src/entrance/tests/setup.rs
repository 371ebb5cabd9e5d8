//! Entering an account by its file.

use std::sync::Arc;

use ::store::Vault;
use ::store::testing::{TestDb, each_db};
use base::HospitalId;
use edge::{Hospitals, Profile};
use people::channel::{CallbackMode, ChannelKind};

use super::lab::{self, migrations};
use crate::entrance::setup::{EXAMPLE, set_up};

#[tokio::test]
async fn the_example_can_be_entered_again_and_again() {
    each_db(&migrations(), async |t: TestDb| {
        let vault = Arc::new(Vault::parse(&Vault::generate().unwrap()).unwrap());
        let hospitals = Hospitals::load(&t.db).await.unwrap();
        let none = set_up(&t.db, &vault, &hospitals, EXAMPLE).await.unwrap_err();
        assert_eq!(none.to_string(), "there is no hospital yet");
        hospitals.add(HospitalId(1), "xinglin", &Profile::default(), "Asia/Shanghai").await.unwrap();
        let first = set_up(&t.db, &vault, &hospitals, EXAMPLE).await.unwrap();
        let plain = EXAMPLE.replace("mode = \"safe\"", "mode = \"plain\"");
        assert_eq!(set_up(&t.db, &vault, &hospitals, &plain).await.unwrap(), first);
        let channels = lab::channels(&t.db, &vault).await;
        let all = channels.all();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].kind, all[0].mode), (ChannelKind::Service, CallbackMode::Plain));

        hospitals.add(HospitalId(2), "east", &Profile::default(), "Asia/Shanghai").await.unwrap();
        let which = set_up(&t.db, &vault, &hospitals, EXAMPLE).await.unwrap_err();
        assert_eq!(which.to_string(), "hospital: there are several, so say which");
        let taken =
            set_up(&t.db, &vault, &hospitals, &format!("hospital = \"east\"\n{EXAMPLE}")).await.unwrap_err();
        assert!(taken.to_string().contains("another hospital"), "{taken}");
    })
    .await;
}

#[tokio::test]
async fn a_mistake_names_its_line_and_never_a_secret() {
    each_db(&migrations(), async |t: TestDb| {
        let vault = Vault::parse(&Vault::generate().unwrap()).unwrap();
        let hospitals = Hospitals::load(&t.db).await.unwrap();
        hospitals.add(HospitalId(1), "xinglin", &Profile::default(), "Asia/Shanghai").await.unwrap();
        for (text, want) in [
            (EXAMPLE.replace("kind = \"service\"", "kind = \"shop\""), "kind: unknown variant `shop`"),
            (EXAMPLE.replace("app_secret =", "app_secrets ="), "app_secrets: unknown field"),
            (EXAMPLE.replace("token = \"ChangeMe2026\"", ""), "missing field `token`"),
            (EXAMPLE.replace("ABCDEFG\"", "\""), "EncodingAESKey has 43"),
            ("name = ".into(), "line 1"),
        ] {
            let error = set_up(&t.db, &vault, &hospitals, &text).await.unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
            assert!(!error.contains("0123456789abcdef0123") && !error.contains("ChangeMe"), "{error}");
        }
    })
    .await;
}
