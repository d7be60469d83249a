//! Trees and names that somebody hostile has made: nothing of them leads a mount, or a write, out of the sandbox.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// What the programs of the tests need, in a root that is a directory.
const USUAL: &[&str] =
    &["mount /usr = bind(ro)", "link /bin = \"usr/bin\"", "link /lib = \"usr/lib\"", "link /lib64 = \"usr/lib64\""];

fn rooted(stage: Stage, flags: &str) -> Stage {
    let stage = stage.line("mnt", &format!("root = dir(./rootfs{flags})"));
    USUAL.iter().fold(stage, |stage, line| stage.line("mnt", line))
}

fn count(stage: &Stage, name: &str) -> usize {
    fs::read_dir(stage.path(name)).expect("our own folder").count()
}

both! {
    /// proc, dev, tmp and etc of a root are links that lead out of it, the whole way or by steps.
    fn a_root_of_links(who) {
        for flags in ["", ", rw"] {
            for up in [false, true] {
                let stage = Stage::new(who).folder("rootfs").folder("victim");
                let victim = stage.path("victim").display().to_string();
                for name in ["proc", "dev", "tmp", "etc", "sys", "usr", "bin"] {
                    let to = if up { format!("../../../../../../../..{victim}") } else { victim.clone() };
                    symlink(to, stage.path("rootfs").join(name)).expect("our own folder");
                }
                for line in ["mount /etc/made = file(\"made\")", "hide /etc/hidden", "mkdir /etc/dir", "mount /sys = sys(ro)"] {
                    let stage = rooted(stage_beside(who, &stage), flags).line("mnt", line);
                    let outcome = stage.sh("test -e /proc/self/status && test -c /dev/null && touch /tmp/mine && echo ran");
                    match outcome.code() {
                        // The links lead to places inside, where the mounts are then.
                        0 => assert_eq!(outcome.out(), "ran"),
                        2 | 125..=127 => drop(outcome.says("nsl::")),
                        _ => panic!("{outcome:?}"),
                    }
                }
                assert_eq!(count(&stage, "victim"), 0, "something was made outside: {flags} {up}");
            }
        }
    }

    /// A directory of the root, or of a volume, becomes a link to somewhere else and back, all the time.
    fn a_root_that_changes(who) {
        let stage = Stage::new(who).folder("rootfs").folder("rootfs/data").folder("victim").folder("volume").folder("volume/in");
        symlink(stage.path("victim"), stage.path("rootfs/other")).expect("our own folder");
        symlink(stage.path("victim"), stage.path("volume/other")).expect("our own folder");
        let pair = |a: &str, b: &str| {
            [a, b].map(|it| CString::new(stage.path(it).display().to_string()).expect("no NUL"))
        };
        let pairs = [pair("rootfs/data", "rootfs/other"), pair("volume/in", "volume/other")];
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    for [a, b] in &pairs {
                        let here = rustix::fs::CWD;
                        let _ = rustix::fs::renameat_with(here, a.as_c_str(), here, b.as_c_str(), rustix::fs::RenameFlags::EXCHANGE);
                    }
                }
            });
            let lines = ["mount /data/made = file(\"made\")", "mount /data = tmpfs(size: 1MiB)", "mkdir /data/deep/er", "hide /data/hidden", "mount /vol/in/made = file(\"made\")", "protect /vol/in/kept"];
            for round in 0..if stage::in_vm() { lines.len() } else { 60 } {
                let run = stage_beside(who, &stage).line("mnt", "mount /vol = bind(./volume, rw)").line("mnt", lines[round % lines.len()]);
                let outcome = rooted(run, ", rw").sh("echo ran");
                match outcome.code() {
                    0 => assert_eq!(outcome.out(), "ran"),
                    2 | 125 => drop(outcome.says("nsl::")),
                    _ => panic!("{outcome:?}"),
                }
                assert_eq!(count(&stage, "victim"), 0, "{}", lines[round % lines.len()]);
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }

    /// Mount tables escape some of these, and terminals obey others.
    fn hostile_names(who) {
        let names = ["two words", "new\nline", "back\\slash", "octal\\040space", "\u{1b}[31mred", "quo\"te", "-rf", "${HOME}", "#comment", "deleted (deleted)"];
        let mut stage = Stage::new(who);
        let mut script = String::new();
        for (at, name) in names.iter().enumerate() {
            stage = stage.folder(name).file(&format!("{name}/file"), 0o644, format!("of {at}\n"));
            let written: String = name.chars().map(|it| match it {
                '\n' => "\\n".to_string(),
                '\u{1b}' => "\\u{1b}".to_string(),
                '"' | '\\' | '$' => format!("\\{it}"),
                other => other.to_string(),
            }).collect();
            stage = stage.line("mnt", &format!("mount \"/at{at}/{written}\" = bind(\"./{written}\", ro)"));
            script.push_str(&format!("cat /at{at}/*/file; (echo x >/at{at}/*/new) 2>/dev/null && echo written; true; "));
        }
        let expected: Vec<String> = (0..names.len()).map(|at| format!("of {at}")).collect();
        assert_eq!(stage.sh(&script).out().lines().collect::<Vec<_>>(), expected);
    }

    /// A script whose interpreter is /proc/self/exe is nsl's own file, for one moment: CVE-2019-5736. It must not be written to.
    fn the_program_that_makes_the_sandbox(who) {
        let stage = Stage::new(who).folder("data").file("data/script", 0o755, "#!/proc/self/exe\n").line("mnt", "mount /data = bind(./data, ro)");
        let before = fs::read(stage.path("nsl")).expect("it is there").len();
        let outcome = stage.run(&["/data/script"]);
        assert_ne!(outcome.code(), 0, "{outcome:?}");
        assert_eq!(fs::read(stage.path("nsl")).expect("it is there").len(), before);
    }
}

/// A stage of its own over the folders of another.
fn stage_beside(who: Who, other: &Stage) -> Stage {
    let stage = Stage::new(who);
    for name in ["rootfs", "volume"] {
        if other.path(name).exists() {
            symlink(other.path(name), stage.path(name)).expect("our own folder");
        }
    }
    stage
}
