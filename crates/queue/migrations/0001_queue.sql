-- Where people wait: a waiting room with its wall screen, its door code and, perhaps, a circle on the map. `epoch` is part of
-- the door code: with the next one all posters printed before are void.
CREATE TABLE queue_area (
    hospital_id  BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    code         TEXT   NOT NULL,
    campus_id    TEXT,
    name_zh      TEXT   NOT NULL,
    name_en      TEXT   NOT NULL,
    way_zh       TEXT   NOT NULL,
    way_en       TEXT   NOT NULL,
    latitude_e6  BIGINT CHECK (latitude_e6 BETWEEN -90000000 AND 90000000),
    longitude_e6 BIGINT CHECK (longitude_e6 BETWEEN -180000000 AND 180000000),
    radius_m     BIGINT CHECK (radius_m BETWEEN 10 AND 5000),
    epoch        BIGINT NOT NULL DEFAULT 1,
    version      BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, code),
    CHECK ((latitude_e6 IS NULL) = (longitude_e6 IS NULL) AND (latitude_e6 IS NULL) = (radius_m IS NULL))
);

-- A room, window or bench at which people are served.
CREATE TABLE queue_room (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    area_id     TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    name_zh     TEXT   NOT NULL,
    name_en     TEXT   NOT NULL,
    version     BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, code),
    FOREIGN KEY (hospital_id, area_id) REFERENCES queue_area (hospital_id, id)
);
CREATE INDEX queue_room_area ON queue_room (hospital_id, area_id);

-- A line of people. A clinic's line belongs to a doctor, or to a department whose doctors share it.
CREATE TABLE queue (
    hospital_id     BIGINT NOT NULL,
    id              TEXT   NOT NULL,
    code            TEXT   NOT NULL,
    kind            TEXT   NOT NULL CHECK (kind IN ('clinic', 'lab', 'imaging', 'pharmacy', 'optician', 'service')),
    name_zh         TEXT   NOT NULL,
    name_en         TEXT   NOT NULL,
    prefix          TEXT   NOT NULL,
    area_id         TEXT,
    department_id   TEXT,
    doctor_id       TEXT,
    policy          TEXT   NOT NULL CHECK (policy IN ('clinic', 'first_come', 'triage')),
    service_seconds BIGINT NOT NULL CHECK (service_seconds BETWEEN 10 AND 14400),
    state           TEXT   NOT NULL CHECK (state IN ('open', 'paused', 'closed')),
    paused_until    BIGINT,
    note_zh         TEXT,
    note_en         TEXT,
    active          BIGINT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    version         BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, code),
    FOREIGN KEY (hospital_id, area_id) REFERENCES queue_area (hospital_id, id)
);
CREATE INDEX queue_area_of ON queue (hospital_id, area_id);
CREATE INDEX queue_department ON queue (hospital_id, department_id);
CREATE UNIQUE INDEX queue_doctor ON queue (hospital_id, doctor_id, department_id) WHERE doctor_id IS NOT NULL AND active = 1;

CREATE TABLE queue_at_room (
    hospital_id BIGINT NOT NULL,
    queue_id    TEXT   NOT NULL,
    room_id     TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, queue_id, room_id),
    FOREIGN KEY (hospital_id, queue_id) REFERENCES queue (hospital_id, id),
    FOREIGN KEY (hospital_id, room_id) REFERENCES queue_room (hospital_id, id)
);
CREATE INDEX queue_at_room_room ON queue_at_room (hospital_id, room_id);

-- A line on one day. Whoever gives a number or calls locks this row: numbers only grow, and the turns that decide who is next
-- are counted here.
CREATE TABLE queue_day (
    hospital_id    BIGINT NOT NULL,
    queue_id       TEXT   NOT NULL,
    date           TEXT   NOT NULL,
    last_number    BIGINT NOT NULL DEFAULT 0,
    calls          BIGINT NOT NULL DEFAULT 0,
    since_return   BIGINT NOT NULL DEFAULT 99,
    since_priority BIGINT NOT NULL DEFAULT 99,
    inserted       BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (hospital_id, queue_id, date)
);

