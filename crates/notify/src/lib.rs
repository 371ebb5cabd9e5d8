//! What to tell whom by which channel: templates, grants, quiet hours, delivery.
