//! Who manages staff, and what nobody may.

use edge::Role;
use serde_json::{Value, json};
use store::testing::{TestDb, each_db};
use store::value::One;

use super::{PASSWORD, STEP};
use crate::clinic::{self, Clinic, DEPARTMENT, DOCTOR, H, with};

store::statements! {
    KEPT = "SELECT name || name_masked || COALESCE(password, '') || COALESCE(totp, '') FROM staff WHERE login = $1";
    GIVE = "INSERT INTO staff_role (hospital_id, staff_id, role, given_at) VALUES ($1, $2, $3, 0)";
}

fn nurse() -> Value {
    json!({"login": "lin", "name": "林若水", "roles": ["nurse"]})
}

#[tokio::test]
async fn somebody_is_put_on_the_list_and_signs_in() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        let new = json!({
            "login": "Lin.RS", "name": "林若水", "roles": ["nurse", "triage"], "doctor_id": DOCTOR,
            "department_ids": [DEPARTMENT], "wecom_userid": "LinRuoShui",
        });
        let made = shen.post("/api/v1/staff/members", new.clone()).await.is(201);
        let id = made["id"].as_str().unwrap().to_owned();
        shen.post("/api/v1/staff/members", new.clone()).await.problem(409, "login_taken");
        shen.post("/api/v1/staff/members", with(new, "login", "other".into()))
            .await
            .problem(409, "wecom_taken");
        let path = format!("/api/v1/staff/members/{id}");
        let seen = shen.get(&path).await.is(200);
        assert_eq!(
            (&seen["login"], &seen["name"], &seen["name_masked"]),
            (&json!("lin.rs"), &json!("林若水"), &json!("林**"))
        );
        assert_eq!(
            (&seen["roles"], &seen["ready"], &seen["state"]),
            (&json!(["triage", "nurse"]), &json!("code"), &json!("active"))
        );
        assert_eq!((&seen["doctor_id"], &seen["department_ids"]), (&json!(DOCTOR), &json!([DEPARTMENT])));
        assert_eq!(seen["wecom_userid"], "linruoshui");
        let opened = clinic.audited(&id).await;
        assert_eq!(opened.iter().map(|(a, _)| a.as_str()).collect::<Vec<_>>(), ["staff.add", "staff.open"]);

        let mut lin = clinic.browser();
        let code = made["code"].as_str().unwrap();
        let (_, answer) = lin.sets_up(&t, "lin.rs", code, "Another-Day-2026").await;
        let me = &answer["session"]["me"];
        assert_eq!((&me["name"], &me["department_ids"]), (&json!("林若水"), &json!([DEPARTMENT])));
        assert_eq!(me["permissions"], json!(["patients.register", "patients.see", "staff.own"]));
        lin.get("/api/v1/staff/members").await.problem(403, "forbidden");
        assert_eq!(shen.get(&path).await.is(200)["ready"], "ready");

        // Nothing of it is kept in the clear, and lists show masks.
        let kept = t.db.one::<One<String>>(KEPT, store::args!["lin.rs"]).await.unwrap().0;
        assert!(!kept.contains("若水") && !kept.contains("Another") && kept.contains("$argon2id$"), "{kept}");
        let list = shen.get("/api/v1/staff/members?role=nurse").await.is(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert!(!list.to_string().contains("若水"), "{list}");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_said_by_field() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        for (member, value, code) in [
            ("login", json!("李"), "login_invalid"),
            ("name", json!("7"), "name_invalid"),
            ("roles", json!([]), "roles_missing"),
            ("roles", json!(["system_admin", "audit_admin"]), "roles_not_apart"),
            ("roles", json!(["king"]), "wrong_value"),
            ("doctor_id", json!("doc_x"), "doctor_unknown"),
            ("department_ids", json!(["dep_x"]), "department_unknown"),
            ("wecom_userid", json!("a b"), "wecom_invalid"),
            ("state", json!("active"), "unknown_field"),
        ] {
            let body =
                shen.post("/api/v1/staff/members", with(nurse(), member, value)).await.problem(422, code);
            assert!(body["fields"][0]["field"].as_str().unwrap().starts_with(member), "{body}");
        }
        assert_eq!(shen.get("/api/v1/staff/members").await.is(200)["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn whose_roles_change_is_signed_out() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        let id = clinic.has_staff("lin", &[Role::Nurse]).await;
        let mut lin = clinic.browser();
        lin.works(&t, "lin").await;
        let path = format!("/api/v1/staff/members/{id}");
        shen.patch(&path, json!({"name": "林如水"})).await.is(200);
        assert_eq!(lin.staff_session().await["me"]["name"], "林如水", "a name signs nobody out");
        let seen = shen.patch(&path, json!({"roles": ["doctor"], "doctor_id": DOCTOR})).await.is(200);
        assert_eq!((&seen["roles"], &seen["doctor_id"]), (&json!(["doctor"]), &json!(DOCTOR)));
        assert_eq!(lin.staff_session().await["signed_in"], false);
        lin.csrf.clear();
        assert_eq!(lin.works(&t, "lin").await["me"]["roles"], json!(["doctor"]));
        for state in ["locked", "disabled"] {
            shen.patch(&path, json!({"state": state})).await.is(200);
            assert_eq!(lin.staff_session().await["signed_in"], false);
            lin.csrf.clear();
            lin.password("lin", PASSWORD).await.problem(403, "staff_not_active");
            shen.patch(&path, json!({"state": "active"})).await.is(200);
            lin.works(&t, "lin").await;
        }
        // Null takes away, what is left out stays.
        let seen = shen.patch(&path, json!({"doctor_id": null, "wecom_userid": null})).await.is(200);
        assert_eq!(
            (&seen["doctor_id"], &seen["wecom_userid"], &seen["roles"]),
            (&Value::Null, &Value::Null, &json!(["doctor"]))
        );
        let said = clinic.audited(&id.to_string()).await;
        let roles = said.iter().find(|(_, d)| d.get("roles").is_some_and(|r| r.get("to").is_some())).unwrap();
        assert_eq!(roles.1["roles"], json!({"from": ["nurse"], "to": ["doctor"]}));
        shen.patch("/api/v1/staff/members/stf_00000000000070008000000000000009", json!({"state": "locked"}))
            .await
            .problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn somebody_who_is_half_way_in_when_locked_stays_out() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        let id = clinic.has_staff("lin", &[Role::Nurse]).await;
        t.pass(STEP);
        let mut lin = clinic.browser();
        let step = lin.password("lin", PASSWORD).await.is(200);
        shen.patch(&format!("/api/v1/staff/members/{id}"), json!({"state": "locked"})).await.is(200);
        let code = super::shown(&t, &super::secret());
        lin.second_factor(&step["ticket"], &code).await.problem(410, "sign_in_expired");
    })
    .await;
}

