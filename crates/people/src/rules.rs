//! Who may be bound by whom: decisions without a clock and without a database.

use base::{Date, calendar::age_on};

use crate::model::{DocumentKind, PersonId, Relation};
use crate::refusal::Refusal;
use crate::store::person::Candidate;

/// Below this age the guardian holds the account and agrees separately (Personal Information Protection Law, art. 31).
pub const CHILD_BELOW: i16 = 14;
/// From this age on a person is of age (Civil Code, art. 17).
pub const ADULT_FROM: i16 = 18;

/// Whole years; a birth date after `today` counts as none.
#[must_use]
pub fn age(birth: Option<Date>, today: Date) -> Option<i16> {
    birth.map(|b| age_on(b, today)).filter(|years| *years >= 0)
}

/// What is known when somebody is to be bound.
#[derive(Debug, Clone, Copy)]
pub struct Tie {
    /// The age of the person who is to be bound, if known.
    pub age: Option<i16>,
    /// What they are to the holder of the account.
    pub relation: Relation,
    /// The age of the holder: of the person whom the account is bound to as `self`, if there is one.
    pub holder_age: Option<i16>,
    /// Whether the guardian agreed separately.
    pub guardian_consent: bool,
}

/// Whether the tie may be made: a minor's guardian is of age as far as we know, a child under 14 holds no account, and their
/// guardian has agreed separately.
///
/// # Errors
/// [`Refusal::GuardianTooYoung`], [`Refusal::GuardianConsent`].
pub fn may_tie(tie: Tie) -> Result<(), Refusal> {
    let Some(age) = tie.age else { return Ok(()) };
    let oneself = tie.relation == Relation::Oneself;
    let young_guardian = age < ADULT_FROM && !oneself && tie.holder_age.is_some_and(|h| h < ADULT_FROM);
    if young_guardian || (age < CHILD_BELOW && oneself) {
        return Err(Refusal::GuardianTooYoung);
    }
    if needs_guardian(Some(age)) && !tie.guardian_consent { Err(Refusal::GuardianConsent) } else { Ok(()) }
}

/// Whether the birth date that a document tells fits somebody who is added as a child: a child is registered with a number of
/// its own, not with a parent's.
///
/// # Errors
/// [`Refusal::AdultNumber`].
pub fn number_fits(as_child: bool, birth: Date, today: Date) -> Result<(), Refusal> {
    let adult = age(Some(birth), today).is_some_and(|age| age >= ADULT_FROM);
    if as_child && adult { Err(Refusal::AdultNumber) } else { Ok(()) }
}

/// Whether somebody is on file with a card of their own: a visit or medical-insurance (social-security) card, or a document
/// that stands for one. That is the birth certificate, since a newborn has no card yet, and the documents of those to whom no
/// social-security card is given; a resident identity number alone is none.
#[must_use]
pub fn has_own_card(document: Option<DocumentKind>, cards: i64) -> bool {
    cards > 0 || document.is_some_and(|kind| kind != DocumentKind::ResidentId)
}

/// Whether a guardian's separate consent is kept for a person of this age.
#[must_use]
pub fn needs_guardian(age: Option<i16>) -> bool {
    age.is_some_and(|a| a < CHILD_BELOW)
}

/// What is to be done with somebody who is added with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placing {
    /// Nobody is on file: they are new.
    New,
    /// They are on file with this document: bind them. `phone`: the proven phone becomes theirs.
    Bind { person: PersonId, phone: bool },
    /// They are on file by name and phone, without a document: this one becomes theirs.
    Complete { person: PersonId },
    /// The document is on file with other details. Nobody learns with which.
    Taken,
}

