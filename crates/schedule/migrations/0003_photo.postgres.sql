-- Photos that staff have put there, by what they show; one that no doctor points to is removed.
CREATE TABLE doctor_photo (
    hospital_id BIGINT NOT NULL,
    name        TEXT   NOT NULL,
    media_type  TEXT   NOT NULL,
    content     BYTEA NOT NULL,
    added_at    BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, name)
);
