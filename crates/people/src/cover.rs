//! Sealing what is personal, each field with its masked form and its keyed hash.

use ::store::{Result, Vault};
use base::{HospitalId, Secret};

use crate::documents::{Document, Mobile};
use crate::model::PersonId;
use crate::names::RealName;
use crate::store::person::Covered;
use crate::store::{DOCUMENT, DOCUMENT_TAIL, NAME, PHONE, SOURCE};

pub(crate) fn name(vault: &Vault, h: HospitalId, name: &RealName) -> Result<Covered> {
    Ok(Covered {
        sealed: vault.seal(h, NAME, name.as_str())?,
        masked: name.masked(),
        blind: name_blind(vault, h, name),
    })
}

pub(crate) fn name_blind(vault: &Vault, h: HospitalId, name: &RealName) -> String {
    vault.blind(h, NAME, &name.look_up())
}

pub(crate) fn phone(vault: &Vault, h: HospitalId, phone: &Mobile) -> Result<Covered> {
    let sealed = vault.seal(h, PHONE, phone.digits())?;
    Ok(Covered { sealed, masked: phone.masked(), blind: phone_blind(vault, h, phone) })
}

pub(crate) fn phone_blind(vault: &Vault, h: HospitalId, phone: &Mobile) -> String {
    vault.blind(h, PHONE, phone.digits())
}

pub(crate) fn document(vault: &Vault, h: HospitalId, document: &Document) -> Result<Covered> {
    Ok(Covered {
        sealed: vault.seal(h, DOCUMENT, &document.number)?,
        masked: document.masked(),
        blind: document_blind(vault, h, document),
    })
}

pub(crate) fn document_blind(vault: &Vault, h: HospitalId, document: &Document) -> String {
    vault.blind(h, DOCUMENT, &document.identity())
}

/// The hash of a document's last four characters. The person is part of it: else four digits would be the same for many.
pub(crate) fn tail(vault: &Vault, h: HospitalId, person: PersonId, tail: &str) -> String {
    vault.blind(h, DOCUMENT_TAIL, &format!("{person}|{tail}"))
}

/// An address as it is counted: of IPv6 the network of 64 bits that a household or a phone has, and never in the clear.
pub(crate) fn source(vault: &Vault, h: HospitalId, address: &str) -> String {
    let counted = match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(std::net::IpAddr::V6(v6)) => v6.to_ipv4_mapped().map(|v4| v4.to_string()).unwrap_or_default(),
        _ => address.to_owned(),
    };
    vault.blind(h, SOURCE, &counted)
}

/// A secret for the library that speaks with WeChat, which has a type of its own for them.
pub(crate) fn reveal(secret: &Secret) -> wechat::Secret {
    wechat::Secret::new(secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_household_count_together() {
        let vault = Vault::parse(&Vault::generate().unwrap()).unwrap();
        let of = |address| source(&vault, HospitalId(1), address);
        assert_eq!(of("2001:db8:1:2:3::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert!(!of("192.0.2.1").contains("192"));
    }
}
