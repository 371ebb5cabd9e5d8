//! Memory that only the start needed.
//!
//! Starting runs a good part of the program's code once: describing the API, reading settings, building tables. The kernel
//! maps what lies around each page that is touched, so most of the file ends up counted as ours although it will not be
//! used again; and the allocators keep what the start has freed. Once everything serves, both are given back; what is needed of
//! the file is mapped again from the page cache.

/// Gives back what the allocators keep for later, and the pages of the program's own code and constants. To be called by the
/// thread that has put the program together, whose heap is the one that has grown. Does nothing where there is no `/proc`.
pub(crate) fn give_back() {
    #[expect(unsafe_code, reason = "there is no safe call for it")]
    // SAFETY: both only return unused pages to the system, at any time and from any thread.
    unsafe {
        libmimalloc_sys::mi_collect(true);
        #[cfg(target_env = "gnu")]
        libc::malloc_trim(0);
    }
    let Ok(maps) = std::fs::read_to_string("/proc/self/smaps") else { return };
    let Ok(program) = std::env::current_exe() else { return };
    for (start, length) in unchanged_parts_of(&maps, &program.to_string_lossy()) {
        let start = std::ptr::with_exposed_provenance_mut(start);
        #[expect(unsafe_code, reason = "there is no safe call for it")]
        // SAFETY: the range is mapped from the program's file, can't be written, and none of its pages was changed by the
        // loader. Dropping such pages loses nothing: the next access reads the same bytes from the file.
        let refused = unsafe { libc::madvise(start, length, libc::MADV_DONTNEED) } != 0;
        if refused {
            tracing::debug!("pages of the program's code stay where they are");
        }
    }
}

/// Start and length of what `/proc/self/smaps` says is mapped from this file, can't be written, and is as it is in the file:
/// has no anonymous page (where the loader has put addresses in, there are some).
fn unchanged_parts_of(smaps: &str, program: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut last = None;
    for line in smaps.lines() {
        if let Some(part) = part(line) {
            last = Some((part, line.ends_with(program)));
        } else if line.split_whitespace().eq(["Anonymous:", "0", "kB"])
            && let Some(((start, length, unwritable), true)) = last
            && unwritable
        {
            found.push((start, length));
        }
    }
    found
}

/// A line that begins a mapping: its start, its length, and whether it can't be written.
fn part(line: &str) -> Option<(usize, usize, bool)> {
    let mut fields = line.split_whitespace();
    let (range, rights) = (fields.next()?, fields.next()?);
    let (start, end) = range.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    Some((start, end.checked_sub(start)?, matches!(rights, "r-xp" | "r--p")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_of_the_program_itself_that_are_as_in_the_file() {
        let smaps = "1000-3000 r--p 00000000 fe:00 1 /bin/x\nRss: 8 kB\nAnonymous:             0 kB\n\
                     3000-5000 r-xp 00002000 fe:00 1 /bin/x\nAnonymous: 0 kB\n\
                     5000-6000 r--p 00004000 fe:00 1 /bin/x\nAnonymous: 4 kB\n\
                     6000-7000 rw-p 00005000 fe:00 1 /bin/x\nAnonymous: 0 kB\n\
                     7000-9000 r-xp 00000000 fe:00 2 /lib/libc.so\nAnonymous: 0 kB\n";
        assert_eq!(unchanged_parts_of(smaps, "/bin/x"), [(0x1000, 0x2000), (0x3000, 0x2000)]);
        assert_eq!(unchanged_parts_of("", "/bin/x"), []);
        assert_eq!(unchanged_parts_of("nonsense r-xp /bin/x\nAnonymous: 0 kB", "/bin/x"), []);
    }

    #[test]
    fn the_program_runs_on() {
        let before = vec![7_u8; 1 << 20];
        give_back();
        assert!(before.iter().all(|byte| *byte == 7));
        assert_eq!(unchanged_parts_of("3000-5000 r-xp 0 0 0 /x\nAnonymous: 0 kB", "/x"), [(0x3000, 0x2000)]);
    }
}
