//! Departments, doctors, clinics, slots, quotas and release: what can be had, and when.
