//! What every capability's HTTP needs: actor, permission, session, problems, idempotency, paging, live streams.
