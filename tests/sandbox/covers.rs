//! `protect`, and `hide` of what does not exist yet, where the program may write.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::*;

/// A sandbox with a writable work tree that has a few things in it.
fn work(who: Who, lines: &[&str]) -> Stage {
    let mut stage = Stage::new(who).line("mnt", "mount /work = bind(./work, rw)");
    for line in lines {
        stage = stage.line("mnt", line);
    }
    for dir in ["work", "work/.git", "work/.git/hooks", "work/deep", "work/deep/er"] {
        stage = stage.folder(dir);
    }
    for file in ["work/.git/hooks/post", "work/.env", "work/deep/er/file"] {
        stage = stage.file(file, 0o666, "kept\n");
    }
    stage
}

/// Waits until a path is gone.
fn gone(path: &Path) {
    for _ in 0..500 {
        if !path.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{} is still there", path.display());
}

const LINES: &[&str] = &[
    "protect /work/.git/hooks = dir",
    "protect /work/.env",
    "protect /work/.env.local",
    "protect /work/new/hooks = dir",
    "protect /work/deep/er/file",
];

both! {
    fn what_is_protected_can_be_read_and_not_changed(who) {
        let out = work(who, LINES).sh(
            "cd /work
             cat .env .git/hooks/post deep/er/file
             for path in .env .git/hooks/post .git/hooks/new .env.local new/hooks/post deep/er/file; do
               (echo bad >$path) 2>/dev/null && echo wrote $path
             done
             for path in .env .env.local .git/hooks new/hooks new .git deep deep/er deep/er/file; do
               mv $path other 2>/dev/null && echo moved $path
               rm -rf $path 2>/dev/null && echo removed $path
             done
             mkdir later 2>/dev/null && mv later .git/hooks 2>/dev/null && ls .git/hooks/later 2>/dev/null
             ln -sfn /tmp .env.local 2>/dev/null && readlink .env.local
             echo fine >deep/er/other && echo fine >.git/config && echo fine >new/other && cat deep/er/other .git/config new/other",
        ).out();
        assert_eq!(out, "kept\nkept\nkept\nfine\nfine\nfine");
    }

    /// And on the host, nothing but what the program made is there afterwards.
    fn nothing_stays_of_what_did_not_exist(who) {
        let stage = work(who, LINES);
        let out = stage.sh("ls -A /work | tr '\\n' ' '; cat /work/.env.local; ls -A /work/new").out();
        assert_eq!(out, ".env .env.local .git deep new hooks");
        let mut left: Vec<_> = fs::read_dir(stage.path("work")).expect("it is there").flatten().map(|it| it.file_name()).collect();
        left.sort();
        assert_eq!(left, [".env", ".git", "deep"]);
    }

    fn nothing_stays_when_nsl_is_killed(who) {
        let stage = work(who, LINES);
        let mut running = stage.start(&["/bin/sh", "-c", "echo ready; sleep 1004; exit 1"]);
        running.line("ready");
        assert!(stage.path("work/.env.local").exists() && stage.path("work/new/hooks").is_dir());
        running.signal(Signal::SIGKILL);
        running.finish().ends(-9);
        gone(&stage.path("work/.env.local"));
        gone(&stage.path("work/new"));
    }

    /// The one that ends first leaves to the other what both rely on.
    fn two_sandboxes_share_what_did_not_exist(who) {
        let stage = work(who, LINES);
        let script = |go: &str| {
            format!(
                "echo ready; while [ ! -e /work/{go} ]; do sleep 0.02; done
                 (echo bad >/work/.env.local) 2>/dev/null && exit 9; mv /work/.env.local /work/x 2>/dev/null && exit 8; exit 0"
            )
        };
        let mut first = stage.start(&["/bin/sh", "-c", &script("one")]);
        first.line("ready");
        let mut second = stage.start(&["/bin/sh", "-c", &script("two")]);
        second.line("ready");
        fs::write(stage.path("work/one"), "").expect("our own folder");
        first.finish_beside_another().ends(0);
        assert!(stage.path("work/.env.local").exists());
        fs::write(stage.path("work/two"), "").expect("our own folder");
        second.finish().ends(0);
        gone(&stage.path("work/.env.local"));
    }

    fn what_is_hidden_and_missing_cannot_be_made(who) {
        let stage = work(who, &["hide /work/secret", "hide /work/.env"]);
        let out = stage.sh("cat /work/.env; (echo bad >/work/secret/x) 2>/dev/null || echo refused; rmdir /work/secret 2>/dev/null || echo refused").out();
        assert_eq!(out, "refused\nrefused");
        assert!(!stage.path("work/secret").exists());
        assert_eq!(fs::read_to_string(stage.path("work/.env")).expect("it is there"), "kept\n");
    }

    fn what_the_program_put_into_a_placeholder_stays(who) {
        let stage = work(who, LINES);
        stage.sh("echo mine >/work/new/file").out();
        assert_eq!(fs::read_to_string(stage.path("work/new/file")).expect("it is there"), "mine\n");
        assert!(!stage.path("work/new/hooks").exists());
    }

    fn optional_protection_makes_nothing(who) {
        let stage = work(who, &["optional protect /work/.env.local", "optional protect /work/.env"]);
        let out = stage.sh("ls -A /work | tr '\\n' ' '; (echo bad >/work/.env) 2>/dev/null || echo refused").out();
        assert_eq!(out, ".env .git deep refused");
    }

    /// A repository's `.git` may be a file, and then the file is what could be replaced.
    fn a_file_on_the_way_is_protected_itself(who) {
        let stage = work(who, &["protect /work/tree/hooks = dir"]).file("work/tree", 0o666, "gitdir: elsewhere\n");
        let out = stage.sh("rm -f /work/tree 2>/dev/null || echo refused; (echo bad >/work/tree) 2>/dev/null || echo refused").out();
        assert_eq!(out, "refused\nrefused");
    }

    /// A link to a file is covered by the file. One that leads to a directory stays the link that it is, and the directory is
    /// protected as well; where one leads nowhere the program may not be able to make what it leads to.
    fn symbolic_links_cannot_be_replaced(who) {
        let stage = work(who, &["protect /work/link"]);
        symlink("deep/er/file", stage.path("work/link")).expect("a link");
        let out = stage.sh("cat /work/link; rm -f /work/link 2>/dev/null || echo refused; (echo bad >/work/link) 2>/dev/null || echo refused").out();
        assert_eq!(out, "kept\nrefused\nrefused");
        let lay = |text: &str| {
            fs::remove_file(stage.path("work/link")).expect("it was ours");
            symlink(text, stage.path("work/link")).expect("a link");
        };
        let bad = "rm -f /work/link 2>/dev/null || echo refused; ln -sfn /tmp /work/link 2>/dev/null || echo refused; readlink /work/link; \
                   mkdir /work/link/bad 2>/dev/null || echo refused; mv /work/deep /work/moved 2>/dev/null || echo refused";
        lay("deep");
        assert_eq!(stage.sh(bad).out(), "refused\nrefused\ndeep\nrefused\nrefused");
        lay("/usr/nowhere");
        assert_eq!(stage.sh(bad).out().lines().take(4).collect::<Vec<_>>(), ["refused", "refused", "/usr/nowhere", "refused"]);
        fs::rename(stage.path("work/moved"), stage.path("work/deep")).expect("nothing protected it then");
        lay("nowhere");
        stage.run(&["/bin/true"]).ends(125).says("path-failed").says("/work/nowhere does not exist");
    }

    /// Whoever could write to the tree before may have laid a link out of it.
    fn placeholders_follow_no_links(who) {
        let stage = work(who, &["protect /work/out/hooks = dir"]).folder("elsewhere");
        symlink("../elsewhere", stage.path("work/out")).expect("a link");
        let out = stage.sh("rm -f /work/out 2>/dev/null || echo refused; readlink /work/out").out();
        assert_eq!(out, "refused\n../elsewhere");
        assert_eq!(fs::read_dir(stage.path("elsewhere")).expect("it is there").count(), 0);
    }

    fn a_mount_below_what_is_protected_stays_writable(who) {
        let stage = work(who, &["protect /work/.git", "mount /work/.git/hooks = bind(./work/deep, rw)"]);
        let out = stage.sh("(echo bad >/work/.git/x) 2>/dev/null || echo refused; echo fine >/work/.git/hooks/x && cat /work/.git/hooks/x").out();
        assert_eq!(out, "refused\nfine");
    }
}
