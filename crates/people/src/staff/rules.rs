//! Who may hold which roles, what a login and a password look like. Pure.

use edge::Role;
use unicode_normalization::UnicodeNormalization as _;

/// The three administrators, apart from each other as level 3 protection (等保三级) asks.
pub const ADMINISTRATORS: [Role; 3] = [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin];

/// Whether somebody with these roles is one of the three administrators.
#[must_use]
pub fn is_administrator(roles: &[Role]) -> bool {
    roles.iter().any(|role| ADMINISTRATORS.contains(role))
}

/// What is wrong with a set of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolesFault {
    /// There is none.
    None,
    /// Two of the three administrators' are among them.
    NotApart,
}

/// Puts roles in the order in which they are declared, each once, and sees whether one person may hold them.
///
/// # Errors
/// [`RolesFault`].
pub fn roles(wanted: &[Role]) -> Result<Vec<Role>, RolesFault> {
    let roles: Vec<Role> = Role::ALL.iter().copied().filter(|role| wanted.contains(role)).collect();
    if roles.is_empty() {
        return Err(RolesFault::None);
    }
    if roles.iter().filter(|role| ADMINISTRATORS.contains(role)).count() > 1 {
        return Err(RolesFault::NotApart);
    }
    Ok(roles)
}

/// Whether somebody with these roles manages staff. That is the security administrator's work; until one has signed in for the first
/// time (`established`), the system administrator, whom a new hospital begins with, stands in.
#[must_use]
pub fn manages_staff(roles: &[Role], established: bool) -> bool {
    roles.contains(&Role::SecurityAdmin) || (!established && roles.contains(&Role::SystemAdmin))
}

/// A login as it is kept: 3 to 32 lower-case letters, digits, `.`, `_` and `-`, a letter first. `None` when it can't be one.
#[must_use]
pub fn login(typed: &str) -> Option<String> {
    if typed.len() > 200 {
        return None;
    }
    let login = typed.nfkc().collect::<String>().trim().to_ascii_lowercase();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    let fits = (3..=32).contains(&login.len()) && login.bytes().all(plain);
    (fits && login.bytes().next().is_some_and(|b| b.is_ascii_lowercase())).then_some(login)
}

/// What is wrong with a password that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordFault {
    /// Fewer than 12 characters, or than 10 with three of: small letters, capitals, digits, others.
    Short,
    /// More than 128 characters.
    Long,
    /// The login is in it.
    HasLogin,
    /// One of those that are tried first: common, or few different characters.
    Common,
}

const COMMON: &str = include_str!("common_passwords.txt");

/// The form in which a password is hashed and compared: what keyboards write differently is the same (NIST SP 800-63B).
#[must_use]
pub fn normalise(password: &str) -> String {
    password.nfkc().collect()
}

/// Whether somebody with this login may have this password.
///
/// # Errors
/// [`PasswordFault`].
pub fn password(password: &str, login: &str) -> Result<(), PasswordFault> {
    // Nothing so long needs to be normalised first.
    if password.len() > 1024 {
        return Err(PasswordFault::Long);
    }
    let password = normalise(password);
    let length = password.chars().count();
    let has = |class: fn(char) -> bool| usize::from(password.chars().any(class));
    let other = |c: char| !c.is_alphanumeric();
    let classes =
        has(|c| c.is_lowercase()) + has(|c| c.is_uppercase()) + has(|c| c.is_numeric()) + has(other);
    let enough = if classes >= 3 { 10 } else { 12 };
    if length < enough {
        return Err(PasswordFault::Short);
    }
    if length > 128 {
        return Err(PasswordFault::Long);
    }
    let lower = password.to_lowercase();
    if login.len() >= 3 && lower.contains(login) {
        return Err(PasswordFault::HasLogin);
    }
    if is_common(&lower) { Err(PasswordFault::Common) } else { Ok(()) }
}

