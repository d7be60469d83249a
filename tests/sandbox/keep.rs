//! Namespaces that files keep: pinned, joined when their sandbox is over, let go; and nothing of them where no program ran.
//!
//! Everything happens in a mount namespace of the test's own, so that a user may do it as well as root, and nothing stays on the host.

use super::*;

const KINDS: [&str; 7] = ["user", "net", "mnt", "ipc", "uts", "cgroup", "time"];

/// A stage with a private mount for pins, and what brings `sh SCRIPT nsl run test.nsl …` into a mount namespace of its own.
fn through(who: Who, script: &str) -> Vec<String> {
    let mut words = vec!["/usr/bin/unshare", "--mount"];
    if who == Who::User {
        words.extend(["--user", "--map-root-user"]);
    }
    let script = format!("set -e; mount -t tmpfs -o mode=755 pins pins; {script}");
    words.extend(["/bin/sh", "-c", &script, "sh"]);
    words.into_iter().map(str::to_string).collect()
}

fn finish(stage: &Stage, who: Who, script: &str, args: &[&str]) -> Outcome {
    let through = through(who, script);
    let through: Vec<&str> = through.iter().map(String::as_str).collect();
    stage.finish(stage.command_through(&through, args))
}

/// A sandbox that keeps these kinds, each in a file of that name.
fn keeping(who: Who, kinds: &[&'static str]) -> Stage {
    let stage = Stage::new(who).folder("pins");
    kinds.iter().fold(stage, |stage, kind| stage.line(kind, &format!("keep ./pins/{kind}")))
}

/// A policy beside it that joins these kinds by their files.
fn joining(stage: Stage, kinds: &[&str]) -> Stage {
    let lines: String = kinds.iter().map(|kind| format!("  {kind} join(path: ./pins/{kind})\n")).collect();
    stage.file("join.nsl", 0o644, format!("sandbox beside {{\n{lines}}}\n"))
}

const LINKS: &str = "for kind in user net ipc uts cgroup time; do readlink /proc/self/ns/$kind; done";

both! {
    /// Each kind but `pid` outlives its sandbox, in the very file, and is the one that is joined later.
    fn all_kinds_outlive_their_sandbox(who) {
        let beside = ["user", "net", "ipc", "uts", "cgroup", "time"];
        let stage = keeping(who, &KINDS).line("uts", "hostname = \"kept\"").line("time", "boottime = 10d");
        let stage = joining(stage, &beside);
        let script = format!(
            "\"$@\" >first; for kind in {0}; do stat -L -c \"$kind:[%i]\" pins/$kind; done >second; stat -L -c '%i' pins/mnt >mnt; \
             ./nsl run join.nsl -- /bin/sh -c '{LINKS}; uname -n; cut -d. -f1 /proc/uptime' >third; \
             head -n 6 first | cmp - second; head -n 6 third | cmp - second; tail -n 2 third; ./nsl ns release pins/*; ls -A pins",
            beside.join(" ")
        );
        let out = finish(&stage, who, &script, &["/bin/sh", "-c", LINKS]).out();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[0], "kept", "{out}");
        assert!(lines[1].parse::<u64>().is_ok_and(|it| it > 10 * 86_400), "{out}");
        assert_eq!(lines.len(), 2 + KINDS.len(), "a line for each, and no file is left: {out}");
        for (line, kind) in lines[2..].iter().zip(["cgroup", "ipc", "mnt", "net", "time", "user", "uts"]) {
            assert!(line.contains(&format!("pins/{kind}: let go of {kind} ")), "{out}");
        }
    }

    /// The tree of a mount namespace is there for whoever joins it.
    fn a_tree_outlives_its_sandbox(who) {
        let stage = joining(keeping(who, &["user", "mnt"]).line("mnt", "mount /etc/made = file(\"made\")"), &["user", "mnt"]);
        // A tree in which one is pinned cannot be moved, and others bring in the host's tree, or a directory with pins.
        let root = "  pid new\n  mnt new {\n    root = host(ro)\n    mount /proc = proc\n    mount /mnt = bind(./pins)\n  }\n";
        let stage = stage.file("other.nsl", 0o644, format!("sandbox other {{\n  user new\n{root}}}\n"));
        let script = "\"$@\"; ./nsl run join.nsl -- /bin/cat /etc/made; echo; \
                      for n in 1 2 3 4; do ./nsl run other.nsl -- /bin/sh -c 'ls /mnt; grep -c mnt:. /proc/self/mountinfo || true'; done; \
                      ./nsl ns release pins/user pins/mnt >/dev/null";
        let each = "mnt\nuser\n0\n".repeat(4);
        assert_eq!(finish(&stage, who, script, &["/bin/true"]).out(), format!("made\n{each}").trim_end());
    }

    /// The report, the trace and the list of namespaces name it; the plan says it before.
    fn what_is_kept_is_said(who) {
        let stage = keeping(who, &["net"]).option("--report").option("report.json").option("--verbose");
        let script = "./nsl plan test.nsl -- x | grep -e \"make the file\" -e \"have nsl\"; \"$@\" >/dev/null; cat report.json | tr -d ' \\n' | grep -o '\"kept\":[^]]*'; ./nsl ns --json --kind net | grep '^ *\"/.*pins/net\"'; \
                      ./nsl ns release pins/net";
        let outcome = finish(&stage, who, script, &["/bin/true"]);
        let out = outcome.out();
        let pins = stage.path("pins/net").display().to_string();
        // Other tests may pin something at the same time, where they run on the host.
        let lines: Vec<&str> = out.lines().map(str::trim).filter(|it| it.contains(&stage.token()) || it.contains("pins/net:")).collect();
        assert!(lines[0].contains("make the file") && lines[1].contains("have nsl pin net to"), "{out}");
        assert!(lines[2].contains("\"kind\":\"net\"") && lines[2].contains(&format!("\"path\":\"{pins}\"")), "{out}");
        assert_eq!(lines[3], format!("\"{pins}\""), "{out}");
        assert!(lines[4].ends_with("and nothing that you may see needs it any more"), "{out}");
        outcome.says("keeps net").says("nsl ns release");
    }

    /// Whatever ends a run before its program starts leaves no file.
    fn nothing_is_kept_where_no_program_ran(who) {
        let stage = keeping(who, &KINDS);
        let script = "\"$@\" || echo $?; ls -A pins; grep -c \" $PWD/pins/\" /proc/self/mountinfo || true";
        assert_eq!(finish(&stage, who, script, &["/nonexistent"]).out(), "127\n0");
        let late = keeping(who, &["net", "time"]).top("cwd = /nonexistent/too");
        let out = finish(&late, who, script, &["/bin/true"]).out();
        assert!(out.ends_with("\n0") && out.lines().count() == 2, "{out}");
    }

    /// What is there already is left as it is, and said before anything is done.
    fn what_exists_is_not_covered(who) {
        let stage = keeping(who, &["net"]);
        let script = "echo mine >pins/net; \"$@\" || echo $?; cat pins/net";
        let outcome = finish(&stage, who, script, &["/bin/true"]);
        assert_eq!(outcome.out(), "2\nmine");
        outcome.says("exists already");
        let again = "\"$@\" && { \"$@\" || echo $?; }; ./nsl ns release pins/net >/dev/null";
        let outcome = finish(&stage, who, again, &["/bin/true"]);
        assert_eq!(outcome.out(), "2");
        outcome.says("keeps a `net` namespace already").says("nsl ns release");
        // A link to nowhere is seen when the file is made, and not followed.
        let link = "ln -s ../elsewhere pins/net; \"$@\" || echo $?; ls -A pins; test -e elsewhere || echo none";
        let outcome = finish(&stage, who, link, &["/bin/true"]);
        assert_eq!(outcome.out(), "125\nnet\nnone");
        outcome.says("nsl::keep-failed");
    }

    /// Whatever cannot be made is said with what to do.
    fn a_file_that_cannot_be_made_is_explained(who) {
        let long = format!("./pins/{}", "n".repeat(300));
        for (path, says) in [("/proc/here", "such as those of /proc"), ("/sys/here", "as in those of /sys"), (&long, "a shorter name")] {
            let stage = Stage::new(who).folder("pins").line("net", &format!("keep {path}"));
            finish(&stage, who, "\"$@\"", &["/bin/true"]).ends(125).says("nsl::keep-failed").says(says);
        }
    }

    /// A preference that cannot be met is none of the program's business.
    fn a_preference_is_not_insisted_on(who) {
        let stage = Stage::new(who).folder("pins").line("net", "prefer keep ./pins/none/net").line("uts", "keep ./pins/uts");
        let outcome = finish(&stage, who, "\"$@\"; ls -R pins; ./nsl ns release pins/uts >/dev/null", &["/bin/echo", "ran"]);
        assert_eq!(outcome.out(), "ran\npins:\nuts");
        outcome.says("is not in force");
    }

    /// A kill is not the end of what is kept, once the program runs; before, there is no half of it.
    fn a_killed_nsl_leaves_what_is_whole(who) {
        let stage = keeping(who, &["net", "time"]);
        let script = "\"$@\" >said & nsl=$!; while ! grep -q up said; do sleep 0.05; done; sleep 0.2; kill -9 $nsl; wait; ls pins; \
                      ./nsl ns release pins/net pins/time >/dev/null; \
                      for pause in 000 005 010 015 020 025 030 035 040 045 050 060; do \"$@\" >said & nsl=$!; sleep 0.$pause; kill -9 $nsl; wait; sleep 0.3; \
                      files=$(ls -A pins | wc -l); mounts=$(grep -c \" $PWD/pins/\" /proc/self/mountinfo || true); \
                      test $files = $mounts || echo \"after $pause: $files files, $mounts mounts\"; test $files = 0 || ./nsl ns release pins/* >/dev/null; done";
        let out = finish(&stage, who, script, &["/bin/sh", "-c", "echo up; exec sleep 1000"]).out();
        assert_eq!(out, "net\ntime");
    }

    /// What a pod makes, and what a container makes for itself.
    fn pods_keep_too(who) {
        let stage = Stage::new(who).folder("pins");
        let token = stage.token();
        let text = format!(
            "pod p {{\n  env NSL_TEST = \"{token}\"\n  user new {{\n    map uid 0 = unprivileged\n    map gid 0 = unprivileged\n    keep ./pins/user\n  }}\n  \
             net new {{ keep ./pins/net }}\n  time new {{\n    boottime = 10d\n    keep ./pins/time\n  }}\n  container c {{\n    \
             run = [\"/bin/sh\", \"-c\", \"readlink /proc/self/ns/user /proc/self/ns/net /proc/self/ns/time /proc/self/ns/uts /proc/self/ns/cgroup\"]\n    pid new\n    \
             mnt new {{\n      root = host(ro)\n      mount /proc = proc\n    }}\n    uts new {{ keep ./pins/uts }}\n    cgroup new {{ keep ./pins/cgroup }}\n  }}\n}}\n"
        );
        let stage = stage.with_text(&text).option("--report").option("report.json");
        let script = "\"$@\" | sed 's/.*| //' >first; for kind in user net time uts cgroup; do stat -L -c \"$kind:[%i]\" pins/$kind; done | cmp - first; \
                      grep -c '\"path\": .*/pins/' report.json; ./nsl ns release pins/* | wc -l; ls -A pins";
        assert_eq!(finish(&stage, who, script, &[]).out(), "5\n5");
        let late = stage.with_text(&text.replace("    pid new\n", "    pid new\n    cwd = /proc/nowhere\n")).option("--verbose");
        // What the pod makes is there when a container is started; what the container keeps is not.
        let script = "\"$@\" >/dev/null || true; ls -A pins; ./nsl ns release pins/* >/dev/null";
        assert_eq!(finish(&late, who, script, &[]).out(), "net\ntime\nuser");
    }

    /// The example: what one sandbox has made another one finds, when nobody is in it any more.
    fn the_example_keeps_a_network(who) {
        if !links::have_parts("sandbox::keep::the_example_keeps_a_network") { return }
        let stage = acceptance::example(who, "keep.nsl").folder("pins");
        let script = "run() { ./nsl run --set dir=./pins keep.nsl \"$@\"; }; run make; run visit; stat -L -c 'kept net:[%i]' pins/net; \
                      ./nsl ns release --json pins/net pins/none pins/user >released.json || echo $?; ls -A pins; tr -d ' \\n' <released.json; run visit";
        let outcome = finish(&stage, who, script, &[]);
        outcome.ends(2).says("nsl::join-missing").says("nsl::no-pin");
        let out = String::from_utf8_lossy(outcome.bytes()).into_owned();
        let lines: Vec<&str> = out.lines().collect();
        let id = lines[0].strip_prefix("made net:[").and_then(|it| it.strip_suffix(']')).expect(&out);
        assert_eq!(lines[1..4], [format!("found net:[{id}] with 10.9.8.7"), format!("kept net:[{id}]"), "2".to_string()]);
        let first = format!(
            "[{{\"path\":\"pins/net\",\"released\":true,\"kind\":\"net\",\"id\":{id},\"goes_on\":false,\"processes\":[],\"pinned\":[],\"held\":[],\"finding\":null}},\
             {{\"path\":\"pins/none\",\"released\":false,\"kind\":null,\"id\":null,\"goes_on\":false,"
        );
        assert!(lines[4].starts_with(&first) && lines[4].contains("\"code\":\"no-pin\""), "{out}");
    }

    /// Whoever moves the file before the namespace is mounted on it ends the run, and keeps nothing of it.
    fn a_file_that_is_moved_keeps_nothing(who) {
        let stage = keeping(who, &["net"]);
        let script = "for n in 1 2 3 4 5 6 7 8 9 10; do \
                      (while ! mv pins/net pins/away 2>/dev/null; do test -e stop && exit; done) & \"$@\"; code=$?; touch stop; wait; rm stop; \
                      test $code = 125 && break; ./nsl ns release pins/net >/dev/null; done; \
                      echo $code; ls -A pins; grep -c \" $PWD/pins/\" /proc/self/mountinfo || true";
        let outcome = finish(&stage, who, &format!("set +e; {script}"), &["/bin/true"]);
        assert_eq!(outcome.out(), "125\n0");
        outcome.says("somebody has moved").says("others may write to that directory");
    }

    /// Only what keeps a namespace is let go, and nothing that somebody has written is lost.
    fn release_looks_before(who) {
        let stage = keeping(who, &["net"]).file("plain", 0o644, "mine");
        let says = |script: &str, code: i32, says: &str| {
            let outcome = finish(&stage, who, &format!("\"$@\"; {script}"), &["/bin/true"]);
            outcome.ends(code).says(says);
            outcome
        };
        let tidy = "; status=$?; umount pins/net; exit $status";
        says("./nsl ns release nothing", 2, "does not exist");
        says("./nsl ns release plain", 2, "keeps no namespace");
        says("./nsl ns release /proc/self/ns/net", 2, "symbolic link");
        says("./nsl ns release pins", 2, "keeps no namespace");
        says("ln -s net pins/link; ./nsl ns release pins/link", 2, "symbolic link");
        says(&format!("set +e; mount --bind /proc/self/ns/uts pins/net; ./nsl ns release pins/net{tidy}"), 2, "one mounted on the other");
        says("set +e; touch pins/own; cat plain >pins/own; mount --bind pins/net pins/own; ./nsl ns release pins/own; status=$?; umount pins/own; cat pins/own; umount pins/net; exit $status", 2, "with something in it");
        // Several, of which one is none.
        let outcome = finish(&stage, who, "set +e; \"$@\"; ./nsl ns release plain pins/net; echo $?; ls -A pins", &["/bin/true"]);
        assert_eq!(outcome.out().lines().last(), Some("2"));
        // What ip-netns(8) and unshare(1) have pinned.
        let script = "touch pins/by-hand; unshare --uts=pins/by-hand true; ./nsl ns release pins/by-hand; ls -A pins";
        let out = finish(&stage, who, script, &[]).out();
        assert!(out.contains("pins/by-hand: let go of uts") && out.lines().count() == 1, "{out}");
    }
}

