//! The SQL of finding people at the desk.

::store::statements! {
    BY_DOCUMENT = "SELECT p.id, p.name_masked, p.birth_date, p.sex, p.phone_masked, m.kind AS document_kind, m.number_masked
        FROM person_document d
        JOIN person p ON p.hospital_id = d.hospital_id AND p.id = d.person_id
        LEFT JOIN person_document m ON m.hospital_id = p.hospital_id AND m.person_id = p.id AND m.is_main = 1 AND m.voided_at IS NULL
        WHERE d.hospital_id = $1 AND d.number_blind = $2 AND d.voided_at IS NULL";
    BY_PHONE = "SELECT p.id, p.name_masked, p.birth_date, p.sex, p.phone_masked, m.kind AS document_kind, m.number_masked
        FROM person p
        LEFT JOIN person_document m ON m.hospital_id = p.hospital_id AND m.person_id = p.id AND m.is_main = 1 AND m.voided_at IS NULL
        WHERE p.hospital_id = $1 AND p.phone_blind = $2 AND p.merged_into IS NULL AND p.locked_at IS NULL AND ($3 = '' OR p.name_blind = $3) ORDER BY p.created_at, p.id LIMIT $4";
    BY_NAME = "SELECT p.id, p.name_masked, p.birth_date, p.sex, p.phone_masked, m.kind AS document_kind, m.number_masked
        FROM person p
        LEFT JOIN person_document m ON m.hospital_id = p.hospital_id AND m.person_id = p.id AND m.is_main = 1 AND m.voided_at IS NULL
        WHERE p.hospital_id = $1 AND p.name_blind = $2 AND p.merged_into IS NULL AND p.locked_at IS NULL ORDER BY p.created_at, p.id LIMIT $3";
    BY_IDS = sqlite "SELECT p.id, p.name_masked, p.birth_date, p.sex, p.phone_masked, m.kind AS document_kind, m.number_masked
        FROM json_each($2) r CROSS JOIN person p ON p.hospital_id = $1 AND p.id = r.value
        LEFT JOIN person_document m ON m.hospital_id = p.hospital_id AND m.person_id = p.id AND m.is_main = 1 AND m.voided_at IS NULL"
      postgres "SELECT p.id, p.name_masked, p.birth_date, p.sex, p.phone_masked, m.kind AS document_kind, m.number_masked
        FROM unnest(CAST($2 AS TEXT[])) AS r(value) JOIN person p ON p.hospital_id = $1 AND p.id = r.value
        LEFT JOIN person_document m ON m.hospital_id = p.hospital_id AND m.person_id = p.id AND m.is_main = 1 AND m.voided_at IS NULL";
    HOLDERS = "SELECT account_id FROM binding WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL ORDER BY bound_at, id";
    PHONE_OF = "SELECT phone FROM person WHERE hospital_id = $1 AND id = $2 AND phone IS NOT NULL";
}
