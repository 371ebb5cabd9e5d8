//! The string literals of a Rust file: a small lexer that knows comments, raw strings, characters and lifetimes.

/// Each literal as written (escapes left as they are) with the line it starts in.
pub(super) fn string_literals(source: &str) -> Vec<(usize, String)> {
    let mut scan = Scan { chars: source.chars().collect(), at: 0, line: 1 };
    let mut found = Vec::new();
    let mut before = None;
    while let Some(c) = scan.next() {
        match c {
            '/' if scan.peek(0) == Some('/') => scan.skip_line(),
            '/' if scan.peek(0) == Some('*') => scan.skip_comment(),
            '\'' => scan.skip_character(),
            '"' => {
                let line = scan.line;
                found.push((line, scan.literal()));
            }
            // r"…", br##"…"##; not the r of a name, and not r#name.
            'r' if !before.is_some_and(is_name) || is_prefixed(&scan) => {
                let mut hashes = 0;
                while scan.peek(hashes) == Some('#') {
                    hashes += 1;
                }
                if scan.peek(hashes) == Some('"') {
                    let line = scan.line;
                    found.push((line, scan.raw_literal(hashes)));
                }
            }
            _ => {}
        }
        before = Some(c);
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the `r` just read belongs to `br` or `cr` that is not the end of a name.
fn is_prefixed(scan: &Scan) -> bool {
    let back = |steps: usize| scan.at.checked_sub(steps).and_then(|at| scan.chars.get(at)).copied();
    matches!(back(2), Some('b' | 'c')) && !back(3).is_some_and(is_name)
}

struct Scan {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Scan {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied()?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }

    /// Block comments nest in Rust.
    fn skip_comment(&mut self) {
        let mut depth = 1;
        self.next();
        while let Some(c) = self.next() {
            match (c, self.peek(0)) {
                ('/', Some('*')) => {
                    self.next();
                    depth += 1;
                }
                ('*', Some('/')) => {
                    self.next();
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// After an apostrophe: a character is skipped, a lifetime needs nothing.
    fn skip_character(&mut self) {
        if self.peek(0) == Some('\\') {
            self.next();
            self.next();
            while self.next().is_some_and(|c| c != '\'') {}
        } else if self.peek(1) == Some('\'') {
            self.next();
            self.next();
        }
    }

    fn literal(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '"' => break,
                '\\' => {
                    text.push(c);
                    text.extend(self.next());
                }
                _ => text.push(c),
            }
        }
        text
    }

    fn raw_literal(&mut self, hashes: usize) -> String {
        for _ in 0..=hashes {
            self.next();
        }
        let mut text = String::new();
        while let Some(c) = self.next() {
            if c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                for _ in 0..hashes {
                    self.next();
                }
                break;
            }
            text.push(c);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        string_literals(source).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn all_kinds_of_strings() {
        assert_eq!(texts(r##"a("x", b"y", r"z\", r#"q"q"#, br"w")"##), ["x", "y", "z\\", "q\"q", "w"]);
        assert_eq!(texts(r#"("a\"b", "c\\")"#), [r#"a\"b"#, r"c\\"]);
        assert_eq!(texts(r##"(cr#"x"#, r#type, bar"y", "")"##), ["x", "y", ""]);
    }

    #[test]
    fn comments_characters_and_lifetimes_hide_nothing() {
        assert_eq!(texts("// \"no\"\n/* \"no\" /* \"no\" */ \"no\" */ \"yes\""), ["yes"]);
        assert_eq!(texts(r#"fn f<'a>(x: &'a str) { ('"', '\'', '\\', '\u{22}', "yes") }"#), ["yes"]);
    }

    #[test]
    fn lines_are_those_of_the_opening_quote() {
        assert_eq!(string_literals("\n\"a\nb\"\n\"c\""), [(2, "a\nb".to_owned()), (4, "c".to_owned())]);
    }
}
