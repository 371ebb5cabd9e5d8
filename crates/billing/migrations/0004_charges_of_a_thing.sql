-- The cashier's office also looks at what came to nothing.
CREATE INDEX charge_of ON charge (hospital_id, kind, subject);
