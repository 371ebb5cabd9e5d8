//! The SQL of what staff see.

store::statements! {
    WEEK = "SELECT c.id, c.department_id, c.doctor_id, c.campus_id, c.date, c.half_day, c.kind, c.online, c.fee_fen, c.room_zh, c.room_en,
            c.opens_at, c.closes_at, c.state, c.by_hand, c.divided, c.add_on_limit, m.template_id
        FROM clinic c LEFT JOIN template_clinic m ON m.hospital_id = c.hospital_id AND m.clinic_id = c.id
        WHERE c.hospital_id = $1 AND c.date >= $2 AND c.date <= $3 ORDER BY c.date, c.half_day, c.id";
    CLINIC = "SELECT c.id, c.department_id, c.doctor_id, c.campus_id, c.date, c.half_day, c.kind, c.online, c.fee_fen, c.room_zh, c.room_en,
            c.opens_at, c.closes_at, c.state, c.by_hand, c.divided, c.add_on_limit, m.template_id
        FROM clinic c LEFT JOIN template_clinic m ON m.hospital_id = c.hospital_id AND m.clinic_id = c.id
        WHERE c.hospital_id = $1 AND c.id = $2";
    WEEK_SLOTS = "SELECT s.clinic_id, s.id, s.start_wall, s.end_wall, s.capacity, s.taken, s.held, s.stopped
        FROM clinic c JOIN slot s ON s.hospital_id = c.hospital_id AND s.clinic_id = c.id
        WHERE c.hospital_id = $1 AND c.date >= $2 AND c.date <= $3 ORDER BY s.clinic_id, s.start_at";
    CAMPUSES = "SELECT id, code, name_zh, name_en, address_zh, address_en, position FROM campus WHERE hospital_id = $1 ORDER BY position, code";
    DEPARTMENTS = "SELECT id, code, parent_id, name_zh, name_en, intro_zh, intro_en, initials, pinyin, child_only, adult_only, position, active
        FROM department WHERE hospital_id = $1 ORDER BY position, code";
    DOCTORS = "SELECT id, code, name_zh, name_en, initials, pinyin, title_code, specialities_zh, specialities_en, introduction_zh, introduction_en,
            photo_url, position, active FROM doctor WHERE hospital_id = $1 ORDER BY position, code";
    MEMBERS = "SELECT doctor_id, department_id FROM doctor_department WHERE hospital_id = $1 ORDER BY doctor_id, position";
    DOCTOR_OF_CODE = "SELECT photo_url FROM doctor WHERE hospital_id = $1 AND code = $2";
    DEPARTMENT_ACTIVE = "UPDATE department SET active = $3 WHERE hospital_id = $1 AND id = $2";
    DOCTOR_ACTIVE = "UPDATE doctor SET active = $3 WHERE hospital_id = $1 AND id = $2";
    DOCTOR_PHOTO = "UPDATE doctor SET photo_url = $3 WHERE hospital_id = $1 AND code = $2";
    ADD_PHOTO = "INSERT INTO doctor_photo (hospital_id, name, media_type, content, added_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    FORGET_PHOTOS = "DELETE FROM doctor_photo WHERE hospital_id = $1
        AND NOT EXISTS (SELECT 1 FROM doctor d WHERE d.hospital_id = $1 AND d.photo_url = '/api/v1/photos/' || doctor_photo.name)";
    PHOTO = "SELECT media_type, content FROM doctor_photo WHERE hospital_id = $1 AND name = $2";
}
