//! T9: the program dies at every named point of money, as if the power went, and comes back.

use serde_json::json;
use store::Backend;
use store::fault::{self, Point};
use testkit::paying::number;
use testkit::program::{Process, Program};
use testkit::{Answer, Hospital, Phone, Setup};

use super::until;
use crate::long::{no_limits, or_long};

fn of_money(turn: usize) -> Vec<Point> {
    let all = fault::ALL.iter().copied().filter(|point| point.name().starts_with("pay."));
    // In the short form each point is passed on one of the two databases.
    all.enumerate().filter(|(nth, _)| nth % 2 == or_long(turn, nth % 2)).map(|(_, point)| point).collect()
}

/// Does what leads past the point; whatever is not answered is asked again later.
async fn pays(hospital: &Hospital, phone: &Phone, held: &str) -> Option<Answer> {
    let body = json!({"subject_id": held, "way": "wechat_jsapi"});
    let call =
        phone.call(reqwest::Method::POST, "/api/v1/payments").key(&testkit::browser::key()).json(&body);
    let begun = call.try_send().await.ok().filter(|answer| answer.status == 201)?;
    let path = format!("/sim/v1/wechatpay/orders/{}/pay", number(&begun));
    hospital.sim.post(&path, json!({})).await;
    Some(begun)
}

async fn dies_at(
    hospital: &Hospital,
    program: &Program,
    running: Process,
    phone: &Phone,
    slot: &str,
    point: Point,
) -> Process {
    let name = point.name();
    let held = phone.holds(slot).await;
    hospital.program_settles().await;
    let refunding = name.starts_with("pay.refund");
    let mut running = running;
    let mut begun = None;
    if refunding {
        begun = pays(hospital, phone, held.id()).await;
        is_booked(phone, held.id(), name).await;
        hospital.program_settles().await;
    }
    running.is_killed().await;
    hospital.leases_run_out().await;
    let doomed = program.starts_to_die(point, 1).await;
    if refunding {
        let _maybe = phone.cancelling(held.id(), &testkit::browser::key()).try_send().await;
    } else {
        begun = pays(hospital, phone, held.id()).await;
    }
    doomed.dies().await;
    let db = hospital.looks_in().await;
    assert_eq!(billing::check::ledger(&db).await.unwrap().faults, [""; 0], "dead at {name}");
    db.close().await;
    hospital.leases_run_out().await;
    running = program.starts().await;
    if !refunding {
        if begun.is_none() {
            let again = pays(hospital, phone, held.id()).await;
            assert!(again.is_some(), "after {name} one can go on paying");
        }
        is_booked(phone, held.id(), name).await;
    }
    let _ = phone.cancels(held.id()).await.good();
    let books = async || hospital.sim.get("/sim/v1/wechatpay").await;
    until(&format!("after {name} the money is back"), async || {
        let books = books().await;
        let all = books["refunds"].as_object().unwrap();
        all.values().filter(|one| one["status"] == "SUCCESS").count()
            == books["orders"].as_object().unwrap().values().filter(|one| one["paid_ms"].is_i64()).count()
    })
    .await;
    hospital.program_settles().await;
    let db = hospital.looks_in().await;
    assert_eq!(billing::check::ledger(&db).await.unwrap().faults, [""; 0], "after {name}");
    db.close().await;
    running
}

async fn is_booked(phone: &Phone, held: &str, name: &str) {
    until(&format!("after {name} the place is booked"), async || {
        phone.appointment(held).await.text_at("state") == "booked"
    })
    .await;
}

async fn walk(hospital: &Hospital) {
    hospital.expects_untold();
    let phone = hospital.patient("李娜").await;
    let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
    hospital.node().stop().await;
    let program = Program::like(hospital.node()).await;
    let mut running = program.starts().await;
    let turn = usize::from(hospital.backend() == Backend::Postgres);
    for point in of_money(turn) {
        running = dies_at(hospital, &program, running, &phone, &slot, point).await;
    }
    let (well, said) = program.checks().await;
    assert!(well, "{said}");
    running.is_asked_to_stop().await;
    hospital.node().starts_again().await;
}

/// At each of them: what was written agrees with itself; one can go on; the place is booked once and the money comes back once.
#[tokio::test(flavor = "multi_thread")]
async fn t09_it_dies_at_every_point_of_money() {
    let setup = Setup::default().paying().in_real_time().days(3).with("booking.limits", no_limits());
    setup.play_on_sqlite(async |hospital: &Hospital| walk(hospital).await).await;
}

/// The same on PostgreSQL.
#[tokio::test(flavor = "multi_thread")]
async fn t09_it_dies_at_every_point_of_money_on_postgres() {
    let setup = Setup::default().paying().in_real_time().days(3).with("booking.limits", no_limits());
    setup.play_on_postgres(async |hospital: &Hospital| walk(hospital).await).await;
}
