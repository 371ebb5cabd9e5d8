-- The line at the door when numbers are released. A ticket is served in the order of `due_at`, `wave`, `turn`, `id`: in the draw
-- (wave 0, who came in the first second) `turn` is random, decided here; later (wave 1) it is when they came, in
-- microseconds. One account stands in line once.
CREATE TABLE rush_ticket (
    hospital_id  BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    account_id   TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    request_hash TEXT   NOT NULL,
    person_id    TEXT   NOT NULL,
    slot_id      TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    request_id   TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    due_at       BIGINT NOT NULL,
    wave         BIGINT NOT NULL CHECK (wave IN (0, 1)),
    turn         BIGINT NOT NULL,
    arrived_at   BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('waiting', 'done')),
    served       BIGINT,
    outcome      TEXT,
    done_at      BIGINT,
    PRIMARY KEY (hospital_id, id),
    CHECK (state = 'waiting' OR (served IS NOT NULL AND outcome IS NOT NULL AND done_at IS NOT NULL))
);
CREATE UNIQUE INDEX rush_ticket_key ON rush_ticket (hospital_id, account_id, key);
CREATE UNIQUE INDEX rush_ticket_one ON rush_ticket (hospital_id, account_id) WHERE state = 'waiting';
CREATE INDEX rush_ticket_line ON rush_ticket (hospital_id, due_at, wave, turn, id) WHERE state = 'waiting';
CREATE INDEX rush_ticket_done ON rush_ticket (hospital_id, done_at) WHERE state = 'done';