/// Decides where somebody belongs who is added with a name, a document and a phone that was proven by a code.
///
/// The name and the document alone are on many papers; so whoever is on file with a phone is bound only by that phone.
pub(crate) fn place(
    name_blind: &str,
    phone_blind: &str,
    birth: Date,
    with_document: Option<&Candidate>,
    with_name_and_phone: &[Candidate],
) -> Placing {
    if let Some(found) = with_document {
        let same_phone = found.phone_blind.as_deref().is_none_or(|p| p == phone_blind);
        return if found.name_blind == name_blind && same_phone {
            Placing::Bind { person: found.id, phone: found.phone_blind.is_none() }
        } else {
            Placing::Taken
        };
    }
    let mut bare =
        with_name_and_phone.iter().filter(|c| c.tail_blind.is_none() && c.birth.is_none_or(|b| b == birth));
    match (bare.next(), bare.next()) {
        (Some(one), None) => Placing::Complete { person: one.id },
        _ => Placing::New,
    }
}

/// Which of the persons with this name and phone is meant. `tail` is the keyed hash that a document's last four characters
/// would have for a person, when the caller told them.
///
/// # Errors
/// [`Refusal::NoMatch`]; [`Refusal::DocumentNeeded`] when several are left.
pub(crate) fn pick<'a>(
    candidates: &'a [Candidate],
    tail: Option<&dyn Fn(PersonId) -> String>,
) -> Result<&'a Candidate, Refusal> {
    let fits = |c: &&Candidate| match tail {
        None => true,
        Some(of) => c.tail_blind.as_deref() == Some(of(c.id).as_str()),
    };
    let mut left = candidates.iter().filter(fits);
    match (left.next(), left.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Refusal::NoMatch),
        (Some(_), Some(_)) => Err(Refusal::DocumentNeeded),
    }
}

/// Why a person can't be booked for online, if so: the law asks for name and document before the first visit.
#[must_use]
pub fn why_not_bookable(has_document: bool) -> Option<&'static str> {
    (!has_document).then_some("document_missing")
}

