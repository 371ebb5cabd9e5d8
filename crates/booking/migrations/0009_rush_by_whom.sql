-- As in 0008: what a turn looks for by ticket, account or person leads with them.
CREATE UNIQUE INDEX rush_ticket_id ON rush_ticket (id, hospital_id);
DROP INDEX rush_ticket_key;
CREATE UNIQUE INDEX rush_ticket_key ON rush_ticket (account_id, key, hospital_id);
DROP INDEX rush_ticket_one;
CREATE UNIQUE INDEX rush_ticket_one ON rush_ticket (account_id, hospital_id) WHERE state = 'waiting';
-- When two files of one person become one, their tickets and waitlist entries are found by person.
CREATE INDEX rush_ticket_person ON rush_ticket (person_id, hospital_id);
CREATE INDEX waitlist_person ON waitlist (person_id, hospital_id);
