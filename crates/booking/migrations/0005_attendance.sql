-- A no-show that the hospital has lifted counts for nothing any more.
ALTER TABLE appointment ADD COLUMN excused_at BIGINT;

-- Who did not come (爽约), one row for each appointment, and what they say to that. Texts are sealed.
CREATE TABLE no_show (
    hospital_id    BIGINT NOT NULL,
    appointment_id TEXT   NOT NULL,
    person_id      TEXT   NOT NULL,
    account_id     TEXT   NOT NULL,
    slot_id        TEXT   NOT NULL,
    department_id  TEXT   NOT NULL,
    doctor_id      TEXT,
    date           TEXT   NOT NULL,
    start_at       BIGINT NOT NULL,
    recorded_at    BIGINT NOT NULL,
    appeal         TEXT   NOT NULL DEFAULT 'none' CHECK (appeal IN ('none', 'open', 'lifted', 'kept')),
    appeal_text    TEXT,
    appealed_at    BIGINT,
    decided_at     BIGINT,
    decided_by     TEXT,
    decision       TEXT,
    PRIMARY KEY (hospital_id, appointment_id),
    FOREIGN KEY (hospital_id, appointment_id) REFERENCES appointment (hospital_id, id),
    CHECK (appeal <> 'open' OR appeal_text IS NOT NULL),
    CHECK (appeal NOT IN ('lifted', 'kept') OR (decided_at IS NOT NULL AND decided_by IS NOT NULL AND decision IS NOT NULL))
);
CREATE INDEX no_show_person ON no_show (hospital_id, person_id, date);
CREATE INDEX no_show_open ON no_show (hospital_id, appealed_at) WHERE appeal = 'open';
CREATE INDEX no_show_date ON no_show (hospital_id, date);

-- Clinics that were looked through after their end.
CREATE TABLE attendance_done (
    hospital_id BIGINT NOT NULL,
    clinic_id   TEXT   NOT NULL,
    done_at     BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, clinic_id)
);
CREATE INDEX attendance_done_at ON attendance_done (hospital_id, done_at);
