//! The SQL of quotas.

store::statements! {
    RULES = "SELECT id, department_id, doctor_id, kind, shares FROM quota_rule WHERE hospital_id = $1 ORDER BY id";
    ADD_RULE = "INSERT INTO quota_rule (hospital_id, id, department_id, doctor_id, kind, shares, changed_at, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    CHANGE_RULE = "UPDATE quota_rule SET shares = $3, changed_at = $4, changed_by = $5 WHERE hospital_id = $1 AND id = $2";
    DELETE_RULE = "DELETE FROM quota_rule WHERE hospital_id = $1 AND id = $2";
    LOCK_LINES = sqlite "SELECT clinic_id, channel, capacity, taken, kept, rest, hand_back_to, hand_back_at FROM quota
        WHERE hospital_id = $1 AND clinic_id IN (SELECT value FROM json_each($2)) ORDER BY clinic_id, channel"
      postgres "SELECT clinic_id, channel, capacity, taken, kept, rest, hand_back_to, hand_back_at FROM quota
        WHERE hospital_id = $1 AND clinic_id = ANY($2) ORDER BY clinic_id, channel FOR UPDATE";
    WRITE_LINES = sqlite "UPDATE quota SET capacity = r.capacity, taken = r.taken, kept = r.kept, changed_at = $7
        FROM (SELECT c.value AS channel, n.value AS capacity, t.value AS taken, k.value AS kept FROM json_each($3) AS c
              JOIN json_each($4) AS n ON n.key = c.key JOIN json_each($5) AS t ON t.key = c.key JOIN json_each($6) AS k ON k.key = c.key) AS r
        WHERE quota.hospital_id = $1 AND quota.clinic_id = $2 AND quota.channel = r.channel"
      postgres "UPDATE quota SET capacity = r.capacity, taken = r.taken, kept = r.kept, changed_at = $7
        FROM unnest(CAST($3 AS TEXT[]), CAST($4 AS BIGINT[]), CAST($5 AS BIGINT[]), CAST($6 AS BIGINT[])) AS r(channel, capacity, taken, kept)
        WHERE quota.hospital_id = $1 AND quota.clinic_id = $2 AND quota.channel = r.channel";
    ADD_LINE = "INSERT INTO quota (hospital_id, clinic_id, channel, capacity, taken, kept, rest, hand_back_to, hand_back_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    DROP_LINES = "DELETE FROM quota WHERE hospital_id = $1 AND clinic_id = $2";
    SET_DIVIDED = "UPDATE clinic SET divided = $3 WHERE hospital_id = $1 AND id = $2";
    KIN = "SELECT c.department_id, c.doctor_id, c.kind, c.date, d.parent_id FROM clinic c
        JOIN department d ON d.hospital_id = c.hospital_id AND d.id = c.department_id WHERE c.hospital_id = $1 AND c.id = $2";
    FUTURE = "SELECT c.id, c.department_id, c.doctor_id, c.kind, c.date, c.half_day, c.divided, d.parent_id,
            CAST((SELECT COALESCE(SUM(s.capacity), 0) FROM slot s WHERE s.hospital_id = c.hospital_id AND s.clinic_id = c.id) AS BIGINT) AS capacity,
            CAST((SELECT COALESCE(SUM(s.taken), 0) FROM slot s WHERE s.hospital_id = c.hospital_id AND s.clinic_id = c.id) AS BIGINT) AS taken
        FROM clinic c JOIN department d ON d.hospital_id = c.hospital_id AND d.id = c.department_id
        WHERE c.hospital_id = $1 AND c.date >= $2 AND c.state = 'open' ORDER BY c.date, c.id";
    ALL_LINES = "SELECT q.clinic_id, q.channel, q.capacity, q.taken, q.kept, q.rest, q.hand_back_to, q.hand_back_at
        FROM clinic c JOIN quota q ON q.hospital_id = c.hospital_id AND q.clinic_id = c.id
        WHERE c.hospital_id = $1 AND c.date >= $2 AND c.date <= $3 ORDER BY q.clinic_id, q.channel";
    CHANGED_LINES = "SELECT hospital_id, clinic_id, channel, capacity, taken, kept, rest, hand_back_to, hand_back_at FROM quota
        WHERE changed_at >= $1 ORDER BY hospital_id, clinic_id, channel";
    OFF = "SELECT c.hospital_id, c.id, c.divided, COALESCE(q.capacity, 0) AS capacity, COALESCE(q.taken, 0) AS taken,
            COALESCE(s.capacity, 0) AS places, COALESCE(s.taken, 0) AS gone
        FROM clinic c
        LEFT JOIN (SELECT hospital_id, clinic_id, CAST(SUM(capacity) AS BIGINT) AS capacity, CAST(SUM(taken) AS BIGINT) AS taken
            FROM quota GROUP BY hospital_id, clinic_id) q ON q.hospital_id = c.hospital_id AND q.clinic_id = c.id
        LEFT JOIN (SELECT hospital_id, clinic_id, CAST(SUM(capacity) AS BIGINT) AS capacity, CAST(SUM(taken) AS BIGINT) AS taken
            FROM slot GROUP BY hospital_id, clinic_id) s ON s.hospital_id = c.hospital_id AND s.clinic_id = c.id
        WHERE (c.divided = 1 AND (COALESCE(q.capacity, 0) <> COALESCE(s.capacity, 0) OR COALESCE(q.taken, 0) <> COALESCE(s.taken, 0)))
           OR (c.divided = 0 AND q.capacity IS NOT NULL) LIMIT 100";
}
