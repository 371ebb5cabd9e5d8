-- What sort of visit it is, who of the staff made it, what it comes back to. A return visit (一次挂号管三天) is of no charge.
ALTER TABLE appointment ADD COLUMN visit TEXT NOT NULL DEFAULT 'regular' CHECK (visit IN ('regular', 'add_on', 'return_visit'));
ALTER TABLE appointment ADD COLUMN made_by TEXT;
ALTER TABLE appointment ADD COLUMN return_of TEXT
    CHECK ((visit = 'return_visit') = (return_of IS NOT NULL) AND (return_of IS NULL OR fee_fen = 0));
-- Until this date the person may make the return visit themselves: the doctor allowed it.
ALTER TABLE appointment ADD COLUMN return_until TEXT;
-- The hospital changed something: it may be given up or moved until it begins, and that never counts.
ALTER TABLE appointment ADD COLUMN excused BIGINT NOT NULL DEFAULT 0 CHECK (excused IN (0, 1));
ALTER TABLE appointment ADD COLUMN former_doctor_id TEXT;
-- The change of the clinic that called it off.
ALTER TABLE appointment ADD COLUMN stop_id TEXT;

-- A return visit to the same doctor in the same half day is the usual case, and it is none of the day's two places.
DROP INDEX appointment_once;
CREATE UNIQUE INDEX appointment_once ON appointment (hospital_id, date, person_id, provider_id, half_day)
    WHERE state IN ('held', 'booked', 'checked_in', 'seen') AND visit <> 'return_visit';
DROP INDEX appointment_day;
CREATE UNIQUE INDEX appointment_day ON appointment (hospital_id, date, person_id, day_ordinal)
    WHERE state IN ('held', 'booked', 'checked_in', 'seen') AND visit <> 'return_visit';
-- One comes back once.
CREATE UNIQUE INDEX appointment_return ON appointment (hospital_id, return_of)
    WHERE return_of IS NOT NULL AND state IN ('held', 'booked', 'checked_in', 'seen');
CREATE INDEX appointment_date ON appointment (hospital_id, date, start_at, id);
CREATE INDEX appointment_stop ON appointment (hospital_id, stop_id) WHERE stop_id IS NOT NULL;

-- Whoever had a place in what was called off and has not done anything about it. Staff call them from `due_at` on.
CREATE TABLE stop_call (
    hospital_id    BIGINT NOT NULL,
    appointment_id TEXT   NOT NULL,
    change_id      TEXT   NOT NULL,
    clinic_id      TEXT   NOT NULL,
    department_id  TEXT   NOT NULL,
    start_at       BIGINT NOT NULL,
    due_at         BIGINT NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('open', 'called', 'reached', 'booked', 'gave_up', 'undone')),
    tries          BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0),
    changed_by     TEXT   NOT NULL,
    changed_at     BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, appointment_id),
    FOREIGN KEY (hospital_id, appointment_id) REFERENCES appointment (hospital_id, id)
);
CREATE INDEX stop_call_due ON stop_call (hospital_id, start_at, appointment_id);
CREATE INDEX stop_call_change ON stop_call (hospital_id, change_id);

-- A code by which one patient takes a number that the doctor adds; it is kept as a hash and good once.
CREATE TABLE add_on_code (
    hospital_id    BIGINT NOT NULL,
    hash           TEXT   NOT NULL,
    slot_id        TEXT   NOT NULL,
    clinic_id      TEXT   NOT NULL,
    made_by        TEXT   NOT NULL,
    made_at        BIGINT NOT NULL,
    ends_at        BIGINT NOT NULL,
    used_at        BIGINT,
    appointment_id TEXT,
    PRIMARY KEY (hospital_id, hash),
    CHECK ((used_at IS NULL) = (appointment_id IS NULL))
);
CREATE INDEX add_on_code_clinic ON add_on_code (hospital_id, clinic_id, ends_at);
