//! The API description: every route with its permission, and nothing that the answers do not keep.

use std::collections::BTreeMap;

use edge::Who;
use serde_json::Value;
use store::testing::{TestDb, each_db};

use crate::clinic::{self, Clinic};

#[tokio::test]
async fn every_route_has_its_permission() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let capability = people::capability(clinic.deps());
        let found: BTreeMap<_, _> = capability
            .rules
            .iter()
            .map(|r| {
                (
                    format!("{} {}", r.method, r.path),
                    if r.who == Who::Anyone { "anyone" } else { r.permission },
                )
            })
            .collect();
        let want = [
            ("DELETE /api/v1/persons/{id}", "people.persons.change"),
            ("DELETE /api/v1/session", "anyone"),
            ("DELETE /api/v1/staff/me/sessions", "staff.own"),
            ("DELETE /api/v1/staff/me/sessions/{name}", "staff.own"),
            ("DELETE /api/v1/staff/me/wecom", "staff.own"),
            ("DELETE /api/v1/staff/members/{id}/sessions", "staff.manage"),
            ("DELETE /api/v1/staff/members/{id}/sessions/{name}", "staff.manage"),
            ("DELETE /api/v1/staff/session", "anyone"),
            ("GET /api/v1/audit", "audit.see"),
            ("GET /api/v1/staff/me/sessions", "staff.own"),
            ("GET /api/v1/staff/members", "staff.see"),
            ("GET /api/v1/staff/members/{id}", "staff.see"),
            ("GET /api/v1/staff/members/{id}/sessions", "staff.see"),
            ("GET /api/v1/staff/roles", "staff.see"),
            ("GET /api/v1/staff/session", "anyone"),
            ("GET /auth/wecom", "anyone"),
            ("GET /auth/wecom/callback", "anyone"),
            ("PATCH /api/v1/staff/members/{id}", "staff.manage"),
            ("POST /api/v1/staff/me/recovery-codes", "staff.own"),
            ("POST /api/v1/staff/me/second-factor", "staff.own"),
            ("POST /api/v1/staff/members", "staff.manage"),
            ("POST /api/v1/staff/members/{id}/code", "staff.manage"),
            ("POST /api/v1/staff/session/new-password", "anyone"),
            ("POST /api/v1/staff/session/password", "anyone"),
            ("POST /api/v1/staff/session/second-factor", "anyone"),
            ("PUT /api/v1/staff/me/password", "staff.own"),
            ("PUT /api/v1/staff/me/second-factor", "staff.own"),
            ("DELETE /api/v1/patients/merges/{id}", "patients.merge"),
            ("DELETE /api/v1/persons/{id}/cards/{kind}", "people.persons.change"),
            ("GET /api/v1/consent-texts", "consent_texts.edit"),
            ("GET /api/v1/consent-texts/{kind}", "anyone"),
            ("GET /api/v1/patients", "patients.see"),
            ("GET /api/v1/patients/imports", "patients.import"),
            ("GET /api/v1/patients/imports/{id}", "patients.import"),
            ("GET /api/v1/patients/imports/{id}/wrong", "patients.import"),
            ("GET /api/v1/patients/merges", "patients.merge"),
            ("GET /api/v1/patients/{id}", "patients.see"),
            ("GET /api/v1/patients/{id}/reach", "patients.see"),
            ("GET /api/v1/persons/{id}/cards", "people.persons.see"),
            ("GET /api/v1/persons/{id}/data", "people.persons.see"),
            ("GET /api/v1/persons/{id}/data/export", "people.persons.see"),
            ("PATCH /api/v1/persons/{id}/data", "people.persons.change"),
            ("POST /api/v1/consent-texts", "consent_texts.edit"),
            ("POST /api/v1/consent-texts/{kind}/{version}/publish", "consent_texts.edit"),
            ("POST /api/v1/patients", "patients.register"),
            ("POST /api/v1/patients/imports", "patients.import"),
            ("POST /api/v1/patients/merges", "patients.merge"),
            ("POST /api/v1/persons/{id}/cards", "people.persons.change"),
            ("POST /api/v1/persons/{id}/close", "people.persons.change"),
            ("POST /api/v1/persons/{id}/withdraw", "people.persons.change"),
            ("GET /api/v1/persons", "people.persons.see"),
            ("GET /api/v1/session", "anyone"),
            ("GET /auth/wechat", "anyone"),
            ("GET /auth/wechat/callback", "anyone"),
            ("PATCH /api/v1/account", "people.account"),
            ("PATCH /api/v1/persons/{id}", "people.persons.change"),
            ("POST /api/v1/persons", "people.persons.change"),
            ("POST /api/v1/persons/bind", "people.persons.change"),
            ("POST /api/v1/persons/code", "people.persons.change"),
            ("POST /api/v1/session/phone", "anyone"),
            ("POST /api/v1/session/sms", "anyone"),
            ("POST /api/v1/wechat/js-sdk", "anyone"),
        ];
        let want: BTreeMap<_, _> = want.into_iter().map(|(route, who)| (route.to_owned(), who)).collect();
        assert_eq!(found, want);
        let description = serde_json::to_value(capability.router.split_for_parts().1).unwrap();
        let schemas = &description["components"]["schemas"];
        assert_eq!(schemas["Lang"]["enum"], serde_json::json!(["zh", "en"]));
        assert_eq!(schemas["SignInWay"]["enum"], serde_json::json!(["wechat", "sms"]));
        for (name, codes) in [
            ("Relation", people::Relation::ALL.iter().map(|v| v.code()).collect::<Vec<_>>()),
            ("Sex", people::Sex::ALL.iter().map(|v| v.code()).collect()),
            ("DocumentKind", people::DocumentKind::ALL.iter().map(|v| v.code()).collect()),
        ] {
            assert_eq!(schemas[name]["enum"], serde_json::json!(codes));
        }
        let id = &schemas["Person"]["properties"]["id"];
        assert_eq!(id["type"], "string", "{id}");
        let described: usize = description["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|p| p.as_object().map_or(0, |p| p.len()))
            .sum();
        assert_eq!(described, capability.rules.len(), "each route is described");
        let bare: Vec<_> =
            schemas.as_object().unwrap().iter().filter(|(_, s)| s["description"] == Value::Null).collect();
        assert!(bare.is_empty(), "without a description: {bare:?}");
    })
    .await;
}
