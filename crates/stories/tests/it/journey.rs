//! The whole way, once: from a follower who knows nothing of us to a confirmed visit, and back.

use base::Lang;
use serde_json::json;
use testkit::{Hospital, Someone, each_hospital};

/// A new follower is welcomed in both languages, follows the link, signs in without noticing, adds herself, books, is told,
/// is reminded, gives the place up, and the next person has it under a new number.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_follower_books_a_doctor_and_gives_the_place_up_again() {
    each_hospital(async |hospital: &Hospital| {
        let mut li_na = hospital.phone("李娜").await;

        // She follows, and the welcome tells the way in both languages.
        let welcome = li_na.follows().await;
        assert!(welcome.contains("欢迎关注杏林医院") && welcome.contains("Welcome to Xinglin"), "{welcome}");
        let link = link_in(&welcome, "预约挂号");
        assert!(link.ends_with("/auth/wechat?to=/departments"), "{link}");

        // The page opens without a sign-in; what there is to be had is for everybody to see.
        let departments = li_na.get("/api/v1/departments").await.good();
        assert_eq!(departments.items().len(), 2);
        let cardiology = departments.items().iter().find(|d| d["name"]["zh"] == "心血管内科").unwrap();
        assert_eq!(cardiology["name"]["en"], "Cardiology");
        let path = format!("/api/v1/doctors?department_id={}", cardiology["id"].as_str().unwrap());
        let doctors = li_na.get(&path).await.good();
        let dr_li = doctors.items().iter().find(|d| d["name"]["zh"] == "李明").unwrap();
        assert_eq!(dr_li["next_free"]["date"], hospital.today().to_string());

        // To book she must be known: WeChat tells us who she is, by redirects that she does not see.
        let _nobody = li_na.get("/api/v1/appointments").await.refused(401, "sign_in_required");
        hospital.settle().await;
        let session = li_na.signs_in().await;
        assert_eq!(session["persons"], json!([]));
        assert_eq!(session["reachable"], true, "a follower can be told things through WeChat");

        // She adds herself: real name, document, and a phone that is proven by a code.
        let me = Someone::adult("李娜");
        let answer = li_na.adds(&me).await.expect(201);
        assert_eq!(answer["name"], "李娜");
        assert_eq!(answer["name_masked"], "李*");
        assert_eq!(
            (&answer["age"], &answer["sex"], &answer["minor"]),
            (&json!(36), &json!("female"), &json!(false))
        );
        assert_eq!(answer["document"]["kind"], "resident_id");
        assert!(!answer.text.contains(&me.number), "the number is not shown: {}", answer.text);
        assert_eq!((&answer["bookable"], &answer["is_default"]), (&json!(true), &json!(true)));
        li_na.person = Some(answer.id().to_owned());

        // She books Dr Li for tomorrow at half past nine, and has number 1.
        let slot = hospital.slot(&hospital.site.dr_li, 1, "09:30").await;
        let visit = li_na.gets(&slot).await;
        assert_eq!((&visit["state"], &visit["number"]), (&json!("booked"), &json!(1)));
        assert_eq!(visit["date"], hospital.day(1).to_string());
        assert_eq!((&visit["start"], &visit["end"]), (&json!("09:30"), &json!("10:00")));
        assert_eq!((&visit["fee_fen"], &visit["pay"]), (&json!(3800), &json!("counter")));
        assert_eq!(visit["person_name_masked"], "李*");
        assert_eq!(visit["cancel_until"], "2026-11-23T17:00:00+08:00");

        // The phone shows it, with what she needs and nothing more.
        let card = li_na.receives_card("预约挂号成功通知").await;
        assert_eq!(card.line("就诊人"), "李*");
        assert_eq!(card.line("就诊科室"), "心血管内科");
        assert_eq!(card.line("就诊医生"), "李明");
        assert_eq!(card.line("就诊时间"), "2026年11月24日 09:30");
        assert!(card.line("就诊地点").contains("305 诊室"), "{card:?}");
        assert!(card.link().ends_with(&format!("/appointments/{}", visit.id())), "{card:?}");

        // A tap on it leads to the visit's page, with the code for the desk; that she was told is shown there.
        hospital.settle().await;
        let page = li_na.appointment(visit.id()).await.good();
        assert!(page.text_at("check_in_code").len() >= 8, "{}", page.text);
        assert_eq!(page["notices"][0]["kind"], "appointment_confirmed");
        assert_eq!(
            (&page["notices"][0]["channel"], &page["notices"][0]["state"]),
            (&json!("template"), &json!("delivered"))
        );
        let list = li_na.upcoming().await;
        assert_eq!(list.items().len(), 1);
        assert_eq!(list.items()[0]["check_in_code"], json!(null), "the code stands on its own page only");

        // At noon she can't come after all: until 17:00 the place can be given up.
        hospital.becomes(0, "12:00").await;
        let _signed_in_again = li_na.signs_in().await;
        let gone = li_na.cancels(visit.id()).await.good();
        assert_eq!((&gone["state"], &gone["cancelled_by"]), (&json!("cancelled"), &json!("patient")));
        let card = li_na.receives_card("预约取消通知").await;
        assert_eq!(card.line("就诊时间"), "2026年11月24日 09:30");

        // The next person has the place, under a number that nobody had.
        let wang = hospital.patient("王强").await;
        let next = wang.gets(&slot).await;
        assert_eq!(next["number"], 2, "a number is not used again");
        wang.receives_card("预约挂号成功通知").await;

        // On the evening before, he is reminded; she is not.
        hospital.becomes(0, "18:00").await;
        let reminder = wang.receives_card("就诊提醒").await;
        assert_eq!(reminder.line("就诊时间"), "2026年11月24日 09:30");
        hospital.settle().await;
        assert_eq!(li_na.cards().await, ["预约挂号成功通知", "预约取消通知"]);
        assert_eq!(wang.cards().await, ["预约挂号成功通知", "就诊提醒"]);
        assert!(li_na.sms().await.iter().all(|sms| sms["params"]["code"].is_string()), "no SMS but the code");
    })
    .await;
}

/// The same in English: the choice made in the chat holds for pages and messages.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_reads_english_is_told_everything_in_english() {
    each_hospital(async |hospital: &Hospital| {
        let mut anne = hospital.phone("Anne").await;
        anne.follows().await;
        let answer = anne.says("English").await;
        assert!(answer.starts_with("Done. We will write to you in English."), "{answer}");
        hospital.settle().await;
        anne.reads(Lang::En);
        let session = anne.signs_in().await;
        assert_eq!(session["lang"], "en");
        let me = Someone::born("Anne Martin", "1985-07-14").with_document("passport", "12AB34567");
        anne.adds_person(&me).await;
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let visit = anne.gets(&slot).await;
        let card = anne.receives_card("预约挂号成功通知").await;
        assert_eq!(card.line("就诊科室"), "Cardiology");
        assert_eq!(card.line("就诊医生"), "Li Ming");
        let problem = anne.takes(&slot).await.refused(409, "already_booked");
        assert_eq!(
            problem["detail"],
            "You already have an appointment with this doctor in the same half day."
        );
        assert_eq!(problem["appointment_id"], visit.id());
        assert!(anne.says("mine").await.starts_with("See, cancel or move your appointments here:"));
    })
    .await;
}

/// The address behind a link's text in a chat.
fn link_in(said: &str, text: &str) -> String {
    let end = said.find(&format!(">{text}</a>")).unwrap_or_else(|| panic!("no link {text} in {said}"));
    let start = said[..end].rfind("href=\"").unwrap() + 6;
    said[start..end].trim_end_matches('"').to_owned()
}
