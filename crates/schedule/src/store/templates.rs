//! The SQL of templates and what came of them.

store::statements! {
    ALL_TEMPLATES = "SELECT * FROM clinic_template WHERE hospital_id = $1 ORDER BY department_id, weekday, half_day, id";
    TEMPLATES_OF = "SELECT t.* FROM clinic_template t JOIN department d ON d.hospital_id = t.hospital_id AND d.id = t.department_id
        WHERE t.hospital_id = $1 AND (d.id = $2 OR d.parent_id = $2) ORDER BY t.department_id, t.weekday, t.half_day, t.id";
    TEMPLATE = "SELECT * FROM clinic_template WHERE hospital_id = $1 AND id = $2";
    ADD_TEMPLATE = "INSERT INTO clinic_template (hospital_id, id, department_id, doctor_id, campus_id, weekday, weeks, every_weeks, half_day, kind,
            online, fee_fen, room_zh, room_en, segments, cutoff_minutes, valid_from, valid_until, holidays, make_up, changed_at, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    CHANGE_TEMPLATE = "UPDATE clinic_template SET department_id = $3, doctor_id = $4, campus_id = $5, weekday = $6, weeks = $7, every_weeks = $8,
            half_day = $9, kind = $10, online = $11, fee_fen = $12, room_zh = $13, room_en = $14, segments = $15, cutoff_minutes = $16,
            valid_from = $17, valid_until = $18, holidays = $19, make_up = $20, changed_at = $21, changed_by = $22
        WHERE hospital_id = $1 AND id = $2";
    SET_ACTIVE = "UPDATE clinic_template SET active = $3, changed_at = $4, changed_by = $5 WHERE hospital_id = $1 AND id = $2";
    EXCEPTIONS = "SELECT template_id, date, segments, note FROM template_exception WHERE hospital_id = $1 AND date >= $2 ORDER BY date, template_id";
    PUT_EXCEPTION = "INSERT INTO template_exception (hospital_id, template_id, date, segments, note, changed_at, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (hospital_id, template_id, date) DO UPDATE SET segments = excluded.segments, note = excluded.note,
            changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    DELETE_EXCEPTION = "DELETE FROM template_exception WHERE hospital_id = $1 AND template_id = $2 AND date = $3";
    MADE_BETWEEN = "SELECT template_id, date FROM template_clinic WHERE hospital_id = $1 AND date >= $2 AND date <= $3";
    MARK = "INSERT INTO template_clinic (hospital_id, template_id, date, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    MARK_CLINIC = "UPDATE template_clinic SET clinic_id = $4 WHERE hospital_id = $1 AND template_id = $2 AND date = $3";
    UNMARK = "DELETE FROM template_clinic WHERE hospital_id = $1 AND template_id = $2 AND date = $3";
    MADE_OF = "SELECT m.date, c.id, c.department_id, c.doctor_id, c.campus_id, c.half_day, c.kind, c.online, c.fee_fen, c.room_zh, c.room_en,
            c.closes_at, c.state, c.by_hand
        FROM template_clinic m JOIN clinic c ON c.hospital_id = m.hospital_id AND c.id = m.clinic_id
        WHERE m.hospital_id = $1 AND m.template_id = $2 AND m.date >= $3 ORDER BY m.date";
    SLOTS_MADE_OF = "SELECT s.clinic_id, s.start_wall, s.end_wall, s.capacity - s.added AS capacity, s.taken, s.last_number
        FROM template_clinic m JOIN slot s ON s.hospital_id = m.hospital_id AND s.clinic_id = m.clinic_id
        WHERE m.hospital_id = $1 AND m.template_id = $2 AND m.date >= $3 ORDER BY s.clinic_id, s.start_at";
    DROP_QUOTAS = "DELETE FROM quota WHERE hospital_id = $1 AND clinic_id = $2";
    DROP_CLINIC = "DELETE FROM clinic WHERE hospital_id = $1 AND id = $2";
    DROP_CHANGES = "DELETE FROM clinic_change WHERE hospital_id = $1 AND clinic_id = $2";
}
