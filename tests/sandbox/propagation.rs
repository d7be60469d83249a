//! What the host mounts while a sandbox runs, in a mount namespace that each test makes for itself.

use super::*;

/// Makes a shared mount, or a private one, at `$1/src`; runs `nsl` there; mounts something below once the program is ready; and shows
/// what the program has said. The rest of the arguments are `nsl`'s.
const HOST: &str = r#"
set -eu
dir=$1 kind=$2; shift 2
mount -t tmpfs -o mode=777 src "$dir/src"
mount --make-private "$dir/src"
mount "--make-$kind" "$dir/src"
mkdir "$dir/src/sub" "$dir/src/inner"
chmod 777 "$dir/src/sub" "$dir/src/inner"
"$@" >"$dir/out" 2>&1 &
while kill -0 $! 2>/dev/null && ! grep -q ready "$dir/out"; do sleep 0.05; done
mount -t tmpfs -o mode=777 late "$dir/src/sub"
touch "$dir/src/sub/arrived" "$dir/src/go"
status=0
wait $! || status=$?
cat "$dir/out"
if [ -e "$dir/src/inner/made-inside" ]; then echo came out; fi
exit $status
"#;

/// Says that it is ready, and then what has come in.
const PROGRAM: &str = "echo ready; until [ -e /src/go ]; do sleep 0.05; done; \
                       if [ -e /src/sub/arrived ]; then echo came in; else echo stayed out; fi";

fn stage(who: Who, arguments: &str) -> Stage {
    let stage = Stage::new(who).folder("src");
    let source = stage.path("src").display().to_string();
    // The host's /tmp, where the folder of the test is, is covered inside.
    stage.line("mnt", &format!("mount /src = bind({source}, {arguments})"))
}

fn run(stage: &Stage, who: Who, kind: &str, program: &str) -> Outcome {
    let nsl = stage.command(&["/bin/sh", "-c", program]);
    let (uid, gid) = who.ids().expect("a test that plays");
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "/bin/sh", "-c", HOST, "sh"]);
    command.arg(stage.path(".")).arg(kind);
    if who == Who::User {
        command.args(["setpriv", "--reuid", &uid.to_string(), "--regid", &gid.to_string(), "--clear-groups"]);
    }
    command.arg(nsl.get_program()).args(nsl.get_args());
    command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("NO_COLOR", "1").current_dir(stage.path("."));
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    stage.finish(command)
}

/// Only root can mount what is to arrive.
fn may_mount() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        skip("sandbox::propagation", "only root can mount on the host's side");
    }
    root
}

both! {
    fn what_the_host_mounts_later_stays_outside(who) {
        if may_mount() {
            let outcome = run(&stage(who, "ro"), who, "shared", PROGRAM);
            assert!(outcome.out().ends_with("stayed out"), "{outcome:?}");
        }
    }

    fn a_slave_sees_what_the_host_mounts_later(who) {
        if may_mount() {
            let outcome = run(&stage(who, "ro, propagation: slave"), who, "shared", PROGRAM);
            assert!(outcome.out().ends_with("came in"), "{outcome:?}");
        }
    }

    /// A mount that is private on the host has nothing to pass on, and that is said before the run.
    fn a_private_source_is_refused(who) {
        if may_mount() {
            let outcome = run(&stage(who, "ro, propagation: slave"), who, "private", PROGRAM);
            outcome.ends(2);
            let said = String::from_utf8_lossy(outcome.bytes()).into_owned();
            assert!(said.contains("nsl::propagation-private"), "{outcome:?}");
        }
    }

    /// What a program with the right to it mounts comes out of a shared mount, and out of no other.
    fn only_shared_leads_out(who) {
        if who == Who::User || !may_mount() {
            return;
        }
        let inside = format!("mount -t tmpfs -o mode=777 inner /src/inner && touch /src/inner/made-inside || exit 9; {PROGRAM}");
        for (arguments, out) in [("rw, propagation: shared", true), ("rw, propagation: slave", false), ("rw", false)] {
            let stage = stage(who, arguments)
                .section("user", "host", &[])
                .section("caps", "", &["keep sys_admin"])
                .top("no-new-privs = true");
            let outcome = run(&stage, who, "shared", &inside);
            assert_eq!(outcome.out().ends_with("came out"), out, "{arguments}: {outcome:?}");
        }
    }
}
