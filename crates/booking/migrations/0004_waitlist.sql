-- A place of a full clinic that somebody gave up. It stays taken (and on hold) until `offer_at`, when whoever waits longest is
-- offered it; with nobody waiting it goes back to everybody, but not before `public_at`, a moment that nobody can know.
-- `channel` is the one that the place is charged to where the clinic is divided.
CREATE TABLE freed_place (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    slot_id     TEXT   NOT NULL,
    clinic_id   TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    freed_at    BIGINT NOT NULL,
    offer_at    BIGINT NOT NULL,
    public_at   BIGINT NOT NULL CHECK (public_at >= freed_at),
    PRIMARY KEY (hospital_id, id)
);
CREATE INDEX freed_place_due ON freed_place (hospital_id, offer_at);

-- Who waits (候补) for a place of a clinic, of a doctor on a date, or of a department on a date; `target` names which, in one
-- text. In the order of `joined_at`.
CREATE TABLE waitlist (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    account_id     TEXT   NOT NULL,
    person_id      TEXT   NOT NULL,
    target         TEXT   NOT NULL,
    clinic_id      TEXT,
    doctor_id      TEXT,
    department_id  TEXT   NOT NULL,
    date           TEXT   NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('waiting', 'offered', 'accepted', 'left', 'missed', 'closed')),
    joined_at      BIGINT NOT NULL,
    closes_at      BIGINT NOT NULL,
    appointment_id TEXT,
    offered_at     BIGINT,
    ended_at       BIGINT,
    PRIMARY KEY (hospital_id, id),
    CHECK (state NOT IN ('offered', 'accepted') OR appointment_id IS NOT NULL)
);
CREATE UNIQUE INDEX waitlist_once ON waitlist (hospital_id, person_id, target) WHERE state IN ('waiting', 'offered');
CREATE UNIQUE INDEX waitlist_offer ON waitlist (hospital_id, appointment_id) WHERE appointment_id IS NOT NULL;
CREATE INDEX waitlist_line ON waitlist (hospital_id, target, joined_at, id) WHERE state = 'waiting';
CREATE INDEX waitlist_close ON waitlist (hospital_id, closes_at) WHERE state = 'waiting';
CREATE INDEX waitlist_account ON waitlist (hospital_id, account_id, joined_at);
CREATE INDEX waitlist_date ON waitlist (hospital_id, date);
