//! What follows from a scan, and from a name that was given: decisions without a clock and without a database.

use base::UnixMs;
use edge::AccountId;

use crate::model::{Enrolment, Stage};

/// So often another name may be given; then the enrolment is over.
pub const WRONG_NAMES: u32 = 3;

/// What a scan finds, before anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Nobody was here before: it is theirs.
    Free,
    /// They have scanned it before and still have to confirm.
    Theirs,
    /// They have scanned it before, and are bound.
    Done,
    /// Somebody else has it, or staff ended it.
    Used,
    /// Its time is over.
    Over,
}

/// Looks at an enrolment as an account finds it. Who was bound by it is told so for ever.
#[must_use]
pub fn meets(enrolment: &Enrolment, account: AccountId, now: UnixMs) -> Met {
    let theirs = enrolment.account == Some(account);
    match enrolment.stage {
        Stage::Bound if theirs => Met::Done,
        Stage::Open | Stage::Claimed if now >= enrolment.expires_at => Met::Over,
        Stage::Open => Met::Free,
        Stage::Claimed if theirs => Met::Theirs,
        Stage::Claimed | Stage::Bound | Stage::Ended => Met::Used,
    }
}

/// Whether the person is bound by the scan itself. They are when the phone can only be their own: they are of age, nobody else
/// is the account's holder, and staff did not say that a relative holds it. Otherwise the name is confirmed first.
#[must_use]
pub fn at_once(minor: bool, has_holder: bool, proxy: bool) -> bool {
    !minor && !has_holder && !proxy
}

/// How many other names may still be given after `wrong` of them.
#[must_use]
pub fn tries_left(wrong: i64) -> u32 {
    WRONG_NAMES.saturating_sub(u32::try_from(wrong).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use people::PersonId;

    use super::*;
    use crate::model::{CodeId, Door, EnrolmentId};

    fn at(stage: Stage, account: Option<AccountId>) -> Enrolment {
        Enrolment {
            id: EnrolmentId::new(),
            person: PersonId::new(),
            code: CodeId::new(),
            door: Door::Kiosk,
            proxy: false,
            consent_version: "1".into(),
            started_by: "stf".into(),
            expires_at: UnixMs(100),
            stage,
            account,
            bound_at: None,
            wrong: 0,
        }
    }

    #[test]
    fn the_first_who_scans_in_time_has_it() {
        let (me, you) = (AccountId::new(), AccountId::new());
        for (one, now, want) in [
            (at(Stage::Open, None), 99, Met::Free),
            (at(Stage::Open, None), 100, Met::Over),
            (at(Stage::Claimed, Some(me)), 99, Met::Theirs),
            (at(Stage::Claimed, Some(me)), 100, Met::Over),
            (at(Stage::Claimed, Some(you)), 99, Met::Used),
            (at(Stage::Bound, Some(me)), 1_000, Met::Done),
            (at(Stage::Bound, Some(you)), 1_000, Met::Used),
            (at(Stage::Ended, None), 1, Met::Used),
        ] {
            assert_eq!(meets(&one, me, UnixMs(now)), want, "{one:?}");
        }
    }

    #[test]
    fn only_ones_own_phone_is_bound_without_a_name() {
        assert!(at_once(false, false, false));
        for (minor, holder, proxy) in [(true, false, false), (false, true, false), (false, false, true)] {
            assert!(!at_once(minor, holder, proxy));
        }
        assert_eq!([0, 1, 2, 3, 4, -1].map(tries_left), [3, 2, 1, 0, 0, 0]);
    }
}
