//! The code at a place: what the poster at the door of a waiting room carries. It is signed, names hospital, area and edition,
//! and may have an end (for a screen that shows a new one every few minutes).
//!
//! `hospital.area.epoch.until.signature`, all but the first in hexadecimal; `until` is 0 for a poster.

use base::{HospitalId, Kind, Problem, UnixMs};
use store::Vault;

use crate::model::{Area, AreaId};

/// The name of the signature among the vault's keyed hashes.
const FIELD: &str = "queue.place_code";

/// What a code says. Only that its signature is ours is sure; edition and end are compared with the area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceCode {
    /// Which area.
    pub area: AreaId,
    /// Which edition of its code.
    pub epoch: i64,
    /// Until when it is good.
    pub until: Option<UnixMs>,
}

/// Makes the code of an area.
#[must_use]
pub fn make(vault: &Vault, hospital: HospitalId, area: &Area, until: Option<UnixMs>) -> String {
    let body = body(hospital, area.id, area.epoch, until.map_or(0, |u| u.seconds()));
    let signature = vault.blind(hospital, FIELD, &body);
    format!("{body}.{signature}")
}

fn body(hospital: HospitalId, area: AreaId, epoch: i64, until: i64) -> String {
    format!("{}.{}.{epoch:x}.{until:x}", hospital.0, area.db())
}

/// Reads a code.
///
/// # Errors
/// 422 when it is none of ours; 409 when it is another hospital's.
pub fn read(vault: &Vault, hospital: HospitalId, text: &str) -> Result<PlaceCode, Problem> {
    let parts: Vec<&str> = text.split('.').collect();
    let [of, area, epoch, until, signature] = parts.as_slice() else { return Err(invalid()) };
    let area = AreaId::from_db(area).map_err(|_| invalid())?;
    let number = |text: &str| i64::from_str_radix(text, 16).ok().filter(|n| *n >= 0).ok_or_else(invalid);
    let (epoch, until) = (number(epoch)?, number(until)?);
    let of = HospitalId(of.parse().map_err(|_| invalid())?);
    let signed = vault.blind(of, FIELD, &body(of, area, epoch, until));
    if !same(signed.as_bytes(), signature.as_bytes()) {
        return Err(Problem::new(
            Kind::Invalid,
            "place_code_forged",
            "这个二维码不是医院的，请扫描现场张贴的二维码，或到服务台办理。",
            "This code is not one of the hospital's. Please scan the code at the place itself, or go to the desk.",
        ));
    }
    if of != hospital {
        return Err(Problem::new(
            Kind::Conflict,
            "place_code_elsewhere",
            "这是另一家医院的二维码。",
            "This code belongs to another hospital.",
        ));
    }
    Ok(PlaceCode { area, epoch, until: (until > 0).then(|| UnixMs(until.saturating_mul(1000))) })
}

/// Whether the code is still good at its area.
///
/// # Errors
/// 410 when a newer one hangs there, or its time is over.
pub fn check(code: &PlaceCode, area: &Area, now: UnixMs) -> Result<(), Problem> {
    if code.epoch == area.epoch && code.until.is_none_or(|until| now < until) {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Gone,
        "place_code_expired",
        "这个二维码已经停用，请扫描现场新的二维码，或到服务台办理。",
        "This code is no longer in use. Please scan the new one at the place, or go to the desk.",
    ))
}

fn invalid() -> Problem {
    Problem::new(
        Kind::Invalid,
        "place_code_invalid",
        "这不是报到用的二维码。",
        "This is not a code for checking in.",
    )
}

/// Compares without telling by its time where two texts differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use base::Text2;

    use super::*;

    const H: HospitalId = HospitalId(1);

    fn vault() -> Vault {
        Vault::parse(&Vault::generate().unwrap()).unwrap()
    }

    fn area() -> Area {
        Area {
            id: AreaId::new(),
            code: "A".into(),
            campus: None,
            name: Text2::default(),
            way: Text2::default(),
            circle: None,
            epoch: 3,
            version: 1,
        }
    }

    #[test]
    fn a_code_is_read_as_it_was_made() {
        let (vault, area) = (vault(), area());
        let code = read(&vault, H, &make(&vault, H, &area, None)).unwrap();
        assert_eq!(code, PlaceCode { area: area.id, epoch: 3, until: None });
        let now = UnixMs(1_795_392_000_000);
        assert!(check(&code, &area, now).is_ok());
        assert_eq!(
            check(&code, &Area { epoch: 4, ..area.clone() }, now).unwrap_err().code,
            "place_code_expired"
        );
        let short = read(&vault, H, &make(&vault, H, &area, Some(now))).unwrap();
        assert_eq!(check(&short, &area, now).unwrap_err().code, "place_code_expired");
        assert!(check(&short, &area, UnixMs(now.0 - 1)).is_ok());
    }

    #[test]
    fn what_is_not_ours_is_told_apart() {
        let (vault, area) = (vault(), area());
        let good = make(&vault, H, &area, None);
        let code = |text: &str| read(&vault, H, text).unwrap_err().code;
        assert_eq!(code(""), "place_code_invalid");
        assert_eq!(code("https://example.org"), "place_code_invalid");
        assert_eq!(code(&good.replacen(".3.", ".4.", 1)), "place_code_forged");
        assert_eq!(code(&good.replacen("1.", "2.", 1)), "place_code_forged");
        assert_eq!(code(&make(&vault, HospitalId(2), &area, None)), "place_code_elsewhere");
        assert_eq!(read(&self::vault(), H, &good).unwrap_err().code, "place_code_forged");
    }
}