-- A place in a line. The unique indexes make sure that an appointment, an order and a person without either have one number,
-- and that nobody is called into a room in which somebody is.
CREATE TABLE ticket (
    hospital_id    BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    queue_id       TEXT   NOT NULL,
    date           TEXT   NOT NULL,
    number         BIGINT NOT NULL CHECK (number > 0),
    label          TEXT   NOT NULL,
    appointment_id TEXT,
    clinic_id      TEXT,
    order_id       TEXT,
    person_id      TEXT,
    account_id     TEXT,
    name_masked    TEXT   NOT NULL,
    class          TEXT   CHECK (class IN ('emergency', 'elder', 'military', 'pregnant', 'disabled', 'child', 'staff')),
    class_reason   TEXT,
    origin         TEXT   NOT NULL CHECK (origin IN ('code', 'position', 'desk', 'kiosk', 'order')),
    arrival        TEXT   NOT NULL CHECK (arrival IN ('early', 'on_time', 'late', 'none')),
    state          TEXT   NOT NULL CHECK (state IN ('waiting', 'called', 'serving', 'away', 'done', 'left', 'void')),
    segment_at     BIGINT,
    line_at        BIGINT NOT NULL,
    checked_in_at  BIGINT NOT NULL,
    returned_at    BIGINT,
    misses         BIGINT NOT NULL DEFAULT 0 CHECK (misses >= 0),
    due_turn       BIGINT,
    room_id        TEXT,
    called_by      TEXT,
    called_at      BIGINT,
    times          BIGINT NOT NULL DEFAULT 0,
    began_at       BIGINT,
    ended_at       BIGINT,
    told           BIGINT NOT NULL DEFAULT 0,
    low_at         BIGINT,
    high_at        BIGINT,
    earliest_at    BIGINT,
    settled        BIGINT NOT NULL DEFAULT 1 CHECK (settled IN (0, 1)),
    version        BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, queue_id, date, number),
    FOREIGN KEY (hospital_id, queue_id) REFERENCES queue (hospital_id, id),
    CHECK (state NOT IN ('called', 'serving') OR (room_id IS NOT NULL AND called_at IS NOT NULL)),
    CHECK (state NOT IN ('done', 'left', 'void') OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX ticket_of_appointment ON ticket (hospital_id, appointment_id) WHERE appointment_id IS NOT NULL;
CREATE UNIQUE INDEX ticket_of_order ON ticket (hospital_id, order_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX ticket_of_person ON ticket (hospital_id, queue_id, date, person_id)
    WHERE appointment_id IS NULL AND order_id IS NULL AND person_id IS NOT NULL AND state IN ('waiting', 'called', 'serving', 'away');
CREATE UNIQUE INDEX ticket_in_room ON ticket (hospital_id, room_id) WHERE state IN ('called', 'serving');
CREATE INDEX ticket_person ON ticket (hospital_id, person_id, date);
CREATE INDEX ticket_date ON ticket (hospital_id, date);
CREATE INDEX ticket_open ON ticket (hospital_id, called_at) WHERE state IN ('called', 'serving');

-- Every step of a ticket with its time. Never changed.
CREATE TABLE ticket_step (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    ticket_id   TEXT   NOT NULL,
    step        TEXT   NOT NULL CHECK (step IN ('checked_in', 'called', 'recalled', 'began', 'passed', 'exam', 'back', 'ended', 'left',
                    'void', 'transferred', 'class', 'undone', 'settled')),
    at          BIGINT NOT NULL,
    actor       TEXT   NOT NULL,
    room_id     TEXT,
    PRIMARY KEY (hospital_id, id),
    FOREIGN KEY (hospital_id, ticket_id) REFERENCES ticket (hospital_id, id)
);
CREATE INDEX ticket_step_of ON ticket_step (hospital_id, ticket_id, at);

-- Which room a member of staff sits in and which lines they serve from it.
CREATE TABLE queue_desk (
    hospital_id BIGINT NOT NULL,
    staff_id    TEXT   NOT NULL,
    room_id     TEXT,
    queue_ids   TEXT   NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, staff_id),
    FOREIGN KEY (hospital_id, room_id) REFERENCES queue_room (hospital_id, id)
);

-- What was done at a desk, with how the tickets stood before: for taking it back within seconds.
CREATE TABLE queue_action (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    staff_id    TEXT   NOT NULL,
    what        TEXT   NOT NULL,
    was         TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    undone_at   BIGINT,
    PRIMARY KEY (hospital_id, id)
);
CREATE INDEX queue_action_of ON queue_action (hospital_id, staff_id, at);
CREATE INDEX queue_action_old ON queue_action (at);

-- How long service takes in a line, learned from what ended: mean and spread of the logarithm of seconds, old days fading.
CREATE TABLE queue_pace (
    hospital_id BIGINT NOT NULL,
    queue_id    TEXT   NOT NULL,
    band        TEXT   NOT NULL CHECK (band IN ('am', 'pm', 'night')),
    visit       TEXT   NOT NULL CHECK (visit IN ('first', 'return')),
    weight_e3   BIGINT NOT NULL,
    mean_e6     BIGINT NOT NULL,
    square_e6   BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, queue_id, band, visit),
    FOREIGN KEY (hospital_id, queue_id) REFERENCES queue (hospital_id, id)
);

