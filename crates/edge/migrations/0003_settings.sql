-- Goes up with every change of a section, so that two who change it at the same time notice each other.
ALTER TABLE setting ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- What was changed in a section of a hospital's settings: what stood there before (NULL when nothing did) and after. Never
-- changed itself; taking a change back is a change of its own, which names the one it takes back.
CREATE TABLE setting_change (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    section     TEXT   NOT NULL,
    before      TEXT,
    after       TEXT   NOT NULL,
    undoes      TEXT,
    changed_by  TEXT   NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, undoes) REFERENCES setting_change (hospital_id, id)
);
CREATE INDEX setting_change_section ON setting_change (hospital_id, section, changed_at);
CREATE UNIQUE INDEX setting_change_undone ON setting_change (hospital_id, undoes) WHERE undoes IS NOT NULL;
