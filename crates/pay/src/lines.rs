//! Lines of bills: one at a time, in bounded memory.

use std::io::{self, BufRead};

/// Longer lines than this are nobody's bill.
const MAX_LINE: usize = 64 << 10;

/// Reads the next line without its end (LF or CR LF) into `line`. False at the end of the file.
pub(crate) fn next(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            trim(line);
            return Ok(!line.is_empty());
        }
        let (taken, ended) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at, true),
            None => (chunk.len(), false),
        };
        if line.len().saturating_add(taken) > MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        line.extend(chunk.iter().take(taken));
        reader.consume(taken + usize::from(ended));
        if ended {
            trim(line);
            return Ok(true);
        }
    }
}

fn trim(line: &mut Vec<u8>) {
    while line.last() == Some(&b'\r') {
        line.pop();
    }
}

/// Which column is where, by name: the platforms add and move them.
pub(crate) struct Columns(Vec<String>);

impl Columns {
    pub(crate) fn new(names: impl Iterator<Item = String>) -> Self {
        Self(names.collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The column whose name begins so; the units behind it come in two kinds of brackets.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let exact = self.0.iter().position(|known| known == name);
        exact.or_else(|| {
            self.0
                .iter()
                .position(|known| known.strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', '（'])))
        })
    }
}

/// A reader that says stop when more comes out than `left`: against zip bombs.
pub(crate) struct Limited<R> {
    pub(crate) inner: R,
    pub(crate) left: u64,
}

impl<R: io::Read> io::Read for Limited<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.left = self
            .left
            .checked_sub(u64::try_from(n).unwrap_or(u64::MAX))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the unpacked file is too large"))?;
        Ok(n)
    }
}
