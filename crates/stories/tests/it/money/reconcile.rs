//! The mornings: each contract's day against the other side's own bill, until nothing is unexplained.

use std::sync::Mutex;
use std::time::Duration;

use edge::{Actor, Role, StaffId};
use serde_json::{Value, json};
use testkit::paying::number;
use testkit::setup::FIRST;
use testkit::{Answer, Browser, Hospital, Setup};

use super::{each_paying, has_paid, refunds_are, stands, until};

const MINUTE: Duration = Duration::from_secs(61);
const HOUR: Duration = Duration::from_secs(3_601);

/// Somebody of the finance office, who signs in anew whenever they want something: these stories last for days.
struct Office<'a> {
    hospital: &'a Hospital,
    id: StaffId,
}

impl<'a> Office<'a> {
    fn of(hospital: &'a Hospital) -> Self {
        Self { hospital, id: StaffId::new() }
    }

    async fn browser(&self) -> Browser {
        let browser = self.hospital.browser().await;
        let actor = Actor::Staff(self.id, vec![Role::Finance]);
        browser.has_session(&self.hospital.session(FIRST, actor).await).await;
        browser
    }

    async fn get(&self, path: &str) -> Answer {
        self.browser().await.get(path).await
    }

    async fn post_once(&self, path: &str, body: Value) -> Answer {
        self.browser().await.post_once(path, body).await
    }
}

/// A contract's day, as the finance office sees it.
async fn day(office: &Office<'_>, account: &str, date: base::Date) -> Value {
    let path = format!("/api/v1/staff/billing/days?from={date}&to={date}");
    let days = office.get(&path).await.expect(200);
    days.items().iter().find(|day| day["account"] == account).cloned().unwrap_or_default()
}

/// Waits until a contract's day stands so.
async fn day_is(office: &Office<'_>, account: &str, date: base::Date, state: &str) -> Value {
    until(&format!("{account} {date} is {state}"), async || {
        day(office, account, date).await["state"] == state
    })
    .await;
    day(office, account, date).await
}

/// What is not equal: kind and number of each, with all the rest.
async fn differences(office: &Office<'_>) -> Vec<Value> {
    office.get("/api/v1/staff/billing/differences").await.expect(200).items().to_vec()
}

/// Has a day looked at again, and waits until it was.
async fn looks_again(hospital: &Hospital, office: &Office<'_>, account: &str, date: base::Date) -> Value {
    let before = day(office, account, date).await;
    let again = json!({"account_id": before["account_id"], "date": date.to_string()});
    hospital.passes(MINUTE).await;
    let _ = office.post_once("/api/v1/staff/billing/days/again", again).await.expect(204);
    hospital.passes(MINUTE).await;
    until(&format!("{account} {date} was looked at again"), async || {
        let now = day(office, account, date).await;
        now["read_at"] != before["read_at"] || now["error"] != before["error"]
    })
    .await;
    day(office, account, date).await
}

/// What a report says, without what differs between two runs.
fn figures(day: &Value) -> Value {
    let mut day = day.clone();
    for field in ["account_id", "read_at", "closed_at"] {
        day.as_object_mut().unwrap().remove(field);
    }
    day
}

