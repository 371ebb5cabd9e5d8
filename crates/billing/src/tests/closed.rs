//! I22: what is wrong with a closed day is found, and what is explained is not.

use base::{Date, HospitalId};
use store::testing::{TestDb, each_db};
use store::{Sql, args};

const HOSPITAL: HospitalId = HospitalId(1);
const DAY: Date = Date::constant(2026, 11, 22);
const PAID: &str = "00000000000000000000000000000001";
const MISSING: &str = "00000000000000000000000000000002";
const BACK: &str = "00000000000000000000000000000003";

store::statements! {
    ACCOUNT = "INSERT INTO pay_account (hospital_id, id, name, provider, merchant, app, secrets, created_at) VALUES ($1, 'acc', 'wechat', 'wechatpay', '19', 'wx', '', 0)";
    DAY_CLOSED = "INSERT INTO bill_day (hospital_id, pay_account_id, date, state, payments, paid_fen, refunds, refunded_fen, starts_at, ends_at)
           VALUES ($1, 'acc', $2, 'closed', 2, 2800, 1, 400, 1000, 2000)";
    LINE = "INSERT INTO bill_line (hospital_id, pay_account_id, what, number, date, order_number, provider_no, amount_fen, at) VALUES ($1, 'acc', $2, $3, $4, $3, '42', $5, 1500)";
    PAYMENT = "INSERT INTO payment (hospital_id, id, charge_id, way, pay_account_id, number, total_fen, cash_fen, state, effect, returning_fen, expires_at, created_at, paid_at)
           VALUES ($1, $2, 'c' || $2, 'wechat_jsapi', 'acc', $2, 1400, 1400, 'paid', 'served', 0, 0, 0, 1500)";
    BOOKED = "INSERT INTO ledger (hospital_id, id, once, at, debit, credit, amount_fen, by_whom, request_id) VALUES ($1, $2, $3, 0, $4, $5, $6, '', '')";
    EXPLAINED = "INSERT INTO difference (hospital_id, id, pay_account_id, date, what, number, kind, state, opened_at) VALUES ($1, $2, 'acc', $3, $4, $5, 'differs', $6, 0)";
    SAID = "UPDATE difference SET state = 'explained'";
    NO_LINE = "DELETE FROM bill_line WHERE number = $1";
    LOOKED_AT = "UPDATE bill_day SET next_at = 1";
}

async fn exec(t: &TestDb, sql: Sql, values: Vec<store::Value>) {
    let mut tx = t.db.begin().await.unwrap();
    tx.exec(sql, values).await.unwrap();
    tx.commit().await.unwrap();
}

/// The faults of closed days only: the rows of this test have no charges.
async fn faults(t: &TestDb) -> Vec<String> {
    let found = crate::check::ledger(&t.db).await.unwrap();
    found.faults.into_iter().filter(|fault| fault.starts_with("I22")).collect()
}

#[tokio::test]
async fn closed_days_are_proved() {
    each_db(&super::tables(), async |t| {
        exec(&t, ACCOUNT, args![HOSPITAL]).await;
        exec(&t, DAY_CLOSED, args![HOSPITAL, DAY]).await;
        for number in [PAID, MISSING] {
            exec(&t, LINE, args![HOSPITAL, "payment", number, DAY, 1400_i64]).await;
        }
        exec(&t, LINE, args![HOSPITAL, "refund", BACK, DAY, 400_i64]).await;
        exec(&t, PAYMENT, args![HOSPITAL, PAID]).await;
        let once = format!("paid:pmt_{PAID}:3");
        exec(&t, BOOKED, args![HOSPITAL, "1", once, "clearing:wechatpay:19", "obligation:c", 1400_i64]).await;
        let found = faults(&t).await;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("this payment") && found[0].contains(MISSING), "{found:?}");
        assert!(found[1].contains("this refund") && found[1].contains(BACK), "{found:?}");
        // One comes to light, booked as nobody's; the other is explained, once a second person agrees.
        let once = format!("unplaced:19:{MISSING}");
        exec(&t, BOOKED, args![HOSPITAL, "2", once, "clearing:wechatpay:19", "suspense", 1400_i64]).await;
        exec(&t, EXPLAINED, args![HOSPITAL, "a", DAY, "refund", BACK, "asked"]).await;
        let found = faults(&t).await;
        assert!(found.iter().any(|fault| fault.contains("closed with something unexplained")), "{found:?}");
        assert!(found.iter().any(|fault| fault.contains("this refund")), "{found:?}");
        exec(&t, SAID, args![]).await;
        assert!(faults(&t).await.is_empty(), "{:?}", faults(&t).await);
        // A line that is gone: the sums are not those of the lines, and the payment is in no bill.
        exec(&t, NO_LINE, args![PAID]).await;
        let found = faults(&t).await;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("sums") && found[1].contains("in no bill"), "{found:?}");
        // While it is looked at again it is not proved.
        exec(&t, LOOKED_AT, args![]).await;
        assert!(faults(&t).await.is_empty());
    })
    .await;
}
