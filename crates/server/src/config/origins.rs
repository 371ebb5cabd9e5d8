//! Where the program's settings were said.

use std::collections::BTreeMap;
use std::fmt;

/// Where a key was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// In the file.
    File,
    /// By a variable of the environment, which wins over the file.
    Environment,
}

/// The keys (`server.listen`) that were said anywhere; the others have their defaults.
#[derive(Clone, Default)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Reads the keys off a file's content.
    pub(super) fn of_file(file: &toml::Table) -> Self {
        let mut found = BTreeMap::new();
        for (section, keys) in file {
            for key in keys.as_table().into_iter().flat_map(toml::Table::keys) {
                found.insert(format!("{section}.{key}"), Origin::File);
            }
        }
        Self(found)
    }

    pub(super) fn environment(&mut self, key: &str) {
        self.0.insert(key.to_owned(), Origin::Environment);
    }

    /// Where a key was said; `None` for a default.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<Origin> {
        self.0.get(key).copied()
    }
}

impl fmt::Debug for Origins {
    /// Settings are the same wherever they were said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origins")
    }
}