/// An ordinary user may not mount, and is told what to do instead; and may not let go of what root has pinned.
#[test]
fn a_user_may_not_pin_on_the_host() {
    if let Err(reason) = Who::User.ids() {
        return skip(concat!(module_path!(), "::a_user_may_not_pin_on_the_host"), reason);
    }
    let stage = keeping(Who::User, &["net"]);
    stage.sh("true").ends(2).says("may not mount on this host").says("unshare -Urm").says("join(sandbox: NAME)");
    // With a user namespace alone the mount namespace is still the host's.
    let through = ["/usr/bin/unshare", "--user", "--map-root-user"];
    stage.finish(stage.command_through(&through, &["/bin/true"])).ends(2).says("may not mount");
    let script = "\"$@\"; unshare --user --map-root-user --mount ./nsl ns release pins/net && exit 1; ./nsl ns release pins/net >/dev/null";
    finish(&stage, Who::User, script, &["/bin/true"]).ends(0).says("nsl::pin-forbidden");
}

/// On a shared mount the kernel pins everything but mount namespaces.
#[test]
fn a_shared_mount_is_no_place_for_a_mount_namespace() {
    if let Err(reason) = Who::Root.ids() {
        return skip(concat!(module_path!(), "::a_shared_mount_is_no_place_for_a_mount_namespace"), reason);
    }
    let stage = keeping(Who::Root, &["mnt"]);
    let outcome = finish(&stage, Who::Root, "mount --make-shared pins; \"$@\"", &["/bin/true"]);
    outcome.ends(2).says("nsl::keep-shared").says("mount --make-private");
    let stage = keeping(Who::Root, &["net"]);
    finish(&stage, Who::Root, "mount --make-shared pins; \"$@\"; ./nsl ns release pins/net >/dev/null", &["/bin/true"])
        .ends(0);
}
