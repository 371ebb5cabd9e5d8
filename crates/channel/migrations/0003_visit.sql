-- Which way each booking came. A row for each, never a count that bookings of the same morning would have to wait in line to
-- raise; counted when somebody looks.
CREATE TABLE visit (
    hospital_id    BIGINT NOT NULL,
    appointment_id TEXT   NOT NULL,
    day            TEXT   NOT NULL,
    department_id  TEXT   NOT NULL,
    way            TEXT   NOT NULL,
    PRIMARY KEY (hospital_id, appointment_id)
);
CREATE INDEX visit_by_day ON visit (hospital_id, day, department_id, way);

DROP TABLE visit_day;
