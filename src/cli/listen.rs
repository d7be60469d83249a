//! Descriptors that a service manager passed: sd_listen_fds(3).

use std::ffi::OsStr;

use nsl::report::Diagnostic;

/// The first of them: SD_LISTEN_FDS_START.
const FIRST: i32 = 3;

/// Their names and numbers, but for what `--fd` names already.
///
/// # Errors
/// The environment does not tell of any, or the names are not such as a policy could give.
pub fn passed(named: &[(String, i32)]) -> Result<Vec<(String, i32)>, Diagnostic> {
    read(|name| std::env::var_os(name), std::process::id(), named)
}

fn read<V: AsRef<OsStr>>(
    variable: impl Fn(&str) -> Option<V>,
    own: u32,
    named: &[(String, i32)],
) -> Result<Vec<(String, i32)>, Diagnostic> {
    let get = |name: &str| Some(variable(name)?.as_ref().to_string_lossy().into_owned());
    let wrong = |text: String, help: &str| Err(Diagnostic::error("listen-fds-not-passed", text).help(help));
    let unset =
        "start nsl by a service with a socket unit (systemd.socket(5)), or hand descriptors over with `--fd NAME=N`";
    let (Some(pid), Some(count)) = (get("LISTEN_PID"), get("LISTEN_FDS")) else {
        return wrong(
            "`--listen-fds`: LISTEN_PID and LISTEN_FDS are not set, so nobody passed descriptors".into(),
            unset,
        );
    };
    if pid.parse() != Ok(own) {
        return wrong(
            format!("`--listen-fds`: the descriptors were passed to process {pid}, and this is {own}"),
            "let the service manager start nsl itself; a shell in between has to say `exec nsl run …`",
        );
    }
    let Some(count) = count.parse::<u16>().ok().filter(|it| *it > 0) else {
        return wrong(format!("`--listen-fds`: LISTEN_FDS is `{count}`, which counts no descriptors"), unset);
    };
    let names = get("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_string);
    let mut found: Vec<(String, i32)> = Vec::new();
    for number in (FIRST..).take(count.into()) {
        // As sd_listen_fds_with_names(3) calls what has no name.
        let name = names.next().filter(|it| !it.is_empty()).unwrap_or_else(|| "unknown".to_string());
        if !is_word(&name) {
            return wrong(
                format!("`--listen-fds`: descriptor {number} is called `{name}`, which no `fd` of a policy can be"),
                "write `FileDescriptorName=NAME` in the socket unit, with letters, digits and `-` only",
            );
        }
        if named.iter().chain(&found).any(|it| it.0 == name) {
            return wrong(
                format!("`--listen-fds`: two descriptors are called `{name}`"),
                "give each a socket unit of its own with its own `FileDescriptorName=`",
            );
        }
        found.push((name, number));
    }
    Ok(found)
}

/// What the grammar takes for a name.
fn is_word(name: &str) -> bool {
    name.starts_with(|it: char| it.is_ascii_alphabetic())
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(variables: &[(&str, &str)], named: &[(String, i32)]) -> Result<Vec<(String, i32)>, String> {
        let get = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_string());
        read(get, 7, named).map_err(|it| it.message)
    }

    #[test]
    fn descriptors_have_the_names_that_they_were_given() {
        let both = [("LISTEN_PID", "7"), ("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "http:admin")];
        assert_eq!(ask(&both, &[]), Ok(vec![("http".into(), 3), ("admin".into(), 4)]));
        let nameless = [("LISTEN_PID", "7"), ("LISTEN_FDS", "1")];
        assert_eq!(ask(&nameless, &[]), Ok(vec![("unknown".into(), 3)]));
        let same = ask(&both, &[("admin".into(), 9)]).expect_err("it is there twice");
        assert!(same.contains("two descriptors are called `admin`"), "{same}");
    }

    #[test]
    fn what_was_not_passed_to_this_process_is_not_taken() {
        let wrong = |variables: &[(&str, &str)], what: &str| {
            let text = ask(variables, &[]).expect_err(what);
            assert!(text.contains(what), "{text}");
        };
        wrong(&[], "not set");
        wrong(&[("LISTEN_FDS", "1")], "not set");
        wrong(&[("LISTEN_PID", "8"), ("LISTEN_FDS", "1")], "passed to process 8, and this is 7");
        for count in ["0", "-1", "x", "70000"] {
            wrong(&[("LISTEN_PID", "7"), ("LISTEN_FDS", count)], "counts no descriptors");
        }
        wrong(&[("LISTEN_PID", "7"), ("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "web.socket")], "called `web.socket`");
        let two = [("LISTEN_PID", "7"), ("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "a:a")];
        wrong(&two, "two descriptors are called `a`");
    }
}
