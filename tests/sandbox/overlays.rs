//! Directories over each other: what is seen, where changes go, and that the layers stay as they are.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use super::*;

/// Every file below a directory with its content, and every directory, as text.
fn listing(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        match path.is_dir() {
            true => {
                found.push(format!("{name}/"));
                found.extend(listing(&path).into_iter().map(|it| format!("{name}/{it}")));
            }
            false => found.push(format!("{name}={}", fs::read_to_string(&path).unwrap_or_default().trim())),
        }
    }
    found.sort();
    found
}

/// Two layers that belong to the program, and a place for changes.
fn stage(who: Who) -> Stage {
    let stage = Stage::new(who).folder("over").folder("base").folder("state/upper").folder("state/work");
    let stage = stage.file("over/both", 0o666, "over\n").file("base/both", 0o666, "base\n").file(
        "base/dir/file",
        0o666,
        "file\n",
    );
    let stage = stage.file("over/only-over", 0o644, "1\n").file("base/only-base", 0o644, "2\n");
    fs::set_permissions(stage.path("base/dir"), fs::Permissions::from_mode(0o777)).expect("our own folder");
    for name in
        ["over", "base", "base/dir", "base/dir/file", "over/both", "base/both", "state", "state/upper", "state/work"]
    {
        belong(&stage, who, name);
    }
    stage
}

/// Root's sandboxes are somebody else outside, and that one owns the layers here.
fn belong(stage: &Stage, who: Who, name: &str) {
    let id = match who {
        Who::Root => Some(OUTSIDE),
        Who::User => Some(who.uid()),
    };
    if who == Who::Root || nix::unistd::geteuid().is_root() {
        chown(stage.path(name), id, id).expect("a path can be given away");
    }
}

/// Who root's sandboxes are outside, in these tests.
const OUTSIDE: u32 = 77_000;

fn mapped(who: Who, stage: Stage) -> Stage {
    match who {
        Who::Root => {
            stage.section("user", "new", &["map uid 1000 = outer(77000)", "map gid 1000 = outer(77000)", "as = 1000"])
        }
        Who::User => stage,
    }
}

const EPHEMERAL: &str = "mount /data = overlay(lower: [./over, ./base], ephemeral, size: 1MiB)";
const KEPT: &str = "mount /data = overlay(lower: [./over, ./base], upper: ./state/upper, work: ./state/work)";
const LAYERS: [&str; 6] = ["both=base", "dir/", "dir/file=file", "only-base=2", "both=over", "only-over=1"];

/// Removes a directory of a layer below whose content was removed, and names it where it is still there. Before Linux 6.6 the
/// kernel cannot do that when the changes are in a tmpfs, which `overlay-partial` warns of.
const RMDIR: &str = "{ rmdir dir 2>/dev/null || echo kept; }";

fn removed() -> &'static str {
    if at_least(6, 6) { "" } else { "kept\n" }
}

fn untouched(stage: &Stage) {
    let found = [listing(&stage.path("base")), listing(&stage.path("over"))].concat();
    assert_eq!(found, LAYERS);
}

