//! What could have stood where the grammar gave up, in the user's words and not the grammar's.

use pest::error::{Error, ErrorVariant};

use super::parse::Rule;

/// What could have stood there; empty where nearly everything could.
pub(super) fn expected(error: &Error<Rule>) -> String {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else { return String::new() };
    let mut words: Vec<&str> = positives.iter().filter_map(|rule| friendly(*rule)).collect();
    words.sort_unstable();
    words.dedup();
    // Values and types may be names.
    if words.contains(&"a value") || words.contains(&"a type") {
        words.retain(|it| *it != "a name");
    }
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_string(),
        // Where many things may stand, a list of them helps nobody.
        [.., last] if words.len() <= 3 => format!("{} or {last}", words[..words.len() - 1].join(", ")),
        _ => String::new(),
    }
}

/// What a rule is called in messages; `None` for rules that are never worth naming: slips, comments, and what may
/// nearly always follow.
fn friendly(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::word | Rule::dotted | Rule::setref | Rule::bare => "a name",
        Rule::type_list => "a type",
        Rule::colon => "`:`",
        Rule::list | Rule::named | Rule::number | Rule::path | Rule::reference | Rule::address | Rule::everything => {
            "a value"
        }
        Rule::equals => "`=`",
        Rule::block => "`{`",
        Rule::kw_group => "`group`",
        Rule::kw_in => "`in`",
        Rule::module => "a module such as `std/service` or `./common.nsl`",
        Rule::arg | Rule::arg_name => "an argument",
        Rule::param => "a parameter",
        Rule::instance => "a profile",
        _ => return None,
    })
}
