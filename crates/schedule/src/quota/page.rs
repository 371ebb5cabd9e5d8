//! A department's public page of rules, of a picture.

use super::{Kin, pick, words};
use crate::board::picture::{Department, Doctor, Picture};
use crate::model::ClinicKind;
use crate::wire::{DepartmentRules, DivisionWords, Limits};

/// The rules of a department: by kind of clinic that it has (all kinds when it has none just now), then the doctors for whom the
/// division is otherwise.
pub(crate) fn department(picture: &Picture, department: &Department, limits: &Limits) -> DepartmentRules {
    let own: Vec<_> = picture.clinics_at(&department.clinics).collect();
    let mut kinds: Vec<ClinicKind> = own.iter().map(|c| c.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        kinds = ClinicKind::ALL.to_vec();
    }
    let kin = |kind, doctor: Option<&Doctor>| Kin {
        department: department.id,
        parent: department.parent,
        doctor: doctor.map(|d| d.id),
        kind,
    };
    let said = |kind: ClinicKind, doctor: Option<&Doctor>| DivisionWords {
        kind,
        kind_name: kind.name(),
        doctor_id: doctor.map(|d| d.id),
        doctor_name: doctor.map(|d| d.name.clone()),
        release: words::release(&picture.rules.of(department.id, kind), None),
        division: pick(&picture.quota_rules, &kin(kind, doctor))
            .map(|rule| words::division(&rule.shares))
            .unwrap_or_default(),
    };
    let mut clinics: Vec<DivisionWords> = kinds.iter().map(|kind| said(*kind, None)).collect();
    for doctor in department.doctors.iter().filter_map(|i| picture.doctors.get(*i)) {
        for kind in &kinds {
            let sits = own.iter().any(|c| c.doctor == Some(doctor.id) && c.kind == *kind);
            let rule = |d| pick(&picture.quota_rules, &kin(*kind, d)).map(|r| r.id);
            if sits && rule(Some(doctor)) != rule(None) {
                clinics.push(said(*kind, Some(doctor)));
            }
        }
    }
    DepartmentRules {
        department_id: department.id,
        department_name: department.name.clone(),
        clinics,
        limits: words::limits(limits),
    }
}
