//! What is personal stands nowhere in the clear: not in the database, not in the log.

use store::value::{One, Row};
use store::{Backend, Db, Sql, args};
use testkit::{Hospital, Someone, each_hospital, logs};

store::statements! {
    TABLES = sqlite "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
        postgres "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1";
}

/// Everything that stands in a table, as text.
async fn everything(db: &Db, table: &str) -> String {
    let columns = match db.backend() {
        Backend::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
        Backend::Postgres => {
            format!(
                "SELECT CAST(column_name AS TEXT) AS name FROM information_schema.columns WHERE table_name = '{table}'"
            )
        }
    };
    let columns: Vec<String> =
        db.all::<One<String>>(words(columns), args![]).await.unwrap().into_iter().map(|one| one.0).collect();
    let all: Vec<String> = columns.iter().map(|c| format!("COALESCE(CAST({c} AS TEXT), '')")).collect();
    let rows = db
        .all::<Row>(words(format!("SELECT {} AS said FROM {table}", all.join(" || '|' || "))), args![])
        .await
        .unwrap();
    rows.iter().map(|row| row.get::<String>("said").unwrap()).collect::<Vec<_>>().join("\n")
}

/// A statement that is made here. There are few, and the test ends soon.
fn words(text: String) -> Sql {
    let text: &'static str = Box::leak(text.into_boxed_str());
    Sql { name: "HERE", sqlite: text, postgres: text }
}

/// After a whole journey with all that can be typed: names, numbers, phones, codes, words in the chat.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_stands_in_the_clear() {
    each_hospital(async |hospital: &Hospital| {
        let _before = logs::take_lines();
        let mut phone = hospital.phone("欧阳若兰").await;
        phone.follows().await;
        phone.says("我是欧阳若兰，手机坏了").await;
        let _session = phone.signs_in().await;
        let who = Someone::adult("欧阳若兰");
        let _sent = phone.asks_person_code(&phone.number).await.expect(202);
        let code = phone.receives_code().await;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        let _wrong =
            phone.post("/api/v1/persons", who.form(&phone.number, wrong)).await.refused(422, "code_wrong");
        let person = phone.post("/api/v1/persons", who.form(&phone.number, &code)).await.expect(201);
        phone.person = Some(person.id().to_owned());
        let visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        phone.receives_card("预约挂号成功通知").await;
        phone.unfollows().await;
        let _gone = phone.cancels(visit.id()).await.good();
        phone.receives_sms().await;
        let token = phone.cookie("__Host-xl");
        hospital.settle().await;
        let db = hospital.node().db();
        let tables: Vec<String> =
            db.all::<One<String>>(TABLES, args![]).await.unwrap().into_iter().map(|one| one.0).collect();
        assert!(tables.len() > 25, "{tables:?}");
        let secrets = [who.name.as_str(), "若兰", &who.number, &phone.number, &token];
        for table in &tables {
            let said = everything(&db, table).await;
            for secret in secrets {
                assert!(!said.contains(secret), "{secret} stands in {table}");
            }
            let coded = said.split(|c: char| !c.is_ascii_digit()).any(|number| number == code);
            assert!(!coded, "the code {code} stands in {table}");
        }
        assert!(everything(&db, "person").await.contains("欧***"), "the looking finds what is there");
        let lines = logs::take_lines();
        for secret in secrets {
            assert!(!lines.iter().any(|line| line.contains(secret)), "{secret} stands in the log");
        }
        // The person's own page is the one place that shows the name, and it never shows the number.
        let own = phone.get("/api/v1/persons").await.good();
        assert!(
            own.text.contains(&who.name)
                && !own.text.contains(&who.number)
                && !own.text.contains(&phone.number)
        );
        assert_eq!(own.header("cache-control"), "no-store", "{:?}", own.headers);
    })
    .await;
}
