-- Pushes of one account that came together in a storm, kept as one row until a worker tells them apart: one page written
-- where each push by itself would touch four trees. A row stands here before WeChat gets its answers.
-- body: all of them, sealed as one. pushes: how many. attempts: as in wechat_push.
CREATE TABLE wechat_bundle (
    hospital_id        BIGINT NOT NULL,
    id                 TEXT   NOT NULL,
    channel_account_id TEXT   NOT NULL,
    received_at        BIGINT NOT NULL,
    pushes             BIGINT NOT NULL CHECK (pushes > 0),
    attempts           BIGINT NOT NULL DEFAULT 0,
    leased_until       BIGINT NOT NULL DEFAULT 0,
    body               TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, id)
);
-- Oldest first.
CREATE INDEX wechat_bundle_waiting ON wechat_bundle (received_at, id);
