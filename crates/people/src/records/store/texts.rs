//! The wordings that people agree to.

::store::statements! {
    TEXT_PUT = "INSERT INTO consent_text (hospital_id, kind, version, title_zh, title_en, body_zh, body_en, written_by, written_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (hospital_id, kind, version) DO UPDATE SET title_zh = excluded.title_zh, title_en = excluded.title_en,
             body_zh = excluded.body_zh, body_en = excluded.body_en, written_by = excluded.written_by, written_at = excluded.written_at
         WHERE consent_text.published_at IS NULL";
    TEXT_PUBLISH = "UPDATE consent_text SET published_at = COALESCE(published_at, $4) WHERE hospital_id = $1 AND kind = $2 AND version = $3";
    TEXT_GET = "SELECT kind, version, title_zh, title_en, body_zh, body_en, written_at, published_at FROM consent_text
         WHERE hospital_id = $1 AND kind = $2 AND version = $3";
    TEXT_LIST = "SELECT kind, version, title_zh, title_en, body_zh, body_en, written_at, published_at FROM consent_text
         WHERE hospital_id = $1 ORDER BY kind, written_at DESC LIMIT 200";
    TEXT_AGREED = "SELECT version, CAST(COUNT(DISTINCT person_id) AS BIGINT) AS persons FROM consent
         WHERE hospital_id = $1 AND kind = 'personal_data' AND withdrawn_at IS NULL GROUP BY version";
}
