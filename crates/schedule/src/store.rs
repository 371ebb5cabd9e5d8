//! The SQL of the schedule, and nothing else's tables.

pub(crate) mod added;
pub(crate) mod calendar;
pub(crate) mod quota;
pub(crate) mod staff;
pub(crate) mod templates;

store::statements! {
    // stock
    LOCK = sqlite "SELECT s.id, s.clinic_id, s.start_at, s.end_at, s.start_wall, s.end_wall, s.capacity, s.taken, s.held, s.last_number,
            s.stopped, c.doctor_id, c.department_id, c.campus_id, c.date, c.half_day, c.kind, c.online, c.fee_fen, c.opens_at, c.closes_at,
            c.divided, d.parent_id, d.child_only, d.adult_only
        FROM slot s
        JOIN clinic c ON c.hospital_id = s.hospital_id AND c.id = s.clinic_id
        JOIN department d ON d.hospital_id = c.hospital_id AND d.id = c.department_id
        WHERE s.hospital_id = $1 AND s.id IN (SELECT value FROM json_each($2)) ORDER BY s.id"
      postgres "SELECT s.id, s.clinic_id, s.start_at, s.end_at, s.start_wall, s.end_wall, s.capacity, s.taken, s.held, s.last_number,
            s.stopped, c.doctor_id, c.department_id, c.campus_id, c.date, c.half_day, c.kind, c.online, c.fee_fen, c.opens_at, c.closes_at,
            c.divided, d.parent_id, d.child_only, d.adult_only
        FROM slot s
        JOIN clinic c ON c.hospital_id = s.hospital_id AND c.id = s.clinic_id
        JOIN department d ON d.hospital_id = c.hospital_id AND d.id = c.department_id
        WHERE s.hospital_id = $1 AND s.id = ANY($2) ORDER BY s.id FOR NO KEY UPDATE OF s";
    LOOK = sqlite "SELECT s.id, s.clinic_id, s.start_at, s.end_at, s.start_wall, s.end_wall, s.capacity, s.taken, s.held, s.last_number,
            s.stopped, c.doctor_id, c.department_id, c.campus_id, c.date, c.half_day, c.kind, c.online, c.fee_fen, c.opens_at, c.closes_at,
            c.divided, d.parent_id, d.child_only, d.adult_only
        FROM slot s
        JOIN clinic c ON c.hospital_id = s.hospital_id AND c.id = s.clinic_id
        JOIN department d ON d.hospital_id = c.hospital_id AND d.id = c.department_id
        WHERE s.hospital_id = $1 AND s.id IN (SELECT value FROM json_each($2)) ORDER BY s.id"
      postgres "SELECT s.id, s.clinic_id, s.start_at, s.end_at, s.start_wall, s.end_wall, s.capacity, s.taken, s.held, s.last_number,
            s.stopped, c.doctor_id, c.department_id, c.campus_id, c.date, c.half_day, c.kind, c.online, c.fee_fen, c.opens_at, c.closes_at,
            c.divided, d.parent_id, d.child_only, d.adult_only
        FROM slot s
        JOIN clinic c ON c.hospital_id = s.hospital_id AND c.id = s.clinic_id
        JOIN department d ON d.hospital_id = c.hospital_id AND d.id = c.department_id
        WHERE s.hospital_id = $1 AND s.id = ANY($2) ORDER BY s.id";
    OF_DEPARTMENT = "SELECT s.id, s.clinic_id, s.start_at, s.end_at, s.start_wall, s.end_wall, s.capacity, s.taken, s.held, s.last_number,
            s.stopped, c.doctor_id, c.department_id, c.campus_id, c.date, c.half_day, c.kind, c.online, c.fee_fen, c.opens_at, c.closes_at,
            c.divided, d.parent_id, d.child_only, d.adult_only
        FROM slot s
        JOIN clinic c ON c.hospital_id = s.hospital_id AND c.id = s.clinic_id
        JOIN department d ON d.hospital_id = c.hospital_id AND d.id = c.department_id
        WHERE c.hospital_id = $1 AND c.department_id = $2 AND c.campus_id = $3 AND c.date >= $4 AND c.date <= $5
        ORDER BY c.date, s.start_at, s.id";
    // $3: on SQLite an object of counts by slot, each found by its name; a list joined to itself would be read once for every slot.
    TAKE = sqlite "UPDATE slot SET taken = taken + CAST($3 ->> id AS BIGINT), last_number = last_number + CAST($3 ->> id AS BIGINT),
            changed_at = $2
        WHERE hospital_id = $1 AND id IN (SELECT key FROM json_each($3)) AND stopped = 0"
      postgres "UPDATE slot SET taken = taken + r.n, last_number = last_number + r.n, changed_at = $2
        FROM unnest(CAST($3 AS TEXT[]), CAST($4 AS BIGINT[])) AS r(id, n)
        WHERE slot.hospital_id = $1 AND slot.id = r.id AND slot.stopped = 0";
    GIVE_BACK = "UPDATE slot SET taken = taken - 1, changed_at = $3 WHERE hospital_id = $1 AND id = $2 AND taken > 0 RETURNING taken";

    TAKE_AGAIN = "UPDATE slot SET taken = taken + 1, changed_at = $3 WHERE hospital_id = $1 AND id = $2 AND taken < capacity";

    HOLD = "UPDATE slot SET held = held + $3 WHERE hospital_id = $1 AND id = $2";

    FREE = "SELECT s.id, s.clinic_id, c.divided FROM clinic c
        JOIN slot s ON s.hospital_id = c.hospital_id AND s.clinic_id = c.id
        JOIN department d ON d.hospital_id = c.hospital_id AND d.id = c.department_id
        WHERE c.hospital_id = $1 AND c.date = $2 AND c.state = 'open' AND c.opens_at <= $3 AND c.closes_at > $3
          AND s.stopped = 0 AND s.start_at > $3 AND s.taken < s.capacity
          AND (c.id = $4 OR c.doctor_id = $5 OR c.department_id = $6 OR d.parent_id = $6)
        ORDER BY s.start_at, s.id LIMIT 50";
    ENDED = "SELECT c.id FROM clinic c JOIN slot s ON s.hospital_id = c.hospital_id AND s.clinic_id = c.id
        WHERE c.hospital_id = $1 AND c.date >= $2 AND c.date <= $3 GROUP BY c.id HAVING MAX(s.end_at) <= $4";

    // the board
    VERSIONS = "SELECT hospital_id, version FROM schedule_version";
    CAMPUSES = "SELECT id, code, name_zh, name_en, address_zh, address_en, position FROM campus WHERE hospital_id = $1";
    DEPARTMENTS = "SELECT id, code, parent_id, name_zh, name_en, intro_zh, intro_en, initials, pinyin, child_only, adult_only, position
        FROM department WHERE hospital_id = $1 AND active = 1";
    DOCTORS = "SELECT id, code, name_zh, name_en, initials, pinyin, title_code, specialities_zh, specialities_en, introduction_zh,
            introduction_en, photo_url, position
        FROM doctor WHERE hospital_id = $1 AND active = 1";
    MEMBERS = "SELECT doctor_id, department_id, position FROM doctor_department WHERE hospital_id = $1";
    CLINICS = "SELECT id, department_id, doctor_id, campus_id, date, half_day, kind, online, fee_fen, room_zh, room_en, opens_at, closes_at, state, divided
        FROM clinic WHERE hospital_id = $1 AND date >= $2 AND date <= $3";
    SLOTS = "SELECT s.clinic_id, s.id, s.start_at, s.end_at, s.start_wall, s.end_wall, s.capacity, s.taken, s.stopped
        FROM clinic c JOIN slot s ON s.hospital_id = c.hospital_id AND s.clinic_id = c.id
        WHERE c.hospital_id = $1 AND c.date >= $2 AND c.date <= $3";
    COUNTS = "SELECT hospital_id, id, taken FROM slot WHERE changed_at >= $1";
    CARDS = sqlite "SELECT s.id, s.clinic_id, s.start_at, s.end_at, s.start_wall, s.end_wall, c.doctor_id, c.department_id, c.campus_id, c.date,
            c.half_day, c.kind, c.online, c.fee_fen, c.room_zh, c.room_en, c.closes_at, c.state, p.name_zh AS department_zh,
            p.name_en AS department_en, u.name_zh AS campus_zh, u.name_en AS campus_en, u.address_zh, u.address_en, d.name_zh AS doctor_zh,
            d.name_en AS doctor_en, d.title_code
        FROM slot s
        JOIN clinic c ON c.hospital_id = s.hospital_id AND c.id = s.clinic_id
        JOIN department p ON p.hospital_id = c.hospital_id AND p.id = c.department_id
        JOIN campus u ON u.hospital_id = c.hospital_id AND u.id = c.campus_id
        LEFT JOIN doctor d ON d.hospital_id = c.hospital_id AND d.id = c.doctor_id
        WHERE s.hospital_id = $1 AND s.id IN (SELECT value FROM json_each($2))"
      postgres "SELECT s.id, s.clinic_id, s.start_at, s.end_at, s.start_wall, s.end_wall, c.doctor_id, c.department_id, c.campus_id, c.date,
            c.half_day, c.kind, c.online, c.fee_fen, c.room_zh, c.room_en, c.closes_at, c.state, p.name_zh AS department_zh,
            p.name_en AS department_en, u.name_zh AS campus_zh, u.name_en AS campus_en, u.address_zh, u.address_en, d.name_zh AS doctor_zh,
            d.name_en AS doctor_en, d.title_code
        FROM slot s
        JOIN clinic c ON c.hospital_id = s.hospital_id AND c.id = s.clinic_id
        JOIN department p ON p.hospital_id = c.hospital_id AND p.id = c.department_id
        JOIN campus u ON u.hospital_id = c.hospital_id AND u.id = c.campus_id
        LEFT JOIN doctor d ON d.hospital_id = c.hospital_id AND d.id = c.doctor_id
        WHERE s.hospital_id = $1 AND s.id = ANY($2)";

    // planning
    BUMP = "INSERT INTO schedule_version (hospital_id, version) VALUES ($1, 1)
        ON CONFLICT (hospital_id) DO UPDATE SET version = schedule_version.version + 1";
    ADD_CAMPUS = "INSERT INTO campus (hospital_id, id, code, name_zh, name_en, address_zh, address_en, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (hospital_id, code) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, address_zh = excluded.address_zh,
            address_en = excluded.address_en, position = excluded.position RETURNING id";
    PARENTHOOD = "SELECT d.parent_id, d.code FROM department d WHERE d.hospital_id = $1 AND d.id = $2 AND d.active = 1";
    HAS_CHILDREN = "SELECT c.id FROM department c JOIN department p ON p.hospital_id = c.hospital_id AND p.id = c.parent_id
        WHERE p.hospital_id = $1 AND p.code = $2 LIMIT 1";
    ADD_DEPARTMENT = "INSERT INTO department (hospital_id, id, code, parent_id, name_zh, name_en, intro_zh, intro_en, initials, pinyin, child_only,
            adult_only, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (hospital_id, code) DO UPDATE SET parent_id = excluded.parent_id, name_zh = excluded.name_zh, name_en = excluded.name_en,
            intro_zh = excluded.intro_zh, intro_en = excluded.intro_en, initials = excluded.initials, pinyin = excluded.pinyin,
            child_only = excluded.child_only, adult_only = excluded.adult_only, position = excluded.position, active = 1 RETURNING id";
    ADD_DOCTOR = "INSERT INTO doctor (hospital_id, id, code, name_zh, name_en, initials, pinyin, title_code, specialities_zh, specialities_en,
            introduction_zh, introduction_en, photo_url, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (hospital_id, code) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, initials = excluded.initials,
            pinyin = excluded.pinyin, title_code = excluded.title_code, specialities_zh = excluded.specialities_zh,
            specialities_en = excluded.specialities_en, introduction_zh = excluded.introduction_zh,
            introduction_en = excluded.introduction_en, photo_url = excluded.photo_url, position = excluded.position, active = 1 RETURNING id";
    LEAVE_ALL = "DELETE FROM doctor_department WHERE hospital_id = $1 AND doctor_id = $2";
    JOIN_ONE = "INSERT INTO doctor_department (hospital_id, doctor_id, department_id, position) VALUES ($1, $2, $3, $4)";
    KNOWN_CAMPUS = "SELECT id FROM campus WHERE hospital_id = $1 AND id = $2";
    KNOWN_MEMBER = "SELECT doctor_id FROM doctor_department WHERE hospital_id = $1 AND doctor_id = $2 AND department_id = $3";
    ADD_CLINIC = "INSERT INTO clinic (hospital_id, id, department_id, doctor_id, campus_id, date, half_day, kind, online, fee_fen, room_zh, room_en,
            opens_at, closes_at, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'open', $15)
        ON CONFLICT DO NOTHING";
    CLINIC_OF_DOCTOR = "SELECT id FROM clinic WHERE hospital_id = $1 AND doctor_id = $2 AND campus_id = $3 AND date = $4 AND half_day = $5 AND kind = $6
        AND online = $7";
    CLINIC_OF_DEPARTMENT = "SELECT id FROM clinic WHERE hospital_id = $1 AND department_id = $2 AND campus_id = $3 AND date = $4 AND half_day = $5
        AND kind = $6 AND online = $7 AND doctor_id IS NULL";
    CHANGE_CLINIC = "UPDATE clinic SET department_id = $3, fee_fen = $4, room_zh = $5, room_en = $6, opens_at = $7, closes_at = $8
        WHERE hospital_id = $1 AND id = $2";
    SLOTS_OF_CLINIC = sqlite "SELECT id, start_at, end_at, capacity, added, taken, last_number, stopped FROM slot WHERE hospital_id = $1 AND clinic_id = $2 ORDER BY id"
      postgres "SELECT id, start_at, end_at, capacity, added, taken, last_number, stopped FROM slot WHERE hospital_id = $1 AND clinic_id = $2 ORDER BY id FOR NO KEY UPDATE";
    DROP_SLOTS = "DELETE FROM slot WHERE hospital_id = $1 AND clinic_id = $2";
    ADD_SLOTS = sqlite "INSERT INTO slot (hospital_id, id, clinic_id, position, start_at, end_at, start_wall, end_wall, capacity, stopped, changed_at)
        SELECT CAST($1 AS BIGINT), i.value, CAST($2 AS TEXT), i.key, a.value, b.value, f.value, t.value, n.value, CAST($9 AS BIGINT), 0 FROM json_each($3) AS i
        JOIN json_each($4) AS a ON a.key = i.key JOIN json_each($5) AS b ON b.key = i.key JOIN json_each($6) AS f ON f.key = i.key
        JOIN json_each($7) AS t ON t.key = i.key JOIN json_each($8) AS n ON n.key = i.key"
      postgres "INSERT INTO slot (hospital_id, id, clinic_id, position, start_at, end_at, start_wall, end_wall, capacity, stopped, changed_at)
        SELECT CAST($1 AS BIGINT), r.id, CAST($2 AS TEXT), r.n - 1, r.start_at, r.end_at, r.start_wall, r.end_wall, r.capacity, CAST($9 AS BIGINT), 0
        FROM unnest(CAST($3 AS TEXT[]), CAST($4 AS BIGINT[]), CAST($5 AS BIGINT[]), CAST($6 AS TEXT[]), CAST($7 AS TEXT[]), CAST($8 AS BIGINT[]))
        WITH ORDINALITY AS r(id, start_at, end_at, start_wall, end_wall, capacity, n)";
    RESIZE_SLOT = "UPDATE slot SET capacity = $3, changed_at = $4 WHERE hospital_id = $1 AND id = $2 AND taken <= $3";
    STOP_CLINIC = "UPDATE clinic SET state = 'stopped', by_hand = 1 WHERE hospital_id = $1 AND id = $2 AND state = 'open'";
    STOP_SOME = sqlite "UPDATE slot SET stopped = $3, changed_at = $4 WHERE hospital_id = $1 AND id IN (SELECT value FROM json_each($2))"
      postgres "UPDATE slot SET stopped = $3, changed_at = $4 WHERE hospital_id = $1 AND id = ANY($2)";
    REOPEN = "UPDATE clinic SET state = 'open' WHERE hospital_id = $1 AND id = $2";
    CLINIC_STATE = "SELECT state FROM clinic WHERE hospital_id = $1 AND id = $2";
    CLINIC_FACTS = "SELECT doctor_id, department_id, date, half_day, state FROM clinic WHERE hospital_id = $1 AND id = $2";
    RECORD_CHANGE = "INSERT INTO clinic_change (hospital_id, id, clinic_id, kind, reason_zh, reason_en, actor, at, slots, old_doctor_id, new_doctor_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LOCK_CHANGE = sqlite "SELECT clinic_id, kind, at, slots, undone_at FROM clinic_change WHERE hospital_id = $1 AND id = $2"
      postgres "SELECT clinic_id, kind, at, slots, undone_at FROM clinic_change WHERE hospital_id = $1 AND id = $2 FOR NO KEY UPDATE";
    UNDONE = "UPDATE clinic_change SET undone_at = $3 WHERE hospital_id = $1 AND id = $2";
    BY_HAND = "UPDATE clinic SET by_hand = 1 WHERE hospital_id = $1 AND id = $2";
    SET_ROOM = "UPDATE clinic SET room_zh = $3, room_en = $4 WHERE hospital_id = $1 AND id = $2";
    SET_ADD_ON_LIMIT = "UPDATE clinic SET add_on_limit = $3 WHERE hospital_id = $1 AND id = $2";
    SET_DOCTOR = "UPDATE clinic SET doctor_id = $3, by_hand = 1 WHERE hospital_id = $1 AND id = $2";
    SITS_THEN = "SELECT kind FROM clinic WHERE hospital_id = $1 AND doctor_id = $2 AND date = $3 AND half_day = $4 AND state = 'open'";
    KNOWN_DOCTOR = "SELECT id FROM doctor WHERE hospital_id = $1 AND id = $2";
    CHANGES = "SELECT id, kind, reason_zh, reason_en, actor, at, slots, old_doctor_id, new_doctor_id, undone_at FROM clinic_change
        WHERE hospital_id = $1 AND clinic_id = $2 ORDER BY at DESC, id DESC LIMIT 20";
    LAST_CHANGE = "SELECT id, kind, reason_zh, reason_en, actor, at FROM clinic_change
        WHERE hospital_id = $1 AND clinic_id = $2 AND kind IN ('stopped', 'part_stopped') AND undone_at IS NULL ORDER BY at DESC, id DESC LIMIT 1";
}