/// T25: a missed notice, a payment by two ways, a coupon, a refund that takes days, and payments on both sides of midnight with a platform
/// whose clock is a second ahead: each day ends at zero unexplained by itself, and the report is the same on both databases.
#[tokio::test(flavor = "multi_thread")]
async fn t25_a_day_with_everything_in_it_closes_by_itself() {
    let reports: Mutex<Vec<Value>> = Mutex::default();
    let story = async |hospital: &Hospital| {
        let office = Office::of(hospital);
        let slot = hospital.opens_evening(&hospital.site.dr_li, 3, 20).await;
        let phones = hospital.patients(6).await;
        let [coupon, twice, gives_up, missed, before, after] = &phones[..] else { panic!("six") };

        let held = coupon.holds(&slot).await;
        let fee = held.number_at("fee_fen");
        let begun = coupon.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        let path = format!("/sim/v1/wechatpay/orders/{}/pay", number(&begun));
        hospital.sim.post(&path, json!({"coupon": 100})).await;
        stands(coupon, &begun, "paid").await;

        let held = twice.holds(&slot).await;
        let by_wechat = twice.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        let by_alipay = twice.begins_to_pay(held.id(), "alipay_code").await.expect(201);
        hospital.pays_wechat(&number(&by_wechat)).await;
        stands(twice, &by_wechat, "paid").await;
        hospital
            .sim
            .post(&format!("/sim/v1/alipay/trades/{}/pay", number(&by_alipay)), json!({"late": true}))
            .await;
        stands(twice, &by_alipay, "paid").await;
        refunds_are(&office.browser().await, held.id(), &["done"]).await;

        hospital.sim.patch("/sim/v1/wechatpay", json!({"refund_takes_ms": 3 * 86_400_000_i64})).await;
        let (given_up, _) = has_paid(hospital, gives_up, &slot).await;
        let _ = gives_up.cancels(given_up.id()).await.expect(200);
        refunds_are(&office.browser().await, given_up.id(), &["sent"]).await;

        let lost = missed.holds(&slot).await;
        let begun_lost = missed.begins_to_pay(lost.id(), "wechat_jsapi").await.expect(201);
        let no = number(&begun_lost);
        let path = format!("/v3/pay/transactions/out-trade-no/{no}");
        let faults =
            json!({"path": path, "error_before": 1_000_000, "notice_lost_of": no, "bill_late_ms": 1_000});
        hospital.pay_faults(faults).await;
        hospital.pays_wechat(&no).await;

        hospital.becomes(0, "23:50").await;
        for phone in [before, after, missed] {
            let _ready = phone.signs_in().await;
        }
        let held = before.holds(&slot).await;
        let last = before.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        let held = after.holds(&slot).await;
        let first = after.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        let midnight = hospital.instant(1, "00:00");
        hospital.becomes_exactly(midnight.minus(Duration::from_secs(1))).await;
        hospital.pays_wechat(&number(&last)).await;
        stands(before, &last, "paid").await;
        hospital.becomes_exactly(midnight).await;
        hospital.pays_wechat(&number(&first)).await;
        stands(after, &first, "paid").await;
        let unknown = missed.get(&format!("/api/v1/payments/{}", begun_lost.id())).await;
        assert_ne!(unknown.text_at("state"), "paid", "nobody has told us");

        // Not before the bill is safe.
        hospital.becomes(1, "10:25").await;
        assert_eq!(day(&office, "wechat", hospital.day(0)).await, Value::Null);
        hospital.becomes(1, "10:31").await;
        let counted = day_is(&office, "wechat", hospital.day(0), "counted").await;
        assert_eq!((&counted["carried"], &counted["unexplained_fen"]), (&json!(1), &json!(0)), "{counted}");
        let _ready = missed.signs_in().await;
        let found = stands(missed, &begun_lost, "paid").await;
        assert_eq!(found.text_at("effect"), "served", "the place was free still");
        let closed = day_is(&office, "alipay", hospital.day(0), "closed").await;
        assert_eq!((&closed["payments"], &closed["refunds"]), (&json!(1), &json!(1)));
        day_is(&office, "bureau", hospital.day(0), "closed").await;
        let days = format!("/api/v1/staff/billing/days?from={}&to={}", hospital.day(-20), hospital.day(-1));
        assert!(office.get(&days).await.expect(200).items().is_empty(), "there was no contract then");

        hospital.becomes(2, "10:31").await;
        let second = day_is(&office, "wechat", hospital.day(1), "closed").await;
        let first = day_is(&office, "wechat", hospital.day(0), "closed").await;
        assert_eq!(
            (&first["payments"], &first["refunds"], &first["equal"]),
            (&json!(4), &json!(1), &json!(5))
        );
        assert_eq!((&second["payments"], &second["equal"]), (&json!(2), &json!(2)));
        assert!(differences(&office).await.is_empty());
        // What the bills say is what the books say, less the refund that is still on its way.
        let net = |day: &Value| day["paid_fen"].as_i64().unwrap() - day["refunded_fen"].as_i64().unwrap();
        let under_way = -hospital.books("refunds-in-flight").await;
        assert_eq!(under_way, fee);
        assert_eq!(net(&first) + net(&second) + under_way, hospital.books("clearing:wechatpay:%").await);
        hospital.pay_faults(json!({})).await;
        hospital.sim.patch("/sim/v1/wechatpay", json!({"refund_takes_ms": 0})).await;
        refunds_are(&office.browser().await, given_up.id(), &["done"]).await;
        assert_eq!(net(&first) + net(&second), hospital.books("clearing:wechatpay:%").await);
        reports.lock().unwrap().push(json!([figures(&first), figures(&second), figures(&closed)]));
    };
    Setup::default().paying().days(4).play(story).await;
    let reports = reports.into_inner().unwrap();
    assert_eq!(reports[0], reports[1], "the same day gives the same report");
}

