-- What a batch looks for by account or person leads with them. All other indexes lead with the hospital, and a PostgreSQL that
-- does not know yet how full the table is takes any of them for as good, and reads a whole hospital for each wish.
DROP INDEX appointment_key;
CREATE UNIQUE INDEX appointment_key ON appointment (account_id, key, hospital_id);
DROP INDEX appointment_person;
CREATE INDEX appointment_person ON appointment (person_id, date, hospital_id);
