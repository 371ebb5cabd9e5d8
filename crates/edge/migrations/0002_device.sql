-- Screens and kiosks of the hospital sign in, too. A CHECK can't be changed in place on SQLite, so the table is written anew.
CREATE TABLE session_next (
    token_hash  TEXT   NOT NULL PRIMARY KEY,
    hospital_id BIGINT NOT NULL,
    actor_kind  TEXT   NOT NULL CHECK (actor_kind IN ('account', 'staff', 'device')),
    actor_id    TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    roles       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    idle_ms     BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    device      TEXT   NOT NULL
);
INSERT INTO session_next (token_hash, hospital_id, actor_kind, actor_id, channel, roles, created_at, seen_at, idle_ms, ends_at, device)
    SELECT token_hash, hospital_id, actor_kind, actor_id, channel, roles, created_at, seen_at, idle_ms, ends_at, device FROM session;
DROP TABLE session;
ALTER TABLE session_next RENAME TO session;
CREATE INDEX session_actor ON session (hospital_id, actor_kind, actor_id);
CREATE INDEX session_end ON session (ends_at);
