//! The text in a code by which a scan is known: the hospital's number and 100 random bits.
//!
//! The number stands in front so that the code of another hospital of the installation is told from one that never was,
//! without looking anywhere. Anybody can read a scene off a code and send it; what is personal is not in it.

use base::HospitalId;
use store::Result;

/// Letters and digits that are not mistaken for each other.
const LETTERS: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyz_";
/// Random letters of a scene, five bits each.
const LENGTH: usize = 20;

/// A new scene.
///
/// # Errors
/// When the machine gives no random bytes.
pub(crate) fn new(hospital: HospitalId) -> Result<String> {
    let random = edge::session::random_token()?;
    let letters = random.as_bytes().chunks(2).take(LENGTH).filter_map(|pair| {
        let byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter))
    });
    Ok(format!("{}-{}", hospital.0, letters.collect::<String>()))
}

/// Whose a scene is, as far as its form tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// It may be this hospital's.
    Ours,
    /// It has the number of another hospital.
    AnotherHospitals,
    /// It is nothing that this program makes.
    Nobodys,
}

/// Looks at a scene that somebody brought.
pub(crate) fn whose(hospital: HospitalId, scene: &str) -> Whose {
    let Some((number, random)) = scene.split_once('-') else { return Whose::Nobodys };
    let well_formed = random.len() == LENGTH && random.bytes().all(|b| LETTERS.contains(&b));
    match number.parse::<i64>() {
        // One form for a number: what only looks like one of ours is none.
        Ok(n) if well_formed && n.to_string() == number && n > 0 => {
            if n == hospital.0 {
                Whose::Ours
            } else {
                Whose::AnotherHospitals
            }
        }
        _ => Whose::Nobodys,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scenes_are_ours_and_differ() {
        let many: std::collections::HashSet<_> = (0..1000).map(|_| new(HospitalId(7)).unwrap()).collect();
        assert_eq!(many.len(), 1000);
        for scene in &many {
            assert!(scene.len() <= 64, "WeChat takes 64 characters");
            assert_eq!(whose(HospitalId(7), scene), Whose::Ours);
            assert_eq!(whose(HospitalId(8), scene), Whose::AnotherHospitals);
        }
    }

    #[test]
    fn what_only_looks_like_one_is_nobodys() {
        let tail = "a".repeat(LENGTH);
        for bad in ["", "-", "7", "7-", "7-abc", "doc7", "x-", "007-", "+7-", "-7-", "7-ABCDEFGHJKMNPQRSTUVW"]
        {
            assert_eq!(whose(HospitalId(7), bad), Whose::Nobodys, "{bad}");
        }
        for bad in ["07", "+7", "-7", "7 ", "0", "９"] {
            assert_eq!(whose(HospitalId(7), &format!("{bad}-{tail}")), Whose::Nobodys, "{bad}");
        }
        assert_eq!(whose(HospitalId(7), &format!("7-{tail}")), Whose::Ours);
    }

    proptest! {
        #[test]
        fn whatever_is_brought_is_only_looked_at(scene in "\\PC{0,80}") {
            let _ = whose(HospitalId(1), &scene);
        }
    }
}