both! {
    fn without_a_place_for_changes(who) {
        let stage = mapped(who, stage(who)).line("mnt", "mount /data = overlay(lower: [./over, ./base])");
        let outcome = stage.sh("ls /data; cat /data/both; touch /data/new 2>/dev/null || echo refused; (echo x >/data/both) 2>/dev/null || echo refused");
        assert_eq!(outcome.out(), "both\ndir\nonly-base\nonly-over\nover\nrefused\nrefused");
        untouched(&stage);
    }

    fn changes_go_away(who) {
        let stage = mapped(who, stage(who)).line("mnt", EPHEMERAL);
        let outcome = stage.sh(&format!("cd /data && echo new >both && rm only-base dir/file && {RMDIR} && echo x >made && cat both made"));
        assert_eq!(outcome.out(), format!("{}new\nx", removed()));
        untouched(&stage);
        assert_eq!(stage.sh("cat /data/both; ls /data").out(), "over\nboth\ndir\nonly-base\nonly-over");
        assert_eq!(listing(&stage.path("state")), ["upper/", "work/"]);
    }

    fn changes_have_a_size(who) {
        let outcome = mapped(who, stage(who)).line("mnt", EPHEMERAL).sh("head -c 3000000 /dev/zero >/data/big 2>/dev/null || echo full; stat -c %s /data/big");
        assert_eq!(outcome.out(), "full\n1048576");
    }

    fn changes_are_kept(who) {
        let stage = mapped(who, stage(who)).line("mnt", KEPT);
        stage.sh("echo new >/data/both && rm /data/only-base && mkdir /data/made && echo x >/data/made/x").out();
        untouched(&stage);
        assert_eq!(stage.sh("cat /data/both /data/made/x; ls /data").out(), "new\nx\nboth\ndir\nmade\nonly-over");
        let upper = stage.path("state/upper");
        assert_eq!(fs::read_to_string(upper.join("both")).expect("it was kept"), "new\n");
        assert_eq!(fs::metadata(upper.join("made")).expect("it was kept").uid(), if who == Who::Root { OUTSIDE } else { who.uid() });
    }

    fn a_root_of_layers(who) {
        let stage = stage(who).line("mnt", "root = overlay(lower: [./over, ./base], ephemeral)");
        let stage = ["mount /usr = bind(ro)", "link /bin = \"usr/bin\"", "link /lib = \"usr/lib\"", "link /lib64 = \"usr/lib64\""]
            .iter()
            .fold(mapped(who, stage), |stage, line| stage.line("mnt", line));
        let outcome = stage.sh("ls /; echo changed >/both; cat /both; echo new >/dir/new && ls /dir; stat -c %a /");
        assert_eq!(outcome.out(), "bin\nboth\ndev\ndir\nlib\nlib64\nonly-base\nonly-over\nproc\ntmp\nusr\nchanged\nfile\nnew\n777");
        untouched(&stage);
    }

    /// The directory that stands at the path is what changes are laid over.
    fn over_itself(who) {
        let stage = stage(who);
        let base = stage.path("base").display().to_string();
        let stage = mapped(who, stage).drop_line("mnt", "mount /tmp").line("mnt", &format!("mount {base} = overlay(ephemeral)"));
        assert_eq!(stage.sh(&format!("cd {base} && rm dir/file && {RMDIR} && echo x >both && cat both only-base")).out(), format!("{}x\n2", removed()));
        untouched(&stage);
    }

    /// A directory that was removed hides what is below, when it is made again.
    fn made_again(who) {
        let stage = mapped(who, stage(who)).line("mnt", EPHEMERAL);
        if !at_least(6, 6) {
            if !stage::in_vm() {
                skip(module_path!(), "a tmpfs has extended attributes of users since Linux 6.6");
            }
            return;
        }
        assert_eq!(stage.sh("rm -r /data/dir && mkdir /data/dir && ls /data/dir; echo done").out(), "done");
    }

    fn covers_in_an_overlay(who) {
        let stage = mapped(who, stage(who)).line("mnt", EPHEMERAL);
        let stage = ["hide /data/dir", "hide /data/later", "protect /data/both", "protect /data/none", "protect /data/hooks/deep = dir"]
            .iter()
            .fold(stage, |stage, line| stage.line("mnt", line));
        let script = "
import os, shutil
os.chdir('/data')
print(os.listdir('dir'), os.listdir('later'), open('both').read().strip())
for name in ['dir', 'later', 'both', 'none', 'hooks', 'hooks/deep']:
    for what, act in [
        ('wrote', lambda: open(name + '/x' if os.path.isdir(name) else name, 'w').close()),
        ('moved', lambda: os.rename(name, 'moved')),
        ('removed', lambda: os.rmdir(name) if os.path.isdir(name) else os.unlink(name)),
    ]:
        try:
            act()
            print(what, name)
        except OSError:
            pass
print(sorted(os.listdir('.')))
";
        let outcome = stage.python(script);
        assert_eq!(outcome.out(), "[] [] over\nwrote hooks\n['both', 'dir', 'hooks', 'later', 'none', 'only-base', 'only-over']");
        untouched(&stage);
    }

    /// Only one run at a time changes a directory.
    fn one_run_at_a_time(who) {
        let stage = mapped(who, stage(who)).line("mnt", KEPT);
        let mut running = stage.start(&["/bin/sh", "-c", "echo up; exec sleep 60"]);
        running.line("up");
        let second = stage.start(&["/bin/sh", "-c", "echo ran"]).finish_beside_another();
        second.ends(125).says("nsl::overlay-in-use").says(&stage.place("overlay("));
        running.signal(nix::sys::signal::Signal::SIGKILL);
        running.finish();
        stage.sh("echo ran").ends(0);
    }

    /// What is to be changed may not be a link to somewhere else.
    fn a_hostile_upper(who) {
        let stage = mapped(who, stage(who)).folder("victim").line("mnt", KEPT);
        for name in ["upper", "work"] {
            let path = stage.path("state").join(name);
            fs::rename(&path, stage.path("aside")).expect("our own folder");
            symlink(stage.path("victim"), &path).expect("our own folder");
            stage.sh("touch /data/new").ends(125).says(&stage.place("overlay("));
            assert_eq!(listing(&stage.path("victim")), [""; 0]);
            fs::remove_file(&path).and_then(|()| fs::rename(stage.path("aside"), &path)).expect("our own folder");
        }
    }

    /// A link in a layer leads nowhere but into the sandbox.
    fn a_hostile_layer(who) {
        let stage = mapped(who, stage(who)).folder("victim").line("mnt", "mount /data = overlay(lower: ./base, ephemeral)");
        symlink(stage.path("victim"), stage.path("base/out")).expect("our own folder");
        let stage = stage.line("mnt", "mount /data/out/file = file(\"x\")");
        let outcome = stage.sh("echo ran");
        assert!(outcome.code() == 0 || outcome.code() == 125, "{outcome:?}");
        assert_eq!(listing(&stage.path("victim")), [""; 0]);
    }

    fn what_cannot_be(who) {
        let stage = mapped(who, stage(who));
        let missing = Stage::new(who).line("mnt", "mount /data = overlay(lower: ./nothing, ephemeral)");
        missing.sh("echo ran").ends(2).says("nsl::source-missing");
        let optional = Stage::new(who).line("mnt", "optional mount /data = overlay(lower: ./nothing, ephemeral)");
        assert_eq!(optional.sh("echo ran").out(), "ran");
        let file = stage.line("mnt", "mount /data = overlay(lower: ./over/both, ephemeral)");
        file.sh("echo ran").ends(2).says("nsl::layer-no-directory");
    }
}

/// Whether this kernel is at least this version.
fn at_least(major: u32, minor: u32) -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(['.', '-']).map(|it| it.trim().parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (major, minor)
}
