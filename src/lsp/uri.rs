//! URIs of editors and paths of files.

use std::str::FromStr;

use lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in the path of a URI.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The absolute path of a `file:` URI, without `.` and `..`.
pub fn to_path(uri: &Uri) -> Option<String> {
    let rest = uri.as_str().strip_prefix("file://")?;
    // A host name may stand before the path; only this machine's files can be read.
    let path = &rest[rest.find('/')?..];
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// The `file:` URI of an absolute path.
pub fn of_path(path: &str) -> Option<Uri> {
    Uri::from_str(&format!("file://{}", utf8_percent_encode(path, PLAIN))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_uris_are_each_others_inverse() {
        for path in ["/srv/web.nsl", "/home/a b/ü#?%.nsl", "/x/[y]@z:1.nsl"] {
            assert_eq!(to_path(&of_path(path).expect("a path")).as_deref(), Some(path));
        }
        let path = |text: &str| to_path(&Uri::from_str(text).expect("a URI"));
        assert_eq!(path("file:///a/b/../c%20d.nsl").as_deref(), Some("/a/c d.nsl"));
        assert_eq!(path("file://localhost/a.nsl").as_deref(), Some("/a.nsl"));
        assert_eq!(path("untitled:Untitled-1"), None);
    }
}
