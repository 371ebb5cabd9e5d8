-- One row per hospital; its version goes up with every change that is more than a count of taken places, so that the
-- boards in memory know when to read all of it again.
CREATE TABLE schedule_version (
    hospital_id BIGINT NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL
);

CREATE TABLE campus (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    name_zh     TEXT   NOT NULL,
    name_en     TEXT   NOT NULL,
    address_zh  TEXT   NOT NULL,
    address_en  TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, code)
);

-- Two levels: a department without parent, and those below it.
CREATE TABLE department (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    parent_id   TEXT,
    name_zh     TEXT   NOT NULL,
    name_en     TEXT   NOT NULL,
    intro_zh    TEXT   NOT NULL,
    intro_en    TEXT   NOT NULL,
    initials    TEXT   NOT NULL,
    pinyin      TEXT   NOT NULL,
    child_only  BIGINT NOT NULL CHECK (child_only IN (0, 1)),
    adult_only  BIGINT NOT NULL CHECK (adult_only IN (0, 1)),
    position    BIGINT NOT NULL,
    active      BIGINT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, code),
    FOREIGN KEY (hospital_id, parent_id) REFERENCES department (hospital_id, id),
    CHECK (child_only + adult_only <= 1),
    CHECK (parent_id IS NULL OR parent_id <> id)
);
CREATE INDEX department_parent ON department (hospital_id, parent_id);

-- title_code: 1 chief, 2 associate chief, 3 attending, 4 resident, 5 assistant physician.
CREATE TABLE doctor (
    hospital_id     BIGINT NOT NULL,
    id              TEXT   NOT NULL,
    code            TEXT   NOT NULL,
    name_zh         TEXT   NOT NULL,
    name_en         TEXT   NOT NULL,
    initials        TEXT   NOT NULL,
    pinyin          TEXT   NOT NULL,
    title_code      BIGINT NOT NULL CHECK (title_code BETWEEN 1 AND 5),
    specialities_zh TEXT   NOT NULL,
    specialities_en TEXT   NOT NULL,
    introduction_zh TEXT   NOT NULL,
    introduction_en TEXT   NOT NULL,
    photo_url       TEXT,
    position        BIGINT NOT NULL,
    active          BIGINT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, code)
);

-- The department at position 0 is the one that stands beside the doctor's name.
CREATE TABLE doctor_department (
    hospital_id   BIGINT NOT NULL,
    doctor_id     TEXT   NOT NULL,
    department_id TEXT   NOT NULL,
    position      BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, doctor_id, department_id),
    FOREIGN KEY (hospital_id, doctor_id) REFERENCES doctor (hospital_id, id),
    FOREIGN KEY (hospital_id, department_id) REFERENCES department (hospital_id, id)
);
CREATE INDEX doctor_department_members ON doctor_department (hospital_id, department_id);

-- One sitting. opens_at and closes_at bound the time in which its places can be had; both are whole minutes, so that an
-- answer in memory holds for the minute.
CREATE TABLE clinic (
    hospital_id   BIGINT NOT NULL,
    id            TEXT   NOT NULL,
    department_id TEXT   NOT NULL,
    doctor_id     TEXT,
    campus_id     TEXT   NOT NULL,
    date          TEXT   NOT NULL,
    half_day      TEXT   NOT NULL CHECK (half_day IN ('am', 'pm', 'night')),
    kind          TEXT   NOT NULL CHECK (kind IN ('general', 'specialist', 'special')),
    online        BIGINT NOT NULL CHECK (online IN (0, 1)),
    fee_fen       BIGINT NOT NULL CHECK (fee_fen >= 0),
    room_zh       TEXT,
    room_en       TEXT,
    opens_at      BIGINT NOT NULL CHECK (opens_at % 60000 = 0),
    closes_at     BIGINT NOT NULL CHECK (closes_at % 60000 = 0),
    state         TEXT   NOT NULL CHECK (state IN ('open', 'stopped')),
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, department_id) REFERENCES department (hospital_id, id),
    FOREIGN KEY (hospital_id, doctor_id) REFERENCES doctor (hospital_id, id),
    FOREIGN KEY (hospital_id, campus_id) REFERENCES campus (hospital_id, id),
    CHECK (opens_at < closes_at),
    CHECK ((room_zh IS NULL) = (room_en IS NULL))
);
CREATE UNIQUE INDEX clinic_of_doctor ON clinic (hospital_id, doctor_id, date, half_day, campus_id, kind, online)
    WHERE doctor_id IS NOT NULL;
CREATE UNIQUE INDEX clinic_of_department ON clinic (hospital_id, department_id, date, half_day, campus_id, kind, online)
    WHERE doctor_id IS NULL;
CREATE INDEX clinic_department_date ON clinic (hospital_id, department_id, date);
CREATE INDEX clinic_date ON clinic (hospital_id, date);

-- A time segment of a clinic. `taken` counts the places that are gone, those on hold (`held`) included; `last_number` only
-- grows: a number that was given is not given again. `stopped` repeats the clinic's state where a booking locks the row.
-- `changed_at` is when a count last changed: what boards in memory look for; 0 when none ever did.
CREATE TABLE slot (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    clinic_id   TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    start_at    BIGINT NOT NULL CHECK (start_at % 60000 = 0),
    end_at      BIGINT NOT NULL,
    start_wall  TEXT   NOT NULL,
    end_wall    TEXT   NOT NULL,
    capacity    BIGINT NOT NULL CHECK (capacity >= 0),
    taken       BIGINT NOT NULL DEFAULT 0,
    held        BIGINT NOT NULL DEFAULT 0,
    last_number BIGINT NOT NULL DEFAULT 0,
    stopped     BIGINT NOT NULL DEFAULT 0 CHECK (stopped IN (0, 1)),
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, clinic_id, position),
    UNIQUE (hospital_id, clinic_id, start_at),
    FOREIGN KEY (hospital_id, clinic_id) REFERENCES clinic (hospital_id, id),
    CONSTRAINT slot_half_hour CHECK (end_at > start_at AND end_at - start_at <= 1800000),
    CONSTRAINT slot_not_oversold CHECK (taken >= 0 AND taken <= capacity),
    CONSTRAINT slot_held CHECK (held >= 0 AND held <= taken),
    CONSTRAINT slot_numbers CHECK (last_number >= taken)
);
CREATE INDEX slot_changed ON slot (changed_at);

-- A clinic's places divided by channel. A clinic without rows is not divided.
CREATE TABLE quota (
    hospital_id  BIGINT NOT NULL,
    clinic_id    TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    capacity     BIGINT NOT NULL CHECK (capacity >= 0),
    taken        BIGINT NOT NULL DEFAULT 0,
    hand_back_at BIGINT,
    PRIMARY KEY (hospital_id, clinic_id, channel),
    FOREIGN KEY (hospital_id, clinic_id) REFERENCES clinic (hospital_id, id),
    CONSTRAINT quota_not_oversold CHECK (taken >= 0 AND taken <= capacity)
);
CREATE INDEX quota_hand_back ON quota (hand_back_at) WHERE hand_back_at IS NOT NULL;

-- What was done to a clinic that patients must hear of: by whom, when, why. Never changed.
CREATE TABLE clinic_change (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    clinic_id   TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('stopped')),
    reason_zh   TEXT   NOT NULL,
    reason_en   TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, clinic_id) REFERENCES clinic (hospital_id, id)
);
CREATE INDEX clinic_change_clinic ON clinic_change (hospital_id, clinic_id, at);
