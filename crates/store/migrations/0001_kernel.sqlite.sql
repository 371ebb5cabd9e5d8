CREATE TABLE event (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    hospital_id  BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    payload      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    state        TEXT   NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done')),
    leased_until BIGINT NOT NULL DEFAULT 0,
    leased_by    TEXT,
    attempts     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX event_due ON event (seq) WHERE state = 'new';
CREATE INDEX event_key ON event (hospital_id, key, seq) WHERE state = 'new';
CREATE INDEX event_old ON event (created_at) WHERE state = 'done';

CREATE TABLE audit (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    hospital_id  BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    actor        TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    entity       TEXT   NOT NULL,
    detail       TEXT   NOT NULL,
    request_id   TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    link         BIGINT,
    hash         TEXT
);
CREATE INDEX audit_unlinked ON audit (hospital_id, seq) WHERE link IS NULL;
CREATE UNIQUE INDEX audit_link ON audit (hospital_id, link) WHERE link IS NOT NULL;
CREATE INDEX audit_entity ON audit (hospital_id, entity, at);
CREATE INDEX audit_at ON audit (hospital_id, at);

CREATE TABLE event_failure (
    hospital_id  BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    subscriber   TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    payload      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    error        TEXT   NOT NULL,
    leased_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (hospital_id, seq, subscriber)
);
CREATE INDEX event_failure_due ON event_failure (next_at) WHERE state = 'waiting';

CREATE TABLE job (
    hospital_id  BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    dedupe       TEXT   NOT NULL,
    payload      TEXT   NOT NULL,
    due_at       BIGINT NOT NULL,
    state        TEXT   NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    attempts     BIGINT NOT NULL DEFAULT 0,
    leased_until BIGINT NOT NULL DEFAULT 0,
    error        TEXT,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id)
);
CREATE UNIQUE INDEX job_once ON job (hospital_id, kind, dedupe) WHERE state = 'waiting';
CREATE INDEX job_due ON job (due_at) WHERE state = 'waiting';

CREATE TABLE lease (
    name   TEXT   NOT NULL PRIMARY KEY,
    owner  TEXT   NOT NULL,
    until  BIGINT NOT NULL,
    fence  BIGINT NOT NULL
);
