//! What waiting looks like in figures: percentiles by department, doctor, line, hour or day. Pure, on rows that were read.

use std::collections::BTreeMap;

use base::{Text2, UnixMs, Zone};
use serde::{Deserialize, Serialize};

use crate::model::{Queue, QueueId, TicketState};
use crate::store::stats::Seen;

/// By what the figures are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WaitingBy)]
pub enum By {
    /// By department.
    #[default]
    Department,
    /// By doctor.
    Doctor,
    /// By line.
    Queue,
    /// By the hour of check-in.
    Hour,
    /// By day.
    Day,
}

/// Figures of one group. Times in minutes.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = WaitingFigures)]
pub struct Figures {
    /// What it is: an id, an hour, a date.
    pub key: String,
    /// What it is called.
    #[schema(value_type = edge::schema::Text2Schema)]
    pub name: Text2,
    /// How many took a number.
    pub n: usize,
    /// How many of them were called.
    pub called: usize,
    /// Half of those who were called waited no longer than this. Who came before their time segment waits from its start on, as far as
    /// they were called after it …
    pub wait_p50_min: Option<f64>,
    /// … eight of ten …
    pub wait_p80_min: Option<f64>,
    /// … and nine of ten.
    pub wait_p90_min: Option<f64>,
    /// The same from the moment at which they came.
    pub since_arrival_p50_min: Option<f64>,
    /// Half of the services took no longer than this.
    pub serve_p50_min: Option<f64>,
    /// How many did not come when called, at least once.
    pub no_answer: usize,
    /// How many left, or lost their number.
    pub left: usize,
    /// For how many of those who were called the range held that they were shown when they took their number.
    pub range_held: Option<f64>,
    /// How many were called before the earliest moment that they were told.
    pub missed_earliest: Option<f64>,
}

/// Groups and counts. `name` gives key and name of a line's group, where the group hangs on the line.
#[must_use]
pub(crate) fn figures(
    seen: &[Seen],
    queues: &[Queue],
    by: By,
    zone: &Zone,
    name: impl Fn(&Queue) -> Option<(String, Text2)>,
) -> Vec<Figures> {
    let known: BTreeMap<QueueId, &Queue> = queues.iter().map(|q| (q.id, q)).collect();
    let mut groups: BTreeMap<String, (Text2, Vec<&Seen>)> = BTreeMap::new();
    for one in seen {
        let group = match by {
            By::Hour => {
                let hour = zone.wall(one.checked_in_at).minutes() / 60;
                Some((format!("{hour:02}"), Text2::new(format!("{hour} 时"), format!("{hour:02}:00"))))
            }
            By::Day => Some((one.date.to_string(), Text2::new(one.date.to_string(), one.date.to_string()))),
            By::Department | By::Doctor | By::Queue => known.get(&one.queue).and_then(|q| name(q)),
        };
        let Some((key, name)) = group else { continue };
        groups.entry(key).or_insert_with(|| (name, Vec::new())).1.push(one);
    }
    groups.into_iter().map(|(key, (name, all))| of_group(key, name, &all)).collect()
}

/// When somebody was called, and what was foretold: a range and the earliest moment.
type Foretold = (UnixMs, (UnixMs, UnixMs, UnixMs));

fn of_group(key: String, name: Text2, all: &[&Seen]) -> Figures {
    let called: Vec<&&Seen> = all.iter().filter(|s| s.called_at.is_some()).collect();
    let since = |from: &dyn Fn(&Seen) -> UnixMs| {
        let waits = called.iter().filter_map(|s| Some(s.called_at?.since(from(s)).as_secs_f64() / 60.0));
        sorted(waits.collect())
    };
    // Who comes early waits by choice until their time.
    let wait = since(&|s| s.segment_at.unwrap_or(s.checked_in_at).max(s.checked_in_at));
    let arrival = since(&|s| s.checked_in_at);
    let serve = called
        .iter()
        .filter(|s| s.state == TicketState::Done)
        .filter_map(|s| Some(s.ended_at?.since(s.began_at.or(s.called_at)?).as_secs_f64() / 60.0));
    let serve = sorted(serve.collect());
    let foretold: Vec<(UnixMs, (UnixMs, UnixMs, UnixMs))> =
        called.iter().filter(|s| s.misses == 0).filter_map(|s| Some((s.called_at?, s.foretold?))).collect();
    let part = |held: &dyn Fn(&Foretold) -> bool| {
        let n = foretold.iter().filter(|f| held(f)).count();
        (!foretold.is_empty()).then(|| (real(n) / real(foretold.len()) * 1e3).round() / 1e3)
    };
    Figures {
        key,
        name,
        n: all.len(),
        called: called.len(),
        wait_p50_min: percentile(&wait, 0.5),
        wait_p80_min: percentile(&wait, 0.8),
        wait_p90_min: percentile(&wait, 0.9),
        since_arrival_p50_min: percentile(&arrival, 0.5),
        serve_p50_min: percentile(&serve, 0.5),
        no_answer: all.iter().filter(|s| s.misses > 0).count(),
        left: all.iter().filter(|s| matches!(s.state, TicketState::Left | TicketState::Void)).count(),
        range_held: part(&|(at, (low, high, _))| at >= low && at <= high),
        missed_earliest: part(&|(at, (_, _, earliest))| at < earliest),
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn real(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// The smallest value that so large a part does not exceed, to a tenth.
fn percentile(sorted: &[f64], part: f64) -> Option<f64> {
    let rank = (real(sorted.len()) * part).ceil().max(1.0);
    let at = (0..sorted.len()).find(|at| real(at + 1) >= rank)?;
    sorted.get(at).map(|v| (v * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Arrival, Origin};

    fn seen(queue: QueueId, came: i64, segment: Option<i64>, called: Option<i64>) -> Seen {
        let at = |minute: i64| UnixMs(1_795_392_000_000 + minute * 60_000);
        Seen {
            queue,
            date: Zone::china().date(at(came)),
            state: if called.is_some() { TicketState::Done } else { TicketState::Left },
            arrival: Arrival::OnTime,
            origin: Origin::Code,
            segment_at: segment.map(at),
            checked_in_at: at(came),
            called_at: called.map(at),
            began_at: None,
            ended_at: called.map(|c| at(c + 6)),
            misses: 0,
            foretold: Some((at(5), at(20), at(3))),
        }
    }

    #[test]
    fn percentiles_are_values_that_were_there() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), Some(5.0));
        assert_eq!(percentile(&values, 0.9), Some(9.0));
        assert_eq!(percentile(&values[..1], 0.9), Some(1.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn who_comes_early_waits_from_their_time_on() {
        let queue = QueueId::new();
        let all =
            [seen(queue, 0, Some(10), Some(16)), seen(queue, 0, None, Some(2)), seen(queue, 0, None, None)];
        let figures = figures(&all, &[], By::Hour, &Zone::china(), |_| None);
        let [one] = figures.as_slice() else { panic!("one hour") };
        assert_eq!((one.n, one.called, one.left), (3, 2, 1));
        assert_eq!((one.wait_p50_min, one.wait_p90_min), (Some(2.0), Some(6.0)));
        assert_eq!((one.since_arrival_p50_min, one.serve_p50_min), (Some(2.0), Some(6.0)));
        assert_eq!((one.range_held, one.missed_earliest), (Some(0.5), Some(0.5)));
    }
}