/// T25: a line is missing, one is another's, one was changed. A person explains each, from the limit on with a second person's yes;
/// then the day closes.
#[tokio::test(flavor = "multi_thread")]
async fn t25_what_is_not_equal_is_explained_by_people() {
    let limit = json!({"approve_from_fen": 500});
    let story = async |hospital: &Hospital| {
        let (first, second) = (Office::of(hospital), Office::of(hospital));
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 5).await;
        let mut numbers = Vec::new();
        for phone in hospital.patients(3).await {
            numbers.push(number(&has_paid(hospital, &phone, &slot).await.1));
            hospital.passes(Duration::from_secs(60)).await;
        }
        hospital.expects_error("money was observed that a person must look at");
        hospital.pay_faults(json!({"bill_lose": 1, "bill_change": true, "bill_add": 1})).await;
        let rows = hospital.ledger_rows().await;
        hospital.becomes(1, "10:31").await;
        let day = day_is(&first, "wechat", hospital.day(0), "counted").await;
        let all = differences(&first).await;
        let mut kinds: Vec<(&str, &str)> =
            all.iter().map(|one| (one["kind"].as_str().unwrap(), one["number"].as_str().unwrap())).collect();
        kinds.sort_unstable();
        let shop = format!("SHOP{}0000", hospital.day(0).to_string().replace('-', ""));
        let wanted = [("differs", &*numbers[1]), ("ours_only", &*numbers[0]), ("theirs_only", &*shop)];
        assert_eq!(kinds, wanted);
        let one = |kind: &str| all.iter().find(|one| one["kind"] == kind).unwrap();
        let fee = one("ours_only")["ours_fen"].as_i64().unwrap();
        assert_eq!(day["unexplained_fen"], json!(1 + fee + 100));
        assert_eq!(hospital.ledger_rows().await, rows + 1, "the stranger's money is held, and not ours");
        assert_eq!(hospital.books("suspense").await, -100);

        let explanation = |kind: &str| {
            format!("/api/v1/staff/billing/differences/{}/explanation", one(kind)["id"].as_str().unwrap())
        };
        let decision = format!(
            "/api/v1/staff/billing/differences/{}/decision",
            one("ours_only")["id"].as_str().unwrap()
        );
        let said = |note: &str| json!({"note": note});
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let _ = nurse.post_once(&explanation("differs"), said("不归我管")).await.expect(403);
        let _ = first.post_once(&explanation("differs"), said(" ")).await.refused(422, "text_length");
        let _ = first.post_once(&decision, json!({"approve": true})).await.refused(409, "already_decided");
        let small = first.post_once(&explanation("differs"), said("平台四舍五入")).await.expect(200);
        assert_eq!(small.text_at("state"), "explained");
        let _ =
            first.post_once(&explanation("differs"), said("再说一次")).await.refused(409, "already_decided");
        let _ = first.post_once(&explanation("theirs_only"), said("小卖部的收款码")).await.expect(200);
        let large = first.post_once(&explanation("ours_only"), said("平台漏了一行")).await.expect(200);
        assert_eq!(large.text_at("state"), "asked");
        let _ =
            first.post_once(&decision, json!({"approve": true})).await.refused(403, "second_person_needed");
        let _ = second.post_once(&decision, json!({"approve": false})).await.refused(422, "text_length");
        let no =
            second.post_once(&decision, json!({"approve": false, "note": "请附平台回函"})).await.expect(200);
        assert_eq!(no.text_at("state"), "open");
        let counted = looks_again(hospital, &first, "wechat", hospital.day(0)).await;
        assert_eq!((&counted["state"], &counted["unexplained_fen"]), (&json!("counted"), &json!(fee)));
        let _ = first.post_once(&explanation("ours_only"), said("平台回函已附")).await.expect(200);
        let yes = second.post_once(&decision, json!({"approve": true})).await.expect(200);
        assert_eq!(yes.text_at("state"), "explained");
        let _ = second.post_once(&decision, json!({"approve": true})).await.refused(409, "already_decided");
        hospital.passes(MINUTE).await;
        let closed = day_is(&first, "wechat", hospital.day(0), "closed").await;
        assert_eq!(closed["unexplained_fen"], 0);
        assert!(differences(&first).await.is_empty());
        let trail = hospital.audit_of(one("ours_only")["id"].as_str().unwrap()).await;
        assert_eq!(trail.len(), 4, "explained, refused, explained, approved: {trail:?}");
        // An explanation is of what was seen: another difference under the same number is open anew.
        hospital.pay_faults(json!({"bill_change": true, "bill_add": 1})).await;
        let again = looks_again(hospital, &first, "wechat", hospital.day(0)).await;
        assert_eq!((&again["state"], &again["unexplained_fen"]), (&json!("counted"), &json!(1)), "{again}");
        hospital.pay_faults(json!({"bill_add": 1})).await;
        let again = looks_again(hospital, &first, "wechat", hospital.day(0)).await;
        assert_eq!(again["state"], "closed");
    };
    Setup::default().paying().days(3).with("billing", limit).play(story).await;
}

