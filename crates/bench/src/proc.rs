//! What a process has used, from `/proc`. Kernel documentation: proc(5).

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// `/proc` counts processor time in these: `USER_HZ` is 100 on every Linux that people run.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of a process so far, user and system, all threads, its dead children counted.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid}"))?;
    parse(&stat).map(|stat| stat.used).with_context(|| format!("/proc/{pid}/stat"))
}

/// As [`cpu`], of a process and its living children: a PostgreSQL server and its backends.
pub(crate) fn cpu_of_family(pid: u32) -> Result<Duration> {
    let mut sum = cpu(pid)?;
    for entry in fs::read_dir("/proc")?.flatten() {
        // A process that ended since the folder was read is counted with its parent's dead children next time.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        if let Some(stat) = parse(&stat).filter(|stat| stat.parent == pid) {
            sum += stat.used;
        }
    }
    Ok(sum)
}

#[derive(Debug, PartialEq)]
struct Stat {
    parent: u32,
    used: Duration,
}

fn parse(stat: &str) -> Option<Stat> {
    // The name in brackets may hold anything; fields are counted from behind it: state is the third of the line.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |nth: usize| fields.get(nth - 3)?.parse::<u32>().ok();
    let ticks = (14..=17).map(field).sum::<Option<u32>>()?;
    Some(Stat { parent: field(4)?, used: TICK * ticks })
}

/// Resident memory of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) now: u32,
    /// The most that it ever was.
    pub(crate) peak: u32,
}

impl Memory {
    /// Reads it.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let read = || Some(Self { now: field("VmRSS:")?, peak: field("VmHWM:")? });
        read().with_context(|| format!("/proc/{pid}/status"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194304 1 2 3 4 100 20 3 1 20 0 4 0 5 6 7";
        assert_eq!(parse(line), Some(Stat { parent: 7, used: Duration::from_millis(1_240) }));
        assert_eq!(parse("42 (short) S 7"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_uses_something() {
        let us = std::process::id();
        let memory = Memory::of(us).unwrap();
        assert!(memory.now > 100 && memory.peak >= memory.now);
        let before = cpu(us).unwrap();
        let mut spun = 0_u64;
        while cpu(us).unwrap() < before + TICK * 2 {
            spun = spun.wrapping_mul(31).wrapping_add(1);
        }
        assert!(cpu_of_family(us).unwrap() >= before + TICK * 2);
    }
}
