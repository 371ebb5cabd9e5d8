//! The form in which checks answer: sections of lines, each good or not, with what to do.

use std::fmt::Write as _;

use base::{Lang, Text2};

/// How a line is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Nobody can tell from here: a person has to look.
    Note,
    /// It works, or will for now; something should be done.
    Warn,
    /// It does not work.
    Fail,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it is to be taken.
    pub level: Level,
    /// What was found.
    pub found: Text2,
    /// What to do about it.
    pub advice: Option<Text2>,
}

impl Line {
    /// A finding of a level.
    pub fn new(level: Level, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { level, found: Text2::new(zh, en), advice: None }
    }

    /// As it should be.
    pub fn ok(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Level::Ok, zh, en)
    }

    /// A person has to look.
    pub fn note(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Level::Note, zh, en)
    }

    /// Something should be done.
    pub fn warn(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Level::Warn, zh, en)
    }

    /// It does not work.
    pub fn fail(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Level::Fail, zh, en)
    }

    /// With what to do about it.
    #[must_use]
    pub fn advise(self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.says(&Text2::new(zh, en))
    }

    /// With what to do about it.
    #[must_use]
    pub fn says(mut self, advice: &Text2) -> Self {
        self.advice = Some(advice.clone());
        self
    }
}

/// Findings about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What they are about.
    pub title: Text2,
    /// The findings.
    pub lines: Vec<Line>,
}

impl Section {
    /// Nothing found yet.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { title: Text2::new(zh, en), lines: Vec::new() }
    }

    /// Adds a finding.
    pub fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds a finding.
    #[must_use]
    pub fn with(mut self, line: Line) -> Self {
        self.add(line);
        self
    }
}

/// All findings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// One after the other.
    pub sections: Vec<Section>,
}

impl Report {
    /// The worst of all findings; decides the exit code.
    #[must_use]
    pub fn worst(&self) -> Level {
        self.sections.iter().flat_map(|s| &s.lines).map(|line| line.level).max().unwrap_or(Level::Ok)
    }

    /// The text for a terminal.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        let mut out = String::new();
        for (n, section) in self.sections.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            // Writing to a String can't fail.
            let _ = writeln!(out, "{}", section.title.get(lang));
            for line in &section.lines {
                let _ = writeln!(out, "  {}  {}", mark(line.level, lang), line.found.get(lang));
                if let Some(advice) = &line.advice {
                    let _ = writeln!(out, "{:indent$}→ {}", "", advice.get(lang), indent = INDENT);
                }
            }
        }
        out
    }
}

/// Columns in front of an advice: two, the mark, two.
const INDENT: usize = 8;

/// Four columns wide in both languages.
fn mark(level: Level, lang: Lang) -> &'static str {
    match (level, lang) {
        (Level::Ok, Lang::Zh) => "正常",
        (Level::Ok, Lang::En) => "ok  ",
        (Level::Note, Lang::Zh) => "请看",
        (Level::Note, Lang::En) => "look",
        (Level::Warn, Lang::Zh) => "注意",
        (Level::Warn, Lang::En) => "warn",
        (Level::Fail, Lang::Zh) => "失败",
        (Level::Fail, Lang::En) => "FAIL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_line_by_line() {
        let report = Report {
            sections: vec![
                Section::new("公众号 main", "Account main")
                    .with(Line::ok("可以取得 access_token。", "An access token can be had."))
                    .with(
                        Line::fail("服务器 IP 不在白名单。", "Our address is not allowed.")
                            .advise("加上 1.2.3.4", "Add 1.2.3.4"),
                    ),
                Section::new("审计日志", "Audit log").with(Line::note("请看", "Look")),
            ],
        };
        assert_eq!(report.worst(), Level::Fail);
        assert_eq!(Report::default().worst(), Level::Ok);
        assert_eq!(
            report.render(Lang::En),
            "Account main\n  ok    An access token can be had.\n  FAIL  Our address is not allowed.\n        → Add 1.2.3.4\n\nAudit log\n  look  Look\n"
        );
        assert_eq!(
            report.render(Lang::Zh),
            "公众号 main\n  正常  可以取得 access_token。\n  失败  服务器 IP 不在白名单。\n        → 加上 1.2.3.4\n\n审计日志\n  请看  请看\n"
        );
    }
}
