//! How programs of the host complete names: `search`, `domain` and `options` of resolv.conf(5).

use serde::{Deserialize, Serialize};

/// What a resolver of programs makes of a short name before it asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameSearch {
    /// Domains that are tried behind a name, in this order; `.` is none.
    pub domains: Vec<String>,
    /// Options that decide which names are asked for: `ndots:N`, `no-aaaa`, `no-tld-query`.
    pub options: Vec<String>,
}

/// Domains that are taken over: the limit that glibc had until 2.26 is 6, and each is one more question for every name.
const MOST: usize = 16;
/// The longest name: RFC 1035.
const LONGEST: usize = 253;

/// What a text says; what makes no sense is left out. Of several `search` and `domain` the last holds: resolv.conf(5). Options about the way
/// to a name server (`timeout`, `rotate`, `use-vc`) are not those of whoever asks another one.
pub(super) fn parse(text: &str) -> NameSearch {
    let mut found = NameSearch::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("search") => found.domains = words.filter(|it| is_domain(it)).take(MOST).map(lower).collect(),
            Some("domain") => found.domains = words.take(1).filter(|it| is_domain(it)).map(lower).collect(),
            Some("options") => {
                for option in words.filter(|it| is_about_names(it)) {
                    let kind = option.split(':').next();
                    found.options.retain(|it| it.split(':').next() != kind);
                    found.options.push(option.to_string());
                }
            }
            _ => {}
        }
    }
    found
}

fn lower(domain: &str) -> String {
    domain.to_ascii_lowercase()
}

fn is_domain(text: &str) -> bool {
    let label = |it: &str| {
        (1..=63).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
    };
    text == "." || text.len() <= LONGEST && text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

fn is_about_names(option: &str) -> bool {
    // RES_MAXNDOTS of glibc.
    let dots = |it: &str| it.parse::<u8>().is_ok_and(|it| it <= 15);
    matches!(option, "no-aaaa" | "no-tld-query") || option.strip_prefix("ndots:").is_some_and(dots)
}

impl NameSearch {
    /// The lines of resolv.conf(5).
    pub fn lines(&self) -> String {
        let line = |word: &str, words: &[String]| match words {
            [] => String::new(),
            words => format!("{word} {}\n", words.join(" ")),
        };
        line("search", &self.domains) + &line("options", &self.options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_list_holds() {
        let text = "domain old.example\nnameserver 192.0.2.1\nsearch Corp.Example. lab.example\noptions ndots:2 timeout:1 rotate\n\
                    options edns0 no-aaaa ndots:3\n";
        let found = parse(text);
        assert_eq!(found.domains, ["corp.example.", "lab.example"]);
        assert_eq!(found.options, ["no-aaaa", "ndots:3"]);
        assert_eq!(found.lines(), "search corp.example. lab.example\noptions no-aaaa ndots:3\n");
        assert_eq!(parse("search a.example\ndomain b.example c.example\n").domains, ["b.example"]);
        assert_eq!(parse("search .\n").lines(), "search .\n");
        assert_eq!(parse("").lines(), "");
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let long = "x".repeat(64);
        let text = format!(
            "search a..b {long}.example bad;name \u{1b}[31m ok.example ..\noptions ndots:99 ndots:x debug ndots:\n"
        );
        let found = parse(&text);
        assert_eq!((found.domains, found.options), (vec!["ok.example".to_string()], vec![]));
        let many: String = (0..40).map(|it| format!(" d{it}.example")).collect();
        assert_eq!(parse(&format!("search{many}")).domains.len(), MOST);
    }
}
