//! T14: what platforms say, in every order in which it can come: the same end.

use store::value::{FromRow, Row};
use store::{Result, args};

use super::{CONTRACT, FEE, Game, HOSPITAL, Order};
use crate::apply::{Seen, apply};
use crate::model::{ObservationId, RefundReason};
use crate::observation::{BackState, Observation, OrderState, Said};
use crate::store::{payment as payments, refund as refunds};

store::statements! {
    BOOKED = "SELECT debit, credit, amount_fen FROM ledger WHERE hospital_id = $1 AND charge_id = $2 ORDER BY debit, credit, amount_fen";
}

/// A row of the ledger without the names that differ from charge to charge.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Booked(String, String, i64);

impl FromRow for Booked {
    fn from_row(row: &Row) -> Result<Self> {
        let kind = |account: String| account.split(':').next().unwrap_or_default().to_owned();
        Ok(Self(kind(row.get("debit")?), kind(row.get("credit")?), row.get("amount_fen")?))
    }
}

/// All orders of so many things.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let insert = |list: &Vec<usize>, at: usize| [&list[..at], &[count - 1], &list[at..]].concat();
    shorter.iter().flat_map(|list| (0..count).map(move |at| insert(list, at))).collect()
}

fn order(number: &str, state: OrderState) -> Observation {
    let said = Said::Order { state, total: Some(FEE), shares: None, paid_at: Some(base::UnixMs(1)) };
    Observation::for_test(CONTRACT.merchant, CONTRACT.app, number, Some("42"), said)
}

fn back(number: &str, refund: &str, state: BackState, amount: base::Fen) -> Observation {
    let said = Said::Refund { refund: refund.to_owned(), state, amount: Some(amount) };
    Observation::for_test(CONTRACT.merchant, "", number, Some("43"), said)
}

impl Game {
    /// As `sees`, where a person may have to look.
    async fn hears(&self, observation: &Observation) {
        let mut tx = self.t.db.begin().await.unwrap();
        let seen = Seen {
            hospital: &self.hospital,
            account: Some(self.account),
            contract: CONTRACT,
            id: ObservationId::new(),
            observation,
            shift: None,
            request: "",
        };
        apply(&mut tx, &self.payables, &seen).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A charge with one order.
    async fn placed(&mut self) -> String {
        self.platform.orders.clear();
        self.charge().await;
        let charge = self.charges.last().cloned().unwrap();
        self.place_for(&charge).await
    }

    async fn end_of(&self, number: &str) -> (String, Vec<Booked>) {
        let mut tx = self.t.db.begin().await.unwrap();
        let payment = payments::by_number(&mut tx, HOSPITAL, number).await.unwrap().unwrap();
        let rows = tx.all(BOOKED, args![HOSPITAL, payment.charge]).await.unwrap();
        tx.rollback().await.unwrap();
        (format!("{:?} {:?} {}", payment.state, payment.effect, payment.returning.0), rows)
    }
}

async fn in_every_order(t: store::testing::TestDb) {
    let mut game = Game::new(t, 14).await;
    // A word of waiting, one of the payment, one of the closing that lost the race, the payment again, and a refund that somebody
    // made in the merchant's console.
    let mut first: Option<(String, Vec<Booked>)> = None;
    for turn in permutations(5) {
        let number = game.placed().await;
        let words = [
            order(&number, OrderState::Waiting),
            order(&number, OrderState::Paid),
            Observation::closed(&number, "key"),
            order(&number, OrderState::Paid),
            back(&number, &format!("console-{number}"), BackState::Done, base::Fen(100)),
        ];
        for nth in &turn {
            game.hears(&words[*nth]).await;
        }
        let end = game.end_of(&number).await;
        assert!(end.0.starts_with("Paid Some(Served)"), "{turn:?}: {}", end.0);
        assert_eq!(first.get_or_insert_with(|| end.clone()), &end, "{turn:?}");
    }
    // Words about a refund of ours: accepted, accepted again, done, done again, and the order, which now says refund.
    let mut first: Option<(String, Vec<Booked>)> = None;
    for turn in permutations(5) {
        let number = game.placed().await;
        game.platform.orders.insert(number.clone(), Order::Paid);
        game.hears(&order(&number, OrderState::Paid)).await;
        let charge = game.charges.last().cloned().unwrap();
        let mut tx = game.t.db.begin().await.unwrap();
        crate::give_up(&mut tx, HOSPITAL, "thing", &charge.subject, RefundReason::Cancelled, "somebody")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let refund = refunds::read_of_charge(&game.t.db, HOSPITAL, charge.id).await.unwrap().remove(0);
        let words = [
            back(&number, &refund.number, BackState::Processing, FEE),
            back(&number, &refund.number, BackState::Processing, FEE),
            back(&number, &refund.number, BackState::Done, FEE),
            back(&number, &refund.number, BackState::Done, FEE),
            order(&number, OrderState::Paid),
        ];
        for nth in &turn {
            game.hears(&words[*nth]).await;
        }
        let end = game.end_of(&number).await;
        assert_eq!(first.get_or_insert_with(|| end.clone()), &end, "{turn:?}");
        let after = refunds::read(&game.t.db, HOSPITAL, refund.id).await.unwrap().unwrap();
        assert_eq!(after.state, crate::model::RefundState::Done, "{turn:?}");
    }
    game.holds("at the end").await;
}

#[tokio::test]
async fn t14_words_in_every_order_end_alike() {
    let tables = crate::tests::tables();
    let clock = || base::Clock::manual(store::testing::MORNING);
    store::testing::on_sqlite(&tables, clock(), &in_every_order).await;
    store::testing::on_postgres(&tables, clock(), &in_every_order).await;
}