fn is_common(lower: &str) -> bool {
    let different = lower.chars().collect::<std::collections::BTreeSet<_>>().len();
    // What people hang before and behind a word to make it pass: digits and signs.
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    different < 5 || is_run(lower) || COMMON.lines().any(|common| common == lower || common == core)
}

/// Whether most characters follow from the one before, as in `12345678901234` or `abcdefghijkm`.
fn is_run(text: &str) -> bool {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let near = codes.iter().zip(codes.iter().skip(1)).filter(|(one, next)| one.abs_diff(**next) <= 1).count();
    near * 4 >= codes.len().saturating_sub(1) * 3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_three_administrators_are_apart() {
        assert_eq!(roles(&[]), Err(RolesFault::None));
        for (one, other) in [(0, 1), (1, 2), (0, 2)] {
            let both = [ADMINISTRATORS[one], ADMINISTRATORS[other]];
            assert_eq!(roles(&both), Err(RolesFault::NotApart));
        }
        assert_eq!(
            roles(&[Role::Director, Role::SystemAdmin, Role::Director]),
            Ok(vec![Role::SystemAdmin, Role::Director])
        );
    }

    #[test]
    fn the_first_administrator_stands_in_until_there_is_a_security_administrator() {
        assert!(manages_staff(&[Role::SystemAdmin], false));
        assert!(!manages_staff(&[Role::SystemAdmin], true));
        assert!(manages_staff(&[Role::SecurityAdmin], true));
        for role in Role::ALL.iter().filter(|r| !matches!(r, Role::SystemAdmin | Role::SecurityAdmin)) {
            assert!(!manages_staff(&[*role], false), "{role:?}");
        }
    }

    #[test]
    fn logins_are_plain() {
        assert_eq!(login(" Li.Na "), Some("li.na".into()));
        assert_eq!(login("ａｄｍｉｎ"), Some("admin".into()));
        for bad in ["", "ab", "1abc", "li na", "李娜", "a@b.cn", &"a".repeat(33)] {
            assert_eq!(login(bad), None, "{bad}");
        }
    }

    #[test]
    fn passwords_are_long_or_mixed_and_not_what_is_tried_first() {
        use PasswordFault::*;
        for (text, want) in [
            ("correct horse battery", Ok(())),
            ("abcdefghijkm", Err(Common)),
            ("Sunny-Day7", Ok(())),
            ("春眠不觉晓处处闻啼鸟夜来", Ok(())),
            ("sunnyday77", Err(Short)),
            ("Sunny-Da7", Err(Short)),
            ("lina.is.the.best", Ok(())),
            ("Li.Na-Secret-1", Err(HasLogin)),
            ("password1234!", Err(Common)),
            ("12345678901234", Err(Common)),
            ("aaaaaaaaaaaaaaaa", Err(Common)),
            ("1q2w3e4r5t6y", Err(Common)),
            ("Hospital-2026", Err(Common)),
            ("ｐａｓｓｗｏｒｄ１２３４", Err(Common)),
        ] {
            assert_eq!(password(text, "li.na"), want, "{text}");
        }
        assert_eq!(password(&"x1Y".repeat(50), "li.na"), Err(Long));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", name in "\\PC{0,40}") {
            let _ = password(&text, &name);
            if let Some(kept) = login(&name) {
                prop_assert_eq!(login(&kept), Some(kept.clone()));
                prop_assert!((3..=32).contains(&kept.len()));
            }
        }

        #[test]
        fn roles_never_mix_administrators(picked in proptest::collection::vec(0_usize..Role::ALL.len(), 0..6)) {
            let wanted: Vec<Role> = picked.iter().map(|at| Role::ALL[*at]).collect();
            if let Ok(held) = roles(&wanted) {
                prop_assert!(held.iter().filter(|r| ADMINISTRATORS.contains(r)).count() <= 1);
                prop_assert!(wanted.iter().all(|r| held.contains(r)) && held.iter().all(|r| wanted.contains(r)));
            }
        }
    }
}
