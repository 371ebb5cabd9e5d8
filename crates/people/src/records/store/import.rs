//! Files of patients and their rows.

::store::statements! {
    IMPORT_ADD = "INSERT INTO patient_import (hospital_id, id, request_key, file_name, state, total, started_by, started_at)
         VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7) ON CONFLICT DO NOTHING";
    IMPORT_BY_KEY = "SELECT id FROM patient_import WHERE hospital_id = $1 AND request_key = $2";
    IMPORT_GET = "SELECT i.id, i.file_name, i.state, i.total, i.started_by, i.started_at, i.ended_at,
             CAST(COALESCE(SUM(CASE WHEN r.outcome = 'added' THEN 1 ELSE 0 END), 0) AS BIGINT) AS added,
             CAST(COALESCE(SUM(CASE WHEN r.outcome = 'there' THEN 1 ELSE 0 END), 0) AS BIGINT) AS there,
             CAST(COALESCE(SUM(CASE WHEN r.outcome = 'wrong' THEN 1 ELSE 0 END), 0) AS BIGINT) AS wrong
         FROM patient_import i LEFT JOIN patient_import_row r ON r.hospital_id = i.hospital_id AND r.import_id = i.id
         WHERE i.hospital_id = $1 AND i.id = $2
         GROUP BY i.id, i.file_name, i.state, i.total, i.started_by, i.started_at, i.ended_at";
    IMPORT_LATEST = "SELECT id FROM patient_import WHERE hospital_id = $1 ORDER BY started_at DESC, id DESC LIMIT 20";
    IMPORT_DONE = "UPDATE patient_import SET state = 'done', ended_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'waiting'";
    ROW_ADD = "INSERT INTO patient_import_row (hospital_id, import_id, line, body, outcome) VALUES ($1, $2, $3, $4, 'waiting')";
    ROWS_WAITING = "SELECT line, body FROM patient_import_row WHERE hospital_id = $1 AND import_id = $2 AND outcome = 'waiting' ORDER BY line LIMIT $3";
    ROW_DONE = "UPDATE patient_import_row SET outcome = $4, problem = $5, person_id = $6, body = NULL
         WHERE hospital_id = $1 AND import_id = $2 AND line = $3 AND outcome = 'waiting'";
    ROWS_WRONG = "SELECT line, problem FROM patient_import_row WHERE hospital_id = $1 AND import_id = $2 AND outcome = 'wrong' AND line > $3
         ORDER BY line LIMIT $4";
}
