CREATE TABLE hospital (
    id         BIGINT NOT NULL PRIMARY KEY,
    code       TEXT   NOT NULL UNIQUE,
    profile    TEXT   NOT NULL,
    zone       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE hospital_host (
    host        TEXT   NOT NULL PRIMARY KEY,
    hospital_id BIGINT NOT NULL REFERENCES hospital (id)
);

CREATE TABLE setting (
    hospital_id BIGINT NOT NULL,
    section     TEXT   NOT NULL,
    value       TEXT   NOT NULL,
    changed_by  TEXT   NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, section)
);

CREATE TABLE session (
    token_hash  TEXT   NOT NULL PRIMARY KEY,
    hospital_id BIGINT NOT NULL,
    actor_kind  TEXT   NOT NULL CHECK (actor_kind IN ('account', 'staff')),
    actor_id    TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    roles       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    idle_ms     BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    device      TEXT   NOT NULL
);
CREATE INDEX session_actor ON session (hospital_id, actor_kind, actor_id);
CREATE INDEX session_end ON session (ends_at);

CREATE TABLE idempotency (
    hospital_id  BIGINT NOT NULL,
    actor        TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    request_hash TEXT   NOT NULL,
    status       BIGINT NOT NULL,
    body         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, actor, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