#[tokio::test]
async fn nobody_changes_themselves_and_the_last_administrator_stays() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let me = clinic.has_staff("shen", &[Role::SecurityAdmin]).await;
        let admin = clinic.has_staff("admin", &[Role::SystemAdmin]).await;
        let other = clinic.has_staff("other", &[Role::SecurityAdmin]).await;
        let mut shen = clinic.browser();
        shen.works(&t, "shen").await;
        let path = |id: edge::StaffId| format!("/api/v1/staff/members/{id}");
        for change in [json!({"roles": ["director"]}), json!({"state": "locked"})] {
            shen.patch(&path(me), change.clone()).await.problem(409, "not_oneself");
            shen.patch(&path(admin), change).await.problem(409, "last_administrator");
        }
        shen.post(&format!("{}/code", path(me)), json!({})).await.problem(409, "not_oneself");
        shen.patch(&path(other), json!({"roles": ["nurse"]})).await.is(200);
        // A second one makes the first dispensable, once they can sign in.
        let new = json!({"login": "admin2", "name": "王强", "roles": ["system_admin"]});
        let made = shen.post("/api/v1/staff/members", new).await.is(201);
        shen.patch(&path(admin), json!({"state": "disabled"})).await.problem(409, "last_administrator");
        clinic.browser().sets_up(&t, "admin2", made["code"].as_str().unwrap(), "Another-Day-2026").await;
        shen.patch(&path(admin), json!({"state": "disabled"})).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn the_schema_keeps_the_three_administrators_apart() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let id = clinic.has_staff("shen", &[Role::SecurityAdmin]).await;
        for role in ["system_admin", "audit_admin"] {
            let mut tx = t.db.begin().await.unwrap();
            assert!(tx.exec(GIVE, store::args![H, id, role]).await.is_err(), "{role}");
        }
        let mut tx = t.db.begin().await.unwrap();
        assert_eq!(tx.exec(GIVE, store::args![H, id, "director"]).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_code_takes_the_place_of_a_password_and_ends_sessions() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        let id = clinic.has_staff("lin", &[Role::Nurse]).await;
        let mut lin = clinic.browser();
        lin.works(&t, "lin").await;
        let path = format!("/api/v1/staff/members/{id}/code");
        let code = shen.post(&path, json!({})).await.is(200)["code"].as_str().unwrap().to_owned();
        assert_eq!(lin.staff_session().await["signed_in"], false);
        lin.csrf.clear();
        lin.password("lin", PASSWORD).await.problem(422, "sign_in_wrong");
        // The phone is still there: the known second factor is asked for after the new password.
        t.pass(STEP);
        let step = lin.password("lin", &code).await.is(200);
        let step = lin.new_password(&step["ticket"], "Another-Day-2026").await.is(200);
        assert_eq!((&step["step"], step.get("secret")), (&json!("second_factor"), None));
        let answer = lin.second_factor(&step["ticket"], &super::shown(&t, &super::secret())).await.is(200);
        assert!(answer.get("recovery_codes").is_none());
        // With the phone lost, both are new.
        let code = shen.post(&path, json!({"second_factor": true})).await.is(200)["code"]
            .as_str()
            .unwrap()
            .to_owned();
        lin.csrf.clear();
        lin.sets_up(&t, "lin", &code, "A-third-Day-2026").await;
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages_and_by_what_is_looked_for() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        for n in 0..5 {
            clinic.has_staff(&format!("nurse{n}"), &[Role::Nurse]).await;
        }
        let logins = |page: &Value| -> Vec<String> {
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| i["login"].as_str().unwrap().to_owned())
                .collect()
        };
        let first = shen.get("/api/v1/staff/members?limit=4").await.is(200);
        assert_eq!(logins(&first), ["nurse0", "nurse1", "nurse2", "nurse3"]);
        let rest = shen
            .get(&format!("/api/v1/staff/members?limit=4&after={}", first["next"].as_str().unwrap()))
            .await
            .is(200);
        assert_eq!(
            (logins(&rest), &rest["next"]),
            (vec!["nurse4".to_owned(), "shen".to_owned()], &Value::Null)
        );
        for (query, count) in [
            ("q=NURSE", 5),
            ("q=nurse3", 1),
            ("q=%E6%9D%8E%E5%A8%9C", 6),
            ("role=security_admin", 1),
            ("state=locked", 0),
            ("q=x", 0),
        ] {
            let page = shen.get(&format!("/api/v1/staff/members?{query}")).await.is(200);
            assert_eq!(logins(&page).len(), count, "{query}");
        }
        shen.get("/api/v1/staff/members?role=king").await.problem(422, "query_invalid");
        let roles = shen.get("/api/v1/staff/roles").await.is(200);
        let audit = roles["items"].as_array().unwrap().iter().find(|r| r["role"] == "audit_admin").unwrap();
        assert_eq!(
            (&audit["administrator"], &audit["permissions"]),
            (&json!(true), &json!(["audit.see", "staff.see"]))
        );
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_is_read_by_who_is_there_for_it() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        shen.get("/api/v1/audit").await.problem(403, "forbidden");
        let mut yan = clinic.at_work(&t, "yan", &[Role::AuditAdmin]).await;
        shen.post("/api/v1/staff/members", nurse()).await.is(201);
        let page = yan.get("/api/v1/audit?actor=shen&action=staff.").await.is(200);
        let actions: Vec<_> =
            page["items"].as_array().unwrap().iter().map(|i| i["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["staff.add", "staff.sign_in"]);
        assert_eq!(
            (&page["items"][0]["login"], &page["items"][0]["detail"]["login"]),
            (&json!("shen"), &json!("lin"))
        );
        // In pages, and whoever looks is in it.
        let first = yan.get("/api/v1/audit?limit=2").await.is(200);
        assert_eq!(
            (first["items"].as_array().unwrap().len(), &first["items"][0]["action"]),
            (2, &json!("audit.search"))
        );
        let next = first["next"].as_str().unwrap();
        let second = yan.get(&format!("/api/v1/audit?limit=500&after={next}")).await.is(200);
        let seqs: Vec<i64> = [&first, &second]
            .iter()
            .flat_map(|p| p["items"].as_array().unwrap().iter().map(|i| i["seq"].as_i64().unwrap()))
            .collect();
        assert!(seqs.is_sorted_by(|a, b| a > b), "{seqs:?}");
        // Days of the hospital, both ends in it.
        let today = yan.get("/api/v1/audit?from=2026-11-23&to=2026-11-23").await.is(200);
        assert!(!today["items"].as_array().unwrap().is_empty());
        let before = yan.get("/api/v1/audit?from=2026-11-01&to=2026-11-22").await.is(200);
        assert_eq!(before["items"], json!([]));
        yan.get("/api/v1/audit?from=yesterday").await.problem(422, "query_invalid");
    })
    .await;
}
