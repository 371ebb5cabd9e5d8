//! The SQL of places beyond the plan.

store::statements! {
    ALLOW = "UPDATE clinic SET add_ons = add_ons + 1 WHERE hospital_id = $1 AND id = $2 AND add_ons < COALESCE(add_on_limit, $3)";
    DISALLOW = "UPDATE clinic SET add_ons = add_ons - 1 WHERE hospital_id = $1 AND id = $2 AND add_ons > 0";
    USED = "SELECT add_ons, add_on_limit FROM clinic WHERE hospital_id = $1 AND id = $2";
    GROW = "UPDATE slot SET capacity = capacity + 1, taken = taken + 1, last_number = last_number + 1, added = added + 1, changed_at = $3
        WHERE hospital_id = $1 AND id = $2 AND stopped = 0";
    SHRINK = "UPDATE slot SET capacity = capacity - 1, taken = taken - 1, added = added - 1, changed_at = $3
        WHERE hospital_id = $1 AND id = $2 AND added > 0 AND taken > 0";
}