/// A path of ours to go back to after signing in, or `/`: never another site's address, and none that would sign in again.
#[must_use]
pub fn local_path(to: Option<&str>) -> &str {
    const NOT: [&str; 4] = ["/auth/", "/api/", "/wechat/", "/sign-in"];
    let Some(to) = to.filter(|t| t.len() <= 512) else { return "/" };
    let plain = to.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let second = to.as_bytes().get(1).copied();
    let local = to.starts_with('/') && second != Some(b'/') && !NOT.iter().any(|p| to.starts_with(p));
    if plain && local { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Sex;

    fn tie(age: i16, relation: Relation, holder_age: Option<i16>, guardian_consent: bool) -> Tie {
        Tie { age: Some(age), relation, holder_age, guardian_consent }
    }

    #[test]
    fn guardians() {
        use Relation::{Child, Oneself, Parent};
        for (one, want) in [
            (tie(30, Oneself, None, false), None),
            (tie(16, Oneself, None, false), None),
            (tie(13, Oneself, None, true), Some("guardian_too_young")),
            (tie(13, Child, Some(40), true), None),
            (tie(13, Child, Some(40), false), Some("guardian_consent_required")),
            (tie(14, Child, Some(40), false), None),
            (tie(0, Child, None, true), None),
            (tie(17, Child, Some(17), true), Some("guardian_too_young")),
            (tie(17, Child, Some(18), false), None),
            (tie(70, Parent, Some(17), false), None),
        ] {
            let refused = may_tie(one).err().map(|r| base::Problem::from(r).code);
            assert_eq!(refused, want, "{one:?}");
        }
        let unknown = Tie { age: None, ..tie(0, Relation::Other, None, false) };
        assert!(may_tie(unknown).is_ok(), "an unknown age is for the desk to clear");
    }

    #[test]
    fn a_childs_own_card() {
        for (document, cards, want) in [
            (None, 0, false),
            (Some(DocumentKind::ResidentId), 0, false),
            (Some(DocumentKind::ResidentId), 1, true),
            (None, 1, true),
            (Some(DocumentKind::BirthCertificate), 0, true),
            (Some(DocumentKind::Passport), 0, true),
        ] {
            assert_eq!(has_own_card(document, cards), want, "{document:?} {cards}");
        }
    }

    fn candidate(name: &str, phone: Option<&str>, birth: Option<&str>, tail: Option<&str>) -> Candidate {
        Candidate {
            id: PersonId::new(),
            name_blind: name.into(),
            phone_blind: phone.map(Into::into),
            birth: birth.map(|b| b.parse().unwrap()),
            sex: Sex::Unknown,
            tail_blind: tail.map(Into::into),
        }
    }

    #[test]
    fn where_somebody_belongs() {
        let birth: Date = "1990-01-01".parse().unwrap();
        let place = |doc: Option<&Candidate>, near: &[Candidate]| super::place("n", "p", birth, doc, near);
        assert_eq!(place(None, &[]), Placing::New);
        let same = candidate("n", Some("p"), Some("1990-01-01"), Some("t"));
        assert_eq!(place(Some(&same), &[]), Placing::Bind { person: same.id, phone: false });
        let no_phone = candidate("n", None, None, Some("t"));
        assert_eq!(place(Some(&no_phone), &[]), Placing::Bind { person: no_phone.id, phone: true });
        assert_eq!(place(Some(&candidate("n", Some("other"), None, Some("t"))), &[]), Placing::Taken);
        assert_eq!(place(Some(&candidate("other", Some("p"), None, Some("t"))), &[]), Placing::Taken);
        // On file without a document: completed, when it can only be one, and the same birth date or none is known.
        let bare = candidate("n", Some("p"), None, None);
        assert_eq!(place(None, std::slice::from_ref(&bare)), Placing::Complete { person: bare.id });
        assert_eq!(place(None, &[bare.clone(), bare.clone()]), Placing::New);
        assert_eq!(place(None, &[candidate("n", Some("p"), Some("1991-01-01"), None)]), Placing::New);
        assert_eq!(place(None, std::slice::from_ref(&same)), Placing::New);
    }

    #[test]
    fn who_is_meant() {
        let (a, b) = (candidate("n", Some("p"), None, Some("a")), candidate("n", Some("p"), None, Some("b")));
        let both = [a.clone(), b.clone()];
        let code = |r: Refusal| base::Problem::from(r).code;
        assert_eq!(pick(&[], None).map_err(code), Err("no_match"));
        assert_eq!(pick(std::slice::from_ref(&a), None).unwrap().id, a.id);
        assert_eq!(pick(&both, None).map_err(code), Err("document_needed"));
        let tail = |_: PersonId| "b".to_owned();
        assert_eq!(pick(&both, Some(&tail)).unwrap().id, b.id);
        let tail = |_: PersonId| "x".to_owned();
        assert_eq!(pick(&both, Some(&tail)).map_err(code), Err("no_match"));
        assert_eq!(pick(std::slice::from_ref(&a), Some(&tail)).map_err(code), Err("no_match"));
    }

    #[test]
    fn only_our_own_paths() {
        for ok in ["/", "/confirm?slot=slt_1&person=per_2", "/h/child/persons#x", "/doctors/doc_1"] {
            assert_eq!(local_path(Some(ok)), ok);
        }
        for bad in [
            "",
            "//evil.cn",
            "/\\evil.cn",
            "https://evil.cn",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x",
            "/a b",
            "/预约",
            "/auth/wechat",
            "/api/v1/session",
            "/sign-in?to=/",
            "\t//evil.cn",
        ] {
            assert_eq!(local_path(Some(bad)), "/", "{bad}");
        }
        assert_eq!(local_path(None), "/");
        assert_eq!(local_path(Some(&format!("/{}", "a".repeat(600)))), "/");
    }

    proptest! {
        #[test]
        fn no_path_leads_away(to in "\\PC{0,40}") {
            let path = local_path(Some(&to));
            prop_assert!(path.starts_with('/') && !path.starts_with("//"));
            prop_assert!(path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\'));
        }

        #[test]
        fn a_child_under_14_is_never_tied_without_consent(
            age in 0_i16..14, holder in proptest::option::of(0_i16..90), relation in 0_usize..5,
        ) {
            let relation = Relation::ALL[relation];
            prop_assert!(may_tie(tie(age, relation, holder, false)).is_err());
        }
    }
}
