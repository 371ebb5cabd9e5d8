//! The SQL of the calendar.

store::statements! {
    YEARS = "SELECT year, content, loaded_by, loaded_at FROM calendar_year WHERE hospital_id = $1 ORDER BY year";
    LOAD_YEAR = "INSERT INTO calendar_year (hospital_id, year, content, loaded_by, loaded_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (hospital_id, year) DO UPDATE SET content = excluded.content, loaded_by = excluded.loaded_by,
            loaded_at = excluded.loaded_at";
}
