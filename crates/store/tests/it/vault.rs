//! Sealed fields: open only whole, in their place, and with their key.

use base::HospitalId;
use proptest::prelude::*;
use store::testing::{TestDb, each_db};
use store::vault::Purpose;
use store::{Row, Sealed, Vault, args};

use crate::support::{ADD_DATA, GET, H, change, migrations};

fn vault() -> Vault {
    Vault::parse(&Vault::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn sealed_values_come_back_from_both_databases() {
    each_db(&migrations(), async |t: TestDb| {
        let vault = vault();
        for (i, name) in ["张三丰", "", "O'Neil \0 👩‍⚕️"].into_iter().enumerate() {
            let sealed = vault.seal(H, "person.name", name).unwrap();
            let id = format!("p{i}");
            change(&t.db, ADD_DATA, args![H, &id, 1_i64, sealed, None::<Vec<u8>>]).await.unwrap();
            let row: Row = t.db.one(GET, args![H, &id]).await.unwrap();
            let stored: String = row.get("note").unwrap();
            assert!(name.is_empty() || !stored.contains(name));
            let back: Sealed = row.get("note").unwrap();
            assert_eq!(vault.open_sealed(H, "person.name", &back, Purpose::ShowOwner).unwrap(), name);
        }
    })
    .await;
}

fn text_of(sealed: Sealed) -> String {
    use store::{FromValue as _, ToValue as _};
    String::from_value(&sealed.to_value()).unwrap()
}

fn sealed_of(text: String) -> Sealed {
    use store::{FromValue as _, Value};
    Sealed::from_value(&Value::Text(Some(text))).unwrap()
}

proptest! {
    #[test]
    fn any_text_opens_in_its_place_only(text: String, other in 2_i64..1000) {
        let vault = vault();
        let sealed = vault.seal(H, "person.phone", &text).unwrap();
        prop_assert_eq!(format!("{:?}", &sealed), "***");
        prop_assert_eq!(vault.open_sealed(H, "person.phone", &sealed, Purpose::Notify).unwrap(), text);
        prop_assert!(vault.open_sealed(H, "person.name", &sealed, Purpose::Notify).is_err());
        prop_assert!(vault.open_sealed(HospitalId(other), "person.phone", &sealed, Purpose::Notify).is_err());
        prop_assert!(self::vault().open_sealed(H, "person.phone", &sealed, Purpose::Notify).is_err(), "another key");
    }

    #[test]
    fn a_value_that_was_touched_does_not_open(text: String, at: prop::sample::Index, with in "[ -~]") {
        let vault = vault();
        let sealed = text_of(vault.seal(H, "f", &text).unwrap());
        let mut touched: Vec<char> = sealed.chars().collect();
        let at = at.index(touched.len());
        touched[at] = with.chars().next().unwrap();
        let touched: String = touched.into_iter().collect();
        prop_assume!(touched != sealed);
        prop_assert!(vault.open_sealed(H, "f", &sealed_of(touched), Purpose::Match).is_err());
    }

    #[test]
    fn nothing_that_is_read_panics(text: String) {
        let _ = Vault::parse(&text);
        let _ = vault().open_sealed(H, "f", &sealed_of(text), Purpose::Match);
    }

    #[test]
    fn look_up_hashes_agree_for_the_same_only(a: String, b: String) {
        let vault = vault();
        prop_assert_eq!(vault.blind(H, "f", &a), vault.blind(H, "f", &a));
        prop_assert_eq!(vault.blind(H, "f", &a) == vault.blind(H, "f", &b), a == b);
        prop_assert_ne!(vault.blind(H, "f", &a), vault.blind(H, "g", &a));
        prop_assert_ne!(vault.blind(H, "f", &a), vault.blind(HospitalId(2), "f", &a));
        prop_assert_ne!(vault.blind(H, "f", &a), self::vault().blind(H, "f", &a));
    }
}

#[test]
fn the_key_file_is_made_once_and_for_us_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys/xinglin.key");
    assert!(Vault::open(&path, false).is_err());
    let first = Vault::open(&path, true).unwrap();
    let sealed = first.seal(H, "f", "x").unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = Vault::open(&path, true).unwrap();
    assert_eq!(again.open_sealed(H, "f", &sealed, Purpose::Maintain).unwrap(), "x");
    assert_eq!(again.blind(H, "f", "x"), first.blind(H, "f", "x"));
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let text = Vault::generate().unwrap();
    for id in ["k1", "blind"] {
        let again = text.lines().find(|l| l.starts_with(id)).unwrap();
        let error = Vault::parse(&format!("{text}{again}\n")).unwrap_err().to_string();
        assert!(error.contains("stands twice"), "{id}: {error}");
    }
}
