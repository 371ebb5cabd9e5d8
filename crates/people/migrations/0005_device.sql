-- Screens on the wall and kiosks that may sign in, and what each is to show.
CREATE TABLE device (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('screen', 'kiosk')),
    name        TEXT   NOT NULL,
    view        TEXT   NOT NULL CHECK (view IN ('area', 'door', 'overview', 'experts', 'kiosk')),
    view_of     TEXT   NOT NULL,
    added_at    BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    -- Only a kiosk acts for people; a screen in a hall has no keys.
    CHECK ((kind = 'kiosk') = (view = 'kiosk'))
);

-- A device that asks to sign in shows a code; whoever types it in the console lets the device in. Only keyed hashes are kept of
-- the code, which stands on the screen, and of the secret, which the device keeps to itself.
CREATE TABLE device_pairing (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    code_hash   TEXT   NOT NULL,
    secret_hash TEXT   NOT NULL,
    device_id   TEXT,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, device_id) REFERENCES device (hospital_id, id)
);
CREATE UNIQUE INDEX device_pairing_code ON device_pairing (hospital_id, code_hash);
CREATE INDEX device_pairing_device ON device_pairing (hospital_id, device_id);
CREATE INDEX device_pairing_age ON device_pairing (expires_at);
