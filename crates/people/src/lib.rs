//! Who is treated and who holds the phone: persons, accounts, bindings, consents, staff.
