//! Figures: who follows, how far they come, by which way visits are booked.

use base::{Date, HospitalId, UnixMs};
use store::value::Row;
use store::{Db, FromRow, Result, Tx, args};

store::statements! {
    FOLLOW_DAY = "INSERT INTO follow_day (hospital_id, day, followed, unfollowed) VALUES ($1, $2, $3, $4)
         ON CONFLICT (hospital_id, day) DO UPDATE SET followed = follow_day.followed + excluded.followed,
             unfollowed = follow_day.unfollowed + excluded.unfollowed";
    FUNNEL_FOLLOWED = "INSERT INTO funnel (hospital_id, account_id, followed_at) VALUES ($1, $2, $3)
         ON CONFLICT (hospital_id, account_id) DO UPDATE SET followed_at = COALESCE(funnel.followed_at, excluded.followed_at)";
    FUNNEL_BOUND = "INSERT INTO funnel (hospital_id, account_id, bound_at) VALUES ($1, $2, $3)
         ON CONFLICT (hospital_id, account_id) DO UPDATE SET bound_at = COALESCE(funnel.bound_at, excluded.bound_at)";
    FUNNEL_BOOKED = "INSERT INTO funnel (hospital_id, account_id, booked_at) VALUES ($1, $2, $3)
         ON CONFLICT (hospital_id, account_id) DO UPDATE SET returned_at = CASE WHEN funnel.booked_at IS NULL THEN funnel.returned_at
             ELSE COALESCE(funnel.returned_at, excluded.booked_at) END, booked_at = COALESCE(funnel.booked_at, excluded.booked_at)";
    VISIT = "INSERT INTO visit (hospital_id, appointment_id, day, department_id, way) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    FOLLOW_DAYS = "SELECT day, followed, unfollowed FROM follow_day WHERE hospital_id = $1 AND day >= $2 AND day <= $3 ORDER BY day";
    FUNNEL_COUNTS = "SELECT CAST(COUNT(*) AS BIGINT) AS followed, CAST(COUNT(bound_at) AS BIGINT) AS bound, CAST(COUNT(booked_at) AS BIGINT) AS booked,
             CAST(COUNT(returned_at) AS BIGINT) AS returned
         FROM funnel WHERE hospital_id = $1 AND followed_at >= $2 AND followed_at < $3";
    SHARES = "SELECT department_id, CAST(COUNT(*) AS BIGINT) AS booked, CAST(SUM(CASE WHEN way = 'wechat' THEN 1 ELSE 0 END) AS BIGINT) AS by_wechat
         FROM visit WHERE hospital_id = $1 AND day >= $2 AND day <= $3 GROUP BY department_id ORDER BY 2 DESC, department_id";
}

/// A day's coming and going.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FollowDay {
    pub(crate) day: Date,
    pub(crate) followed: i64,
    pub(crate) unfollowed: i64,
}

impl FromRow for FollowDay {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { day: row.get("day")?, followed: row.get("followed")?, unfollowed: row.get("unfollowed")? })
    }
}

/// How far those came who began to follow in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) followed: i64,
    pub(crate) bound: i64,
    pub(crate) booked: i64,
    pub(crate) returned: i64,
}

impl FromRow for Steps {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            followed: row.get("followed")?,
            bound: row.get("bound")?,
            booked: row.get("booked")?,
            returned: row.get("returned")?,
        })
    }
}

/// Bookings of a department, and how many of them through WeChat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) department: schedule::DepartmentId,
    pub(crate) booked: i64,
    pub(crate) by_wechat: i64,
}

impl FromRow for Share {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            department: row.get("department_id")?,
            booked: row.get("booked")?,
            by_wechat: row.get("by_wechat")?,
        })
    }
}

pub(crate) async fn follow(
    tx: &mut Tx,
    h: HospitalId,
    day: Date,
    account: &str,
    at: UnixMs,
    following: bool,
) -> Result<()> {
    let (followed, unfollowed) = (i64::from(following), i64::from(!following));
    tx.exec(FOLLOW_DAY, args![h, day, followed, unfollowed]).await?;
    if following {
        tx.exec(FUNNEL_FOLLOWED, args![h, account, at]).await?;
    }
    Ok(())
}

pub(crate) async fn bound(tx: &mut Tx, h: HospitalId, account: &str, at: UnixMs) -> Result<()> {
    tx.exec(FUNNEL_BOUND, args![h, account, at]).await.map(drop)
}

pub(crate) async fn booked(
    tx: &mut Tx,
    h: HospitalId,
    id: booking::AppointmentId,
    visit: &booking::merging::ByWay,
    (day, at): (Date, UnixMs),
) -> Result<()> {
    tx.exec(FUNNEL_BOOKED, args![h, visit.account, at]).await?;
    tx.exec(VISIT, args![h, id, day, visit.department, &visit.way]).await.map(drop)
}

pub(crate) async fn days(db: &Db, h: HospitalId, from: Date, to: Date) -> Result<Vec<FollowDay>> {
    db.all(FOLLOW_DAYS, args![h, from, to]).await
}

pub(crate) async fn steps(db: &Db, h: HospitalId, from: UnixMs, to: UnixMs) -> Result<Steps> {
    db.one(FUNNEL_COUNTS, args![h, from, to]).await
}

pub(crate) async fn shares(db: &Db, h: HospitalId, from: Date, to: Date) -> Result<Vec<Share>> {
    db.all(SHARES, args![h, from, to]).await
}
