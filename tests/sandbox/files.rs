//! One tree of paths: what is there, what can be written, what cannot be seen.

use std::fs;
use std::path::Path;

use super::*;

/// A policy's lines, a script, and what the script prints.
struct Case {
    name: &'static str,
    lines: &'static [&'static str],
    script: &'static str,
    prints: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "the host's tree is read-only",
        lines: &[],
        script: "test -d /usr && echo there; touch /nsl 2>/dev/null || echo refused; touch /usr/nsl 2>/dev/null || echo refused",
        prints: "there\nrefused\nrefused",
    },
    Case {
        name: "mounts below a read-only root are read-only too",
        lines: &["mount /dev = bind(ro)"],
        script: "touch /dev/shm/nsl 2>/dev/null || echo refused",
        prints: "refused",
    },
    Case {
        name: "an empty root has what is named",
        lines: &[
            "root = empty",
            "mount /usr = bind(ro)",
            "link /bin = \"usr/bin\"",
            "link /lib = \"usr/lib\"",
            "link /lib64 = \"usr/lib64\"",
        ],
        script: "ls -A / | tr '\\n' ' '; touch /nsl 2>/dev/null || echo refused",
        prints: "bin dev lib lib64 proc tmp usr refused",
    },
    Case {
        name: "a binding can be written where it says so",
        lines: &["mount /data = bind(./data, rw)"],
        script: "echo new >/data/new && cat /data/new",
        prints: "new",
    },
    Case {
        name: "a binding is read-only where it says so",
        lines: &["mount /data = bind(./data, ro)"],
        script: "cat /data/old; echo new 2>/dev/null >/data/new || echo refused",
        prints: "old\nrefused",
    },
    Case {
        name: "a writable path inside a read-only one",
        lines: &["mount /outer = bind(./outer, ro)", "mount /outer/data = bind(./data, rw)"],
        script: "cat /outer/data/old; echo new >/outer/data/new && cat /outer/data/new; touch /outer/new 2>/dev/null || echo refused",
        prints: "old\nnew\nrefused",
    },
    Case {
        name: "a file is bound on its own",
        lines: &["mount /srv/one = bind(./data/old, ro)"],
        script: "cat /srv/one; (echo new >/srv/one) 2>/dev/null || echo refused",
        prints: "old\nrefused",
    },
    Case {
        name: "noexec",
        lines: &["mount /data = bind(./data, rw, noexec)"],
        script: "/data/script 2>/dev/null; echo $?",
        prints: "126",
    },
    Case {
        name: "a program on a binding without noexec",
        lines: &["mount /data = bind(./data, rw)"],
        script: "/data/script",
        prints: "ran",
    },
    Case {
        name: "a tmpfs is empty and ends where it says",
        lines: &["mount /tmp = tmpfs(size: 1MiB)"],
        script: "ls -A /tmp; dd if=/dev/zero of=/tmp/big bs=64k count=32 2>/dev/null || echo full; stat -c %s /tmp/big; stat -c %a /tmp",
        prints: "full\n1048576\n1777",
    },
    Case {
        name: "a tmpfs on a path that the host has not",
        lines: &["mount /scratch/deep = tmpfs(size: 1MiB)"],
        script: "echo 1 >/scratch/deep/file && cat /scratch/deep/file",
        prints: "1",
    },
    Case {
        name: "a file with a text",
        lines: &["mount /etc/motd = file(\"one\\ntwo\\n\")", "mount /etc/nsl/made = file(\"three\")"],
        script: "cat /etc/motd /etc/nsl/made; (echo x >/etc/motd) 2>/dev/null || echo ' refused'",
        prints: "one\ntwo\nthree refused",
    },
    Case {
        name: "a hidden directory has nothing in it",
        lines: &["hide /etc"],
        script: "ls -A /etc; touch /etc/nsl 2>/dev/null || echo refused; cat /etc/passwd 2>/dev/null || echo gone",
        prints: "refused\ngone",
    },
    Case {
        name: "a hidden file cannot be read",
        lines: &["hide /etc/passwd"],
        script: "test -n \"$(cat /etc/passwd 2>/dev/null)\" && echo seen; test -r /etc/group && echo beside",
        prints: "beside",
    },
    Case {
        name: "a path that the host has not can be hidden",
        lines: &["hide /no/such/path"],
        script: "ls -A /no/such/path 2>/dev/null; echo fine",
        prints: "fine",
    },
    Case {
        name: "something may be shown inside what is hidden",
        lines: &["hide /etc", "mount /etc/hosts = bind(ro)"],
        script: "ls -A /etc; test -s /etc/hosts && echo shown",
        prints: "hosts\nshown",
    },
    Case {
        name: "a symbolic link",
        lines: &[
            "root = empty",
            "mount /usr = bind(ro)",
            "link /bin = \"usr/bin\"",
            "link /lib = \"usr/lib\"",
            "link /lib64 = \"usr/lib64\"",
            "link /etc/deep/link = \"../../usr\"",
        ],
        script: "readlink /etc/deep/link; test -d /etc/deep/link/bin && echo followed",
        prints: "../../usr\nfollowed",
    },
    Case {
        name: "a directory",
        lines: &["mkdir /empty"],
        script: "test -d /empty && ls -A /empty && echo made",
        prints: "made",
    },
    Case {
        name: "the devices that are harmless, and no other",
        lines: &[],
        script: "ls /dev | tr '\\n' ' '; echo x >/dev/null && head -c 2 /dev/zero | od -An -tx1; test -c /dev/urandom && echo random",
        prints: "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero  00 00\nrandom",
    },
    Case {
        name: "no device can be made",
        lines: &[],
        script: "mknod /tmp/sda b 8 0 2>/dev/null || echo refused",
        prints: "refused",
    },
    Case {
        name: "shared memory is the sandbox's own",
        lines: &[],
        script: "ls -A /dev/shm; echo 1 >/dev/shm/x && cat /dev/shm/x",
        prints: "1",
    },
    Case {
        name: "dangerous files of proc",
        lines: &[],
        script: "for f in sysrq-trigger sys/kernel/core_pattern sys/vm/drop_caches; do (echo h >/proc/$f) 2>/dev/null && echo written $f; done; test -s /proc/kcore && echo kcore; test -n \"$(cat /proc/keys 2>/dev/null)\" && echo keys; echo done",
        prints: "done",
    },
    Case {
        name: "nothing can be mounted or unmounted",
        lines: &["hide /etc"],
        script: "umount /etc 2>/dev/null || echo refused; mount -t tmpfs none /mnt 2>/dev/null || echo refused; mount -o remount,rw / 2>/dev/null || echo refused",
        prints: "refused\nrefused\nrefused",
    },
    Case {
        name: "the old root is not to be found",
        lines: &[
            "root = empty",
            "mount /usr = bind(ro)",
            "link /bin = \"usr/bin\"",
            "link /lib = \"usr/lib\"",
            "link /lib64 = \"usr/lib64\"",
        ],
        script: "ls -A /proc/1/root/ /proc/self/cwd/ /.. >/tmp/seen 2>/dev/null; grep -c -x -E 'root|home|boot|etc|var' /tmp/seen",
        prints: "0",
    },
    Case {
        name: "optional leaves out what is not there",
        lines: &["optional mount /data = bind(./nothing, ro)"],
        script: "ls -A /data 2>/dev/null; echo fine",
        prints: "fine",
    },
];

