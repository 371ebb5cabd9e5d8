-- A clinic that a person changed is left as it is by templates. `divided` repeats that it has quotas where a booking locks
-- it; `add_on_limit` is how many numbers may be added to it, by the hospital's setting when NULL.
ALTER TABLE clinic ADD COLUMN by_hand BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clinic ADD COLUMN divided BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clinic ADD COLUMN add_on_limit BIGINT;

-- Unsold places of a channel go to `hand_back_to` at `hand_back_at`; `kept` of them never do. `rest` marks the channel that
-- gets what the others leave when the clinic's capacity changes.
ALTER TABLE quota ADD COLUMN hand_back_to TEXT;
ALTER TABLE quota ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quota ADD COLUMN rest BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quota ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX quota_changed ON quota (changed_at);

-- How places are divided by channel: for a doctor's clinics of a kind, a doctor's, a department's of a kind, a
-- department's, the hospital's; the first of these that there is. `shares` is JSON.
CREATE TABLE quota_rule (
    hospital_id   BIGINT NOT NULL,
    id            TEXT   NOT NULL,
    department_id TEXT,
    doctor_id     TEXT,
    kind          TEXT,
    shares        TEXT   NOT NULL,
    changed_at    BIGINT NOT NULL,
    changed_by    TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, department_id) REFERENCES department (hospital_id, id),
    FOREIGN KEY (hospital_id, doctor_id) REFERENCES doctor (hospital_id, id),
    CHECK (department_id IS NULL OR doctor_id IS NULL)
);
CREATE UNIQUE INDEX quota_rule_scope ON quota_rule
    (hospital_id, COALESCE(department_id, ''), COALESCE(doctor_id, ''), COALESCE(kind, ''));

-- A year of the working-day calendar as the hospital has loaded it; years that are not here are those that the program
-- brings along.
CREATE TABLE calendar_year (
    hospital_id BIGINT NOT NULL,
    year        BIGINT NOT NULL,
    content     TEXT   NOT NULL,
    loaded_by   TEXT   NOT NULL,
    loaded_at   BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, year)
);

-- A clinic that comes again every week, or every other. `segments` is JSON: start, end, capacity.
CREATE TABLE clinic_template (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    department_id  TEXT   NOT NULL,
    doctor_id      TEXT,
    campus_id      TEXT   NOT NULL,
    weekday        BIGINT NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    weeks          TEXT   NOT NULL CHECK (weeks IN ('every', 'odd', 'even', 'counted')),
    every_weeks    BIGINT NOT NULL CHECK (every_weeks BETWEEN 1 AND 12),
    half_day       TEXT   NOT NULL CHECK (half_day IN ('am', 'pm', 'night')),
    kind           TEXT   NOT NULL CHECK (kind IN ('general', 'specialist', 'special')),
    online         BIGINT NOT NULL CHECK (online IN (0, 1)),
    fee_fen        BIGINT NOT NULL CHECK (fee_fen >= 0),
    room_zh        TEXT,
    room_en        TEXT,
    segments       TEXT   NOT NULL,
    cutoff_minutes BIGINT,
    valid_from     TEXT   NOT NULL,
    valid_until    TEXT,
    holidays       TEXT   NOT NULL CHECK (holidays IN ('closed', 'open')),
    make_up        TEXT   NOT NULL CHECK (make_up IN ('follow', 'own', 'closed')),
    active         BIGINT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    changed_at     BIGINT NOT NULL,
    changed_by     TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, department_id) REFERENCES department (hospital_id, id),
    FOREIGN KEY (hospital_id, doctor_id) REFERENCES doctor (hospital_id, id),
    FOREIGN KEY (hospital_id, campus_id) REFERENCES campus (hospital_id, id),
    CHECK ((room_zh IS NULL) = (room_en IS NULL)),
    CHECK (valid_until IS NULL OR valid_until >= valid_from)
);
CREATE INDEX clinic_template_department ON clinic_template (hospital_id, department_id);

-- A date on which a template's clinic does not take place (no segments), or at other times.
CREATE TABLE template_exception (
    hospital_id BIGINT NOT NULL,
    template_id TEXT   NOT NULL,
    date        TEXT   NOT NULL,
    segments    TEXT,
    note        TEXT   NOT NULL,
    changed_at  BIGINT NOT NULL,
    changed_by  TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, template_id, date),
    FOREIGN KEY (hospital_id, template_id) REFERENCES clinic_template (hospital_id, id)
);

-- What came of a template on a date: made once, whoever makes it.
CREATE TABLE template_clinic (
    hospital_id BIGINT NOT NULL,
    template_id TEXT   NOT NULL,
    date        TEXT   NOT NULL,
    clinic_id   TEXT,
    made_at     BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, template_id, date),
    FOREIGN KEY (hospital_id, template_id) REFERENCES clinic_template (hospital_id, id)
);
CREATE INDEX template_clinic_clinic ON template_clinic (hospital_id, clinic_id);

-- More is done to clinics than stopping them: a part is stopped, a stop is taken back, another doctor sits.
CREATE TABLE clinic_act (
    hospital_id   BIGINT NOT NULL,
    id            TEXT   NOT NULL,
    clinic_id     TEXT   NOT NULL,
    kind          TEXT   NOT NULL CHECK (kind IN ('stopped', 'part_stopped', 'resumed', 'replaced')),
    reason_zh     TEXT   NOT NULL,
    reason_en     TEXT   NOT NULL,
    actor         TEXT   NOT NULL,
    at            BIGINT NOT NULL,
    slots         TEXT,
    old_doctor_id TEXT,
    new_doctor_id TEXT,
    undone_at     BIGINT,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, clinic_id) REFERENCES clinic (hospital_id, id)
);
INSERT INTO clinic_act (hospital_id, id, clinic_id, kind, reason_zh, reason_en, actor, at)
    SELECT hospital_id, id, clinic_id, kind, reason_zh, reason_en, actor, at FROM clinic_change;
DROP TABLE clinic_change;
ALTER TABLE clinic_act RENAME TO clinic_change;
CREATE INDEX clinic_change_clinic ON clinic_change (hospital_id, clinic_id, at);