-- An order for something that has a line: a blood test, an image. `ref` is what stands on the paper, and what another system
-- calls it. A provisional one is taken on the word of the paper while the system that wrote it does not answer.
CREATE TABLE service_order (
    hospital_id BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    ref         TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('clinic', 'lab', 'imaging', 'pharmacy', 'optician', 'service')),
    queue_id    TEXT,
    person_id   TEXT,
    title_zh    TEXT   NOT NULL,
    title_en    TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('valid', 'used', 'cancelled')),
    settled     BIGINT NOT NULL DEFAULT 1 CHECK (settled IN (0, 1)),
    valid_until BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, ref)
);
CREATE INDEX service_order_person ON service_order (hospital_id, person_id, state);
CREATE INDEX service_order_unsettled ON service_order (hospital_id, created_at) WHERE settled = 0;

-- Something to be picked up: glasses, medicine, a report. `code` is what the person shows; while it is ready no two are alike.
CREATE TABLE pick_up (
    hospital_id  BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('glasses', 'medicine', 'report')),
    ref          TEXT   NOT NULL,
    area_id      TEXT,
    person_id    TEXT   NOT NULL,
    account_id   TEXT,
    name_masked  TEXT   NOT NULL,
    label        TEXT   NOT NULL,
    code         TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('expected', 'ready', 'collected', 'returned')),
    created_at   BIGINT NOT NULL,
    ready_at     BIGINT,
    ready_by     TEXT,
    ended_at     BIGINT,
    ended_by     TEXT,
    reminded     BIGINT NOT NULL DEFAULT 0,
    remind_at    BIGINT,
    PRIMARY KEY (hospital_id, id),
    UNIQUE (hospital_id, kind, ref),
    FOREIGN KEY (hospital_id, area_id) REFERENCES queue_area (hospital_id, id),
    CHECK (state NOT IN ('ready', 'collected') OR ready_at IS NOT NULL),
    CHECK (state <> 'collected' OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX pick_up_code ON pick_up (hospital_id, code) WHERE state IN ('expected', 'ready');
CREATE INDEX pick_up_state ON pick_up (hospital_id, state, ready_at);
CREATE INDEX pick_up_person ON pick_up (hospital_id, person_id);
CREATE INDEX pick_up_remind ON pick_up (remind_at) WHERE state = 'ready' AND remind_at IS NOT NULL;
