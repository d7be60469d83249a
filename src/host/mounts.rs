//! /proc/self/mountinfo: proc_pid_mountinfo(5).

/// One mount of the caller's mount namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Its number.
    pub id: u64,
    /// The number of the mount it is on.
    pub parent: u64,
    /// The directory of the file system that is mounted.
    pub root: String,
    /// Where.
    pub point: String,
    /// Its own options, such as `ro`.
    pub options: String,
    /// `proc`, `cgroup2`.
    pub fs: String,
    /// The options of the file system.
    pub super_options: String,
    /// `shared`, `slave` or `private`.
    pub propagation: &'static str,
}

impl Mount {
    /// Whether one of its own options is this one.
    pub fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|it| it == option)
    }
}

/// The mounts that this process sees.
pub(super) fn here() -> Vec<Mount> {
    parse(&super::text::text("/proc/self/mountinfo"))
}

/// The mounts, in the order of the file; lines that make no sense are left out.
pub(super) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(line).collect()
}

#[allow(clippy::manual_pattern_char_comparison)]
fn line(line: &str) -> Option<Mount> {
    // `id parent maj:min root point options [optional fields] - fs source super-options`. A closure, as a search for a `char` is made for
    // long texts, and these are short ones.
    let mut fields = line.split(|it: char| it == ' ');
    let (id, parent) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let root = fields.nth(1).map(unescaped)?;
    let (point, options) = (fields.next().map(unescaped)?, fields.next()?.to_string());
    let tags: Vec<&str> = fields.by_ref().take_while(|it| *it != "-").collect();
    let tagged = |with: &str| tags.iter().any(|it| it.starts_with(with));
    Some(Mount {
        id,
        parent,
        root,
        point,
        options,
        propagation: if tagged("shared:") {
            "shared"
        } else if tagged("master:") {
            "slave"
        } else {
            "private"
        },
        fs: fields.next()?.to_string(),
        super_options: fields.nth(1).unwrap_or("").to_string(),
    })
}

/// Blanks, tabs, line ends and backslashes of paths are written as `\040`.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_string();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &tail[3..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The path below a directory: `/a/b` is `b` below `/a`; `None` where it is not below it.
pub(super) fn below<'a>(path: &'a str, dir: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(dir.trim_end_matches('/'))?;
    rest.strip_prefix('/').filter(|rest| !rest.is_empty())
}

/// Paths over parts of /proc, for which the kernel refuses a fresh proc in a user namespace.
///
/// fs/namespace.c, `mnt_already_visible`: one proc in sight must be whole. What lies on a directory that is
/// made to be mounted on (binfmt_misc, nfsd) hides nothing; a read-only proc counts as hidden, as a fresh one would be writable.
pub(super) fn proc_masked(mounts: &[Mount]) -> Vec<String> {
    let procs: Vec<&Mount> = mounts.iter().filter(|it| it.fs == "proc" && it.root == "/").collect();
    let hidden = |proc: &&Mount| -> Vec<String> {
        if proc.has("ro") {
            return vec![proc.point.clone()];
        }
        let on_it = mounts.iter().filter(|it| it.parent == proc.id && it.id != proc.id);
        let harmless = ["sys/fs/binfmt_misc", "fs/nfsd"];
        on_it
            .filter(|it| below(&it.point, &proc.point).is_none_or(|rest| !harmless.contains(&rest)))
            .map(|it| it.point.clone())
            .collect()
    };
    if procs.is_empty() {
        return vec!["/proc".to_string()];
    }
    procs.iter().map(hidden).min_by_key(Vec::len).unwrap_or_default()
}

/// Where mount namespaces are pinned, as `unshare --mount=FILE` does it.
pub(super) fn mount_pins(mounts: &[Mount]) -> Vec<String> {
    let pins = mounts.iter().filter(|it| it.fs == "nsfs" && it.root.starts_with("mnt:["));
    pins.map(|it| it.point.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "22 27 0:21 / /proc rw,relatime - proc proc rw\n\
        27 1 254:0 / / rw shared:1 master:2 - ext4 /dev/vda rw,discard\n\
        30 22 0:30 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n\
        31 27 0:31 /a\\040b /mnt/c\\134d\\011 ro,nosuid - tmpfs t rw\n\
        garbage\n";

    #[test]
    fn reads_lines_with_and_without_optional_fields() {
        let mounts = parse(PLAIN);
        assert_eq!(mounts.len(), 4);
        assert_eq!((mounts[1].point.as_str(), mounts[1].super_options.as_str()), ("/", "rw,discard"));
        assert_eq!((mounts[3].root.as_str(), mounts[3].point.as_str()), ("/a b", "/mnt/c\\d\t"));
        assert!(mounts[3].has("nosuid") && !mounts[3].has("no"));
    }

    #[test]
    fn a_proc_with_binfmt_misc_is_whole() {
        assert!(proc_masked(&parse(PLAIN)).is_empty());
    }

    #[test]
    fn a_covered_or_read_only_proc_is_masked() {
        let covered = format!("{PLAIN}40 22 0:40 / /proc/kcore rw - tmpfs tmpfs rw\n");
        assert_eq!(proc_masked(&parse(&covered)), ["/proc/kcore"]);
        let second = format!("{covered}41 27 0:41 / /mnt/proc rw - proc proc rw\n");
        assert!(proc_masked(&parse(&second)).is_empty());
        assert_eq!(proc_masked(&parse("22 27 0:21 / /proc ro - proc proc rw")), ["/proc"]);
        assert_eq!(proc_masked(&[]), ["/proc"]);
    }

    #[test]
    fn pins_of_mount_namespaces_are_found() {
        let pinned = format!(
            "{PLAIN}50 27 0:4 net:[4026531840] /run/netns/a rw - nsfs nsfs rw\n51 27 0:4 mnt:[4026531841] /run/ns/b rw - nsfs nsfs rw\n"
        );
        assert_eq!(mount_pins(&parse(&pinned)), ["/run/ns/b"]);
    }

    #[test]
    fn below_takes_whole_names() {
        assert_eq!(below("/a/b", "/a"), Some("b"));
        assert_eq!(below("/ab", "/a"), None);
        assert_eq!(below("/a", "/"), Some("a"));
        assert_eq!(below("/a", "/a"), None);
    }
}
