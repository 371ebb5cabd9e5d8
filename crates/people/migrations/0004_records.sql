-- Lists of patients that are brought in from a file. The rows stay sealed until they are worked on, and are then wiped; what
-- became of each stays for the report.
CREATE TABLE patient_import (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    request_key TEXT   NOT NULL,
    file_name   TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('waiting', 'done')),
    total       BIGINT NOT NULL,
    started_by  TEXT   NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, request_key)
);
CREATE TABLE patient_import_row (
    hospital_id BIGINT NOT NULL,
    import_id   TEXT   NOT NULL,
    line        BIGINT NOT NULL,
    body        TEXT,
    outcome     TEXT   NOT NULL CHECK (outcome IN ('waiting', 'added', 'there', 'wrong')),
    problem     TEXT,
    person_id   TEXT,
    PRIMARY KEY (hospital_id, import_id, line),
    FOREIGN KEY (hospital_id, import_id) REFERENCES patient_import (hospital_id, id)
);
CREATE INDEX patient_import_row_waiting ON patient_import_row (hospital_id, import_id, line) WHERE outcome = 'waiting';

-- The wordings of the privacy notice and the consents. Which one is in force stands in the settings; a wording that was in
-- force once is not changed any more, since people agreed to it.
CREATE TABLE consent_text (
    hospital_id  BIGINT NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('privacy', 'consent')),
    version      TEXT   NOT NULL,
    title_zh     TEXT   NOT NULL,
    title_en     TEXT   NOT NULL,
    body_zh      TEXT   NOT NULL,
    body_en      TEXT   NOT NULL,
    written_by   TEXT   NOT NULL,
    written_at   BIGINT NOT NULL,
    published_at BIGINT,
    PRIMARY KEY (hospital_id, kind, version)
);

-- When somebody took a consent back. What was agreed to before stays on record.
ALTER TABLE consent ADD COLUMN withdrawn_at BIGINT;
