-- A person's place in a slot. The constraints below, not our checks, make a double booking impossible.
CREATE TABLE appointment (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    slot_id        TEXT   NOT NULL,
    clinic_id      TEXT   NOT NULL,
    doctor_id      TEXT,
    -- The doctor, or the department where a clinic has no named doctor: whom one can have one place with in a half day.
    provider_id    TEXT   NOT NULL,
    department_id  TEXT   NOT NULL,
    campus_id      TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    date           TEXT   NOT NULL,
    half_day       TEXT   NOT NULL,
    start_at       BIGINT NOT NULL,
    end_at         BIGINT NOT NULL,
    fee_fen        BIGINT NOT NULL CHECK (fee_fen >= 0),
    person_id      TEXT   NOT NULL,
    account_id     TEXT   NOT NULL,
    channel        TEXT   NOT NULL,
    number         BIGINT NOT NULL CHECK (number > 0),
    day_ordinal    BIGINT NOT NULL CHECK (day_ordinal > 0),
    state          TEXT   NOT NULL CHECK (state IN ('held', 'booked', 'checked_in', 'seen', 'cancelled', 'expired', 'no_show', 'stopped')),
    hold_until     BIGINT,
    pay            TEXT   NOT NULL CHECK (pay IN ('counter', 'online')),
    key            TEXT   NOT NULL,
    request_hash   TEXT   NOT NULL,
    check_in_code  TEXT   NOT NULL,
    booked_at      BIGINT NOT NULL,
    late           BIGINT NOT NULL,
    ended_at       BIGINT,
    ended_by       TEXT,
    end_reason     TEXT,
    moved_from     TEXT,
    moved_to       TEXT,
    reminded_at    BIGINT,
    PRIMARY KEY (hospital_id, id)
);
CREATE UNIQUE INDEX appointment_number ON appointment (hospital_id, slot_id, number);
CREATE UNIQUE INDEX appointment_key ON appointment (hospital_id, account_id, key);
CREATE UNIQUE INDEX appointment_code ON appointment (hospital_id, check_in_code);
CREATE UNIQUE INDEX appointment_once ON appointment (hospital_id, date, person_id, provider_id, half_day)
    WHERE state IN ('held', 'booked', 'checked_in', 'seen');
CREATE UNIQUE INDEX appointment_day ON appointment (hospital_id, date, person_id, day_ordinal)
    WHERE state IN ('held', 'booked', 'checked_in', 'seen');
CREATE INDEX appointment_person ON appointment (hospital_id, person_id, date);
CREATE INDEX appointment_clinic ON appointment (hospital_id, clinic_id);
CREATE INDEX appointment_remind ON appointment (hospital_id, date) WHERE state = 'booked' AND reminded_at IS NULL;
CREATE INDEX appointment_hold ON appointment (hospital_id, hold_until) WHERE state = 'held';
