//! Memory that only the start needed.
//!
//! Starting runs a good part of the program's code once: describing the API, reading settings, building tables. The kernel
//! maps what lies around each page that is touched, so most of the file ends up counted as ours although it will not be
//! used again. Once everything serves, those pages are given back; what is needed is mapped again from the page cache.

/// Gives the pages of the program's own code back to the kernel. Does nothing where there is no `/proc`.
pub(crate) fn give_back_code() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    let Ok(program) = std::env::current_exe() else { return };
    for (start, length) in code_of(&maps, &program.to_string_lossy()) {
        let start = std::ptr::with_exposed_provenance_mut(start);
        #[expect(unsafe_code, reason = "there is no safe call for it")]
        // SAFETY: the range is mapped from the program's file, can't be written, and was never changed: position-independent
        // code has no relocations. Dropping such pages loses nothing: the next access reads the same bytes from the file.
        let refused = unsafe { libc::madvise(start, length, libc::MADV_DONTNEED) } != 0;
        if refused {
            tracing::debug!("pages of the program's code stay where they are");
        }
    }
}

/// Start and length of what `/proc/self/maps` says is code of this file: to be read and run, not to be written.
fn code_of(maps: &str, program: &str) -> Vec<(usize, usize)> {
    let parse = |line: &str| {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next()?, fields.next()?);
        if rights != "r-xp" || !line.ends_with(program) {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        Some((start, end.checked_sub(start)?))
    };
    maps.lines().filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_the_program_itself() {
        let maps = "1000-3000 r--p 00000000 fe:00 1 /bin/x\n3000-5000 r-xp 00002000 fe:00 1 /bin/x\n\
                    5000-6000 rw-p 00004000 fe:00 1 /bin/x\n7000-9000 r-xp 00000000 fe:00 2 /lib/libc.so\n";
        assert_eq!(code_of(maps, "/bin/x"), [(0x3000, 0x2000)]);
        assert_eq!(code_of("", "/bin/x"), []);
        assert_eq!(code_of("nonsense r-xp /bin/x", "/bin/x"), []);
    }

    #[test]
    fn the_program_runs_on() {
        give_back_code();
        assert_eq!(code_of("3000-5000 r-xp 0 0 0 /x", "/x"), [(0x3000, 0x2000)]);
    }
}