/// T26: a file that does not prove itself counts for nothing; the day is read when it does.
#[tokio::test(flavor = "multi_thread")]
async fn t26_a_spoilt_bill_is_not_believed() {
    each_paying(async |hospital| {
        let office = Office::of(hospital);
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 5).await;
        let phones = hospital.patients(2).await;
        has_paid(hospital, &phones[0], &slot).await;
        let held = phones[1].holds(&slot).await;
        let begun = phones[1].begins_to_pay(held.id(), "alipay_code").await.expect(201);
        hospital.pays_alipay(&number(&begun)).await;
        stands(&phones[1], &begun, "paid").await;
        hospital.pay_faults(json!({"bill_spoil": "hash"})).await;
        hospital.becomes(1, "10:31").await;
        let today = hospital.day(0);
        day_is(&office, "alipay", today, "closed").await;
        for (spoil, words) in [("hash", "the hash differs"), ("cut", "can't be read"), ("summary", "agree")] {
            hospital.pay_faults(json!({"bill_spoil": spoil})).await;
            hospital.passes(HOUR).await;
            until(&format!("{spoil} is found"), async || {
                let error = day(&office, "wechat", today).await["error"].as_str().unwrap_or("").to_owned();
                error.contains(words)
            })
            .await;
            let day = day(&office, "wechat", today).await;
            assert_eq!((&day["state"], &day["payments"]), (&json!("open"), &json!(0)), "{spoil}");
            assert!(differences(&office).await.is_empty(), "{spoil}");
        }
        // A closed day that can't be read again stays closed, and says why.
        for spoil in ["cut", "summary"] {
            hospital.pay_faults(json!({"bill_spoil": spoil})).await;
            let day = looks_again(hospital, &office, "alipay", today).await;
            assert_eq!((&day["state"], &day["equal"]), (&json!("closed"), &json!(1)), "{spoil}");
            assert!(day["error"].is_string());
        }
        hospital.pay_faults(json!({})).await;
        hospital.passes(HOUR).await;
        let read = day_is(&office, "wechat", today, "closed").await;
        assert_eq!((&read["payments"], &read["error"]), (&json!(1), &Value::Null));
        until("Alipay's is read again", async || day(&office, "alipay", today).await["error"].is_null())
            .await;
    })
    .await;
}