fn stage(who: Who) -> Stage {
    let stage = Stage::new(who).folder("data").folder("outer").folder("outer/data").folder("rootfs");
    stage.file("data/old", 0o644, "old\n").file("data/script", 0o755, "#!/bin/sh\necho ran\n")
}

both! {
    fn tree(who) {
        let mut wrong = Vec::new();
        for case in CASES {
            let stage = case.lines.iter().fold(stage(who), |stage, line| stage.line("mnt", line));
            let outcome = stage.sh(case.script);
            let printed = String::from_utf8_lossy(outcome.bytes()).trim_end().to_string();
            // `grep -c` and `test` end with 1 where they are the last word.
            if printed != case.prints || outcome.code() > 1 {
                wrong.push(format!("{}: expected\n{}\n{outcome:?}", case.name, case.prints));
            }
            for path in ["/nsl", "/usr/nsl", "/dev/shm/nsl", "/scratch", "/etc/nsl", "/no", "/data", "/empty", "/srv/one", "/dev/shm/x"] {
                if Path::new(path).exists() {
                    wrong.push(format!("{}: made `{path}` on the host", case.name));
                    let _ = fs::remove_dir_all(path).or_else(|_| fs::remove_file(path));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    fn a_directory_as_root(who) {
        let stage = stage(who).file("rootfs/etc/name", 0o644, "rootfs\n").line("mnt", "root = dir(./rootfs)");
        let stage = ["mount /usr = bind(ro)", "link /bin = \"usr/bin\"", "link /lib = \"usr/lib\"", "link /lib64 = \"usr/lib64\""]
            .iter()
            .fold(stage, |stage, line| stage.line("mnt", line));
        assert_eq!(stage.sh("cat /etc/name; touch /etc/new 2>/dev/null || echo refused; ls /usr/bin/env").out(), "rootfs\nrefused\n/usr/bin/env");
        // The places that were missing in the directory are there in the sandbox alone.
        let left: Vec<_> = fs::read_dir(stage.path("rootfs")).expect("our own folder").flatten().map(|it| it.file_name()).collect();
        assert_eq!(left, ["etc"]);
    }

    /// A hidden path may lead through a link into a mount whose path sorts behind it.
    fn hidden_behind_a_link(who) {
        let stage = ["root = empty", "mount /usr = bind(ro)", "link /bin = \"usr/bin\"", "link /lib = \"usr/lib\"", "link /lib64 = \"usr/lib64\"", "hide /bin/id"]
            .iter()
            .fold(Stage::new(who).section("mnt", "new", &[]), |stage, line| stage.line("mnt", line));
        assert_eq!(stage.sh("test -s /usr/bin/id || echo hidden; test -s /usr/bin/env && echo seen").out(), "hidden\nseen");
    }

    /// What a hidden link leads to could be made later.
    fn hidden_but_to_be_made(who) {
        let stage = stage(who).folder("links").line("mnt", "mount /tmp/links = bind(./links, ro)");
        let stage = stage.line("mnt", "mount /usr/share = bind(./data, rw)").line("mnt", "hide /tmp/links/late");
        std::os::unix::fs::symlink("/usr/share/late", stage.path("links/late")).expect("our own folder");
        let outcome = stage.sh("echo seen >/usr/share/late; cat /tmp/links/late");
        outcome.ends(125).says("/usr/share/late does not exist").says(&stage.place("hide /tmp/links"));
    }

    /// A symbolic link in a hostile root or volume never leads a mount out of the sandbox's tree.
    fn a_hostile_root(who) {
        let stage = stage(who).folder("victim").line("mnt", "root = dir(./rootfs)");
        std::os::unix::fs::symlink(stage.path("victim"), stage.path("rootfs/escape")).expect("our own folder");
        std::os::unix::fs::symlink("../../../../../../../..", stage.path("rootfs/up")).expect("our own folder");
        let victim = stage.path("victim");
        for line in ["mount /escape/file = file(\"x\")", "mount /escape = tmpfs(size: 1MiB)", "mkdir /escape/dir", "link /up/tmp/nsl-escaped = \"x\""] {
            let outcome = ["mount /usr = bind(ro)", "link /bin = \"usr/bin\"", "link /lib = \"usr/lib\"", "link /lib64 = \"usr/lib64\"", line]
                .iter()
                .fold(stage_of(who, &stage), |stage, line| stage.line("mnt", line))
                .sh("echo ran");
            assert!(outcome.code() == 0 || outcome.code() == 125 || outcome.code() == 2, "{outcome:?}");
            assert_eq!(fs::read_dir(&victim).expect("our own folder").count(), 0, "`{line}` wrote outside");
            assert!(!Path::new("/tmp/nsl-escaped").exists());
        }
    }

    /// Writes through a binding are the caller's own.
    fn writes_arrive(who) {
        let stage = stage(who).line("mnt", "mount /data = bind(./data, rw)");
        stage.sh("echo written >/data/new").out();
        assert_eq!(fs::read_to_string(stage.path("data/new")).expect("it was written"), "written\n");
    }

    /// No file of the run's own can be changed: not the policy, not the program that made the sandbox.
    fn nsl_cannot_be_reached(who) {
        let out = Stage::new(who).sh("for p in /proc/[0-9]*; do readlink $p/exe; done 2>/dev/null | grep -c /nsl; (: >>/proc/1/exe) 2>/dev/null && echo open; true").out();
        assert_eq!(out.lines().last(), Some("0"), "{out}");
    }
}

/// A stage of its own over the folders of another.
fn stage_of(who: Who, other: &Stage) -> Stage {
    let rootfs = other.path("rootfs");
    Stage::new(who).line("mnt", &format!("root = dir({})", rootfs.display()))
}
