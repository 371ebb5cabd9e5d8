//! Each kind of caller at each kind of door.

use edge::Role;
use store::testing::{TestDb, each_db};

use crate::rig::{account, migrations, open, pairs, staff};

#[tokio::test]
async fn each_door_opens_to_its_own_callers() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let callers = [
            ("nobody", vec![], [200, 401, 401, 401]),
            ("account", b.sign_in(account()).await.to_vec(), [200, 200, 403, 403]),
            ("triage", b.sign_in(staff(&[Role::Triage])).await.to_vec(), [200, 403, 200, 403]),
            (
                "nurse and doctor",
                b.sign_in(staff(&[Role::Doctor, Role::Nurse])).await.to_vec(),
                [200, 403, 200, 403],
            ),
            ("doctor", b.sign_in(staff(&[Role::Doctor])).await.to_vec(), [200, 403, 403, 403]),
            ("director", b.sign_in(staff(&[Role::Director])).await.to_vec(), [200, 403, 403, 403]),
            ("admin", b.sign_in(staff(&[Role::SystemAdmin])).await.to_vec(), [200, 403, 403, 403]),
            ("staff without roles", b.sign_in(staff(&[])).await.to_vec(), [200, 403, 403, 403]),
        ];
        for (who, headers, want) in &callers {
            for (door, want) in
                ["/api/v1/who", "/api/v1/mine", "/api/v1/desk", "/api/v1/closed"].iter().zip(want)
            {
                let answer = b.get(door, &pairs(headers)).await;
                assert_eq!(answer.status, *want, "{who} at {door}: {}", answer.text);
                match want {
                    401 => assert_eq!(answer.code(), "sign_in_required"),
                    403 => assert_eq!(answer.code(), "forbidden"),
                    _ => {}
                }
            }
        }
        // Two methods of one path keep a permission each.
        let path = format!("/api/v1/things/{}", edge::AccountId::new());
        for (who, headers, [.., desk, _]) in &callers {
            assert_eq!(b.get(&path, &pairs(headers)).await.status, 200, "{who}");
            assert_eq!(b.ask("PUT", &path, &pairs(headers), "").await.status, *desk, "{who}");
            assert_eq!(
                b.ask("HEAD", "/api/v1/desk", &pairs(headers), "").await.status,
                *desk,
                "{who}: HEAD is no way around"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_table_of_rules_names_every_route() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let mut rules: Vec<String> =
            b.rules.iter().map(|r| format!("{} {} {}", r.method, r.path, r.permission)).collect();
        rules.sort();
        let want = [
            "GET /api/v1/closed test.no_one",
            "GET /api/v1/desk test.desk",
            "GET /api/v1/fail/{how} anyone",
            "GET /api/v1/find anyone",
            "GET /api/v1/live anyone",
            "GET /api/v1/mine signed_in",
            "GET /api/v1/things/{id} anyone",
            "GET /api/v1/who anyone",
            "POST /api/v1/things signed_in",
            "POST /api/v1/who anyone",
            "PUT /api/v1/things/{id} test.desk",
        ];
        assert_eq!(rules, want);
    })
    .await;
}