/// T27, I23: looking again changes nothing; a corrected bill makes new entries only; what comes to light late wakes its day.
#[tokio::test(flavor = "multi_thread")]
async fn t27_looking_again_changes_nothing() {
    each_paying(async |hospital| {
        let office = Office::of(hospital);
        let slot = hospital.opens_evening(&hospital.site.dr_li, 3, 5).await;
        let phones = hospital.patients(3).await;
        // The first payment of the day: nobody tells us of it, nor does the bill.
        let lost = phones[2].holds(&slot).await;
        let begun = phones[2].begins_to_pay(lost.id(), "wechat_jsapi").await.expect(201);
        let no = number(&begun);
        let path = format!("/v3/pay/transactions/out-trade-no/{no}");
        let faults = json!({"path": path, "error_before": 1_000_000, "notice_lost_of": no, "bill_lose": 1});
        hospital.pay_faults(faults).await;
        hospital.pays_wechat(&no).await;
        hospital.passes(MINUTE).await;
        let (given_up, _) = has_paid(hospital, &phones[0], &slot).await;
        has_paid(hospital, &phones[1], &slot).await;
        let _ = phones[0].cancels(given_up.id()).await.expect(200);
        refunds_are(&office.browser().await, given_up.id(), &["done"]).await;
        hospital.becomes(1, "10:31").await;
        let closed = day_is(&office, "wechat", hospital.day(0), "closed").await;
        assert_eq!(
            (&closed["payments"], &closed["refunds"], &closed["equal"]),
            (&json!(2), &json!(1), &json!(3))
        );
        // Nobody paid by Alipay that day: there is no bill, and nothing to explain.
        let empty = day_is(&office, "alipay", hospital.day(0), "closed").await;
        assert_eq!((&empty["payments"], &empty["refunds"]), (&json!(0), &json!(0)));
        let rows = hospital.ledger_rows().await;
        for _ in 0..2 {
            let again = looks_again(hospital, &office, "wechat", hospital.day(0)).await;
            assert_eq!(figures(&again), figures(&closed));
            assert_eq!(
                (again["closed_at"].clone(), hospital.ledger_rows().await),
                (closed["closed_at"].clone(), rows)
            );
            assert!(differences(&office).await.is_empty());
        }
        // Now the platform says what it had kept from us: the day is looked at by itself, and its bill has the line.
        hospital.pay_faults(json!({})).await;
        hospital.passes(HOUR).await;
        let _ready = phones[2].signs_in().await;
        stands(&phones[2], &begun, "paid").await;
        hospital.passes(MINUTE).await;
        until("the day knows of it", async || day(&office, "wechat", hospital.day(0)).await["payments"] == 3)
            .await;
        let closed = day_is(&office, "wechat", hospital.day(0), "closed").await;
        let rows = hospital.ledger_rows().await;
        hospital.pay_faults(json!({"bill_change": true})).await;
        let changed = looks_again(hospital, &office, "wechat", hospital.day(0)).await;
        assert_eq!((&changed["state"], &changed["unexplained_fen"]), (&json!("counted"), &json!(1)));
        assert!(changed["closed_at"].is_null());
        assert_eq!(differences(&office).await.len(), 1);
        assert_eq!(hospital.ledger_rows().await, rows, "a bill moves no money that is booked");
        hospital.pay_faults(json!({})).await;
        let settled = looks_again(hospital, &office, "wechat", hospital.day(0)).await;
        assert_eq!(figures(&settled), figures(&closed));
        assert!(differences(&office).await.is_empty(), "it has settled by itself");
    })
    .await;
}

/// The bureau gives no lines but says whether the sums agree (3201); what has gone back is not counted by either side.
#[tokio::test(flavor = "multi_thread")]
async fn the_bureau_agrees_with_the_sums() {
    each_paying(async |hospital| {
        let office = Office::of(hospital);
        let phones = hospital.patients(2).await;
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 5).await;
        let mut visits = Vec::new();
        for phone in &phones {
            let (held, begun) = super::insurance::begins(hospital, phone, &slot).await;
            super::insurance::cashier(hospital, &begun, json!({})).await;
            let paid = stands(phone, &begun, "paid").await;
            visits.push((held, paid));
        }
        let _ = phones[1].cancels(visits[1].0.id()).await.expect(200);
        refunds_are(&office.browser().await, visits[1].0.id(), &["done"]).await;
        hospital.passes(MINUTE).await;
        hospital.becomes(1, "10:31").await;
        let agreed = day_is(&office, "bureau", hospital.day(0), "closed").await;
        let shares = &visits[0].1.json["shares"];
        let insured = shares["gov_fen"].as_i64().unwrap() + shares["own_fen"].as_i64().unwrap();
        assert_eq!((&agreed["payments"], &agreed["paid_fen"]), (&json!(1), &json!(insured)));
        let cash = day_is(&office, "wechat", hospital.day(0), "closed").await;
        assert_eq!((&cash["payments"], &cash["refunds"], &cash["equal"]), (&json!(2), &json!(1), &json!(3)));
        assert_eq!(hospital.books("clearing:insurance:%").await, insured);
    })
    .await;
}
