//! What goes wrong around a run, and in the middle of it: nothing is left, nothing runs without its walls, and it is said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::*;

/// How often something is tried, from a variable of the environment.
fn times(variable: &str, usual: usize) -> usize {
    std::env::var(variable).ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}

/// Everything that a program can see of its walls.
fn walls() -> String {
    let kinds = ["user", "pid", "net", "mnt", "ipc", "uts", "cgroup"];
    let namespaces: String = kinds
        .iter()
        .map(|kind| {
            let host = std::fs::read_link(format!("/proc/self/ns/{kind}")).expect("a kernel with all of them");
            format!("[ \"$(readlink /proc/self/ns/{kind})\" = '{}' ] && echo {kind} of the host;", host.display())
        })
        .collect();
    format!(
        "{namespaces} grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status; uname -n; ls /home /root; \
         cut -d' ' -f5,6 /proc/self/mountinfo; ls /proc/self/fd | wc -l; cat /proc/sys/user/max_user_namespaces; \
         ulimit -n; pwd; env | grep -v NSL_TEST; cut -d' ' -f6 /proc/self/stat; echo end"
    )
}

fn walled(who: Who) -> Stage {
    Stage::new(who)
        .line("uts", "hostname = \"walled\"")
        .line("mnt", "hide /home")
        .line("mnt", "hide /root")
        .line("mnt", "mount /etc/made = file(\"made\")")
        .line("cgroup", "prefer pids.max = 64")
        .section("limits", "", &["nofile = 64"])
        .line("seccomp", "otherwise = allow")
        .line("seccomp", "deny ptrace = kill")
}

/// The lines, in an order of no meaning: what is covered twice is covered.
fn sorted(text: &str) -> BTreeSet<&str> {
    text.lines().collect()
}

/// One call fails, once: then there is no sandbox, and the reason is said; or there is one, with all of its walls. `after` says what is left of
/// a run that is not to be, and takes away what is: it knows whether the program ran.
fn one_call_fails(stage: &Stage, after: &dyn Fn(bool) -> Vec<String>) {
    let script = walls();
    let command =
        || stage.command_through(&["/bin/sh", "-c", "kill -STOP $$; exec \"$@\"", "sh"], &["/bin/sh", "-c", &script]);
    let patience = stage::patience();
    let usual = inject::run(&mut command(), None, patience);
    assert!(
        usual.status.is_some_and(|it| it.success()) && usual.stdout.ends_with("end\n"),
        "{}\n{}",
        usual.stdout,
        usual.stderr
    );
    assert!(!usual.stdout.contains("of the host"), "{}", usual.stdout);
    assert_eq!(after(true), [""; 0]);
    let spots = chosen_spots(&usual.spots);
    let wanted = match std::env::var("NSL_FAULTS") {
        Ok(asked) if asked.starts_with("all") => spots.len(),
        _ => times("NSL_FAULTS", 40),
    };
    let mut wrong = Vec::new();
    let stride = spots.len().div_ceil(wanted.max(1)).max(1);
    for (index, spot) in spots.iter().step_by(stride).enumerate() {
        let errno = [nix::libc::EPERM, nix::libc::EIO, nix::libc::ENOMEM][index % 3];
        let run = inject::run(&mut command(), Some((*spot, errno)), patience);
        let code = run.status.map(|it| it.code().unwrap_or(-1));
        let said = run.stderr.contains("nsl::") || run.stderr.contains("nsl: ");
        let fine = match code {
            Some(0) => {
                sorted(&run.stdout) == sorted(&usual.stdout)
                    || run.stdout.ends_with("end\n") && run.stderr.contains("not in force")
            }
            // What could not be read of a policy or a host is a policy that does not check here.
            Some(2 | 125 | 126 | 127) => said && !run.stdout.contains("end"),
            _ => false,
        };
        let mut left = after(code == Some(0));
        left.extend(leftovers::of(&stage.token(), run.pid));
        if !fine || !left.is_empty() {
            let (seen, wanted) = (sorted(&run.stdout), sorted(&usual.stdout));
            let differ: Vec<_> = seen.symmetric_difference(&wanted).collect();
            wrong.push(format!(
                "{spot:?} with errno {errno}: {code:?}, left {left:?}, came {}\n{differ:#?}\n{}",
                run.failed, run.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), spots.len().div_ceil(stride), wrong.join("\n\n"));
}

/// The first, a middle and the last call of each kind in each process; all of them where that is asked for; also one of them:
/// `NSL_FAULTS=2:1909`, process and call; or a part of all: `NSL_FAULTS=all/3/8` is the fourth of eight.
fn chosen_spots(all: &[inject::Spot]) -> Vec<inject::Spot> {
    let asked = std::env::var("NSL_FAULTS").unwrap_or_default();
    if let Some((process, call)) = asked.split_once(':') {
        let of = |text: &str| text.parse::<usize>().ok();
        return all.iter().filter(|it| (Some(it.process), Some(it.call)) == (of(process), of(call))).copied().collect();
    }
    let mut parts = asked.split('/');
    let is_all = parts.next() == Some("all");
    let part: Vec<usize> = parts.filter_map(|it| it.parse().ok()).collect();
    let mut kinds: BTreeMap<(usize, u64), Vec<inject::Spot>> = BTreeMap::new();
    all.iter().for_each(|spot| kinds.entry((spot.process, spot.number)).or_default().push(*spot));
    let mut spots: Vec<inject::Spot> = match is_all {
        true => all.to_vec(),
        false => kinds.values().flat_map(|it| [it[0], it[it.len() / 2], it[it.len() - 1]]).collect(),
    };
    spots.sort();
    spots.dedup();
    if let [part, of] = part[..] {
        let mut index = 0..;
        spots.retain(|_| index.next().is_some_and(|it| it % of == part));
    }
    spots
}

both! {
    fn a_system_call_that_fails(who) {
        if cfg!(not(target_arch = "x86_64")) || stage::in_vm() {
            return;
        }
        one_call_fails(&walled(who), &|_| Vec::new());
    }

    fn many_at_the_same_time(who) {
        let stage = Stage::new(who);
        let count = times("NSL_PARALLEL", if stage::in_vm() { 10 } else { 200 });
        let running: Vec<_> = (0..count).map(|_| stage.start(&["/bin/sh", "-c", "echo ran; exit 3"])).collect();
        let pids: Vec<u32> = running.iter().map(|it| it.pid().as_raw() as u32).collect();
        for run in running {
            let outcome = run.finish_beside_another();
            outcome.ends(3);
            assert_eq!(outcome.bytes(), b"ran\n");
        }
        for pid in pids {
            let left = leftovers::of(&stage.token(), pid);
            assert!(left.is_empty(), "{left:#?}");
        }
    }

    /// However few descriptors there are, there is a sandbox or a reason.
    fn few_descriptors(who) {
        for limit in 3..24 {
            let stage = walled(who).drop_line("limits", "nofile");
            let outcome = stage.finish(stage.command_through(&["/usr/bin/prlimit", &format!("--nofile={limit}")], &["/bin/echo", "ran"]));
            match outcome.code() {
                0 => assert_eq!(outcome.bytes(), b"ran\n"),
                2 | 125 | 126 | 127 => drop(outcome.says("nsl::")),
                _ => panic!("{limit}: {outcome:?}"),
            }
        }
    }

    /// Where memory ends before nsl can say so, it says that and no more; nothing is left either way.
    fn little_memory(who) {
        for mib in [4, 8, 12, 16, 20, 24, 32, 64] {
            let stage = walled(who);
            let outcome = stage.finish(stage.command_through(&["/usr/bin/prlimit", &format!("--as={}", mib << 20)], &["/bin/echo", "ran"]));
            match outcome.code() {
                0 => assert_eq!(outcome.bytes(), b"ran\n"),
                _ => assert!(outcome.bytes().is_empty(), "{mib} MiB: {outcome:?}"),
            }
        }
    }

    fn a_directory_that_is_gone(who) {
        let stage = Stage::new(who);
        let through = ["/bin/sh", "-c", "mkdir gone; cd gone; rmdir ../gone; exec \"$@\"", "sh"];
        stage.finish(stage.command_through(&through, &["/bin/true"])).ends(0);
    }

    /// Nothing of nsl's own needs a place to write to.
    fn nowhere_to_write(who) {
        let stage = walled(who);
        let through = [
            "/usr/bin/unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c",
            "mount -t tmpfs none /run && for d in /tmp /var /run; do mount --bind $d $d; mount -o remount,bind,ro $d; done; exec \"$@\"", "sh",
        ];
        let outcome = stage.finish(stage.command_through(&through, &["/bin/echo", "ran"]));
        assert_eq!(outcome.out(), "ran", "{outcome:?}");
    }

    fn a_disk_that_is_full(who) {
        let stage = Stage::new(who).folder("full").top("stdout = file(./full/log)").option("--report").option("full/report.json");
        let through = [
            "/usr/bin/unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c",
            "mount -t tmpfs -o size=16k,mode=777 none full && head -c 100000 /dev/zero >full/rest 2>/dev/null; exec \"$@\"", "sh",
        ];
        let script = "echo words && echo more || exit 5";
        stage.finish(stage.command_through(&through, &["/bin/sh", "-c", script])).ends(5).says("cannot be written");
    }

    fn a_proc_that_hides_others(who) {
        let stage = walled(who);
        let through = [
            "/usr/bin/unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c",
            "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"", "sh",
        ];
        let outcome = stage.finish(stage.command_through(&through, &["/bin/echo", "ran"]));
        assert_eq!(outcome.out(), "ran", "{outcome:?}");
    }

    /// A sandbox in a sandbox, where the outer one grants it.
    fn nested(who) {
        let inner = "sandbox inner {\n  user new\n  pid new\n  net new\n  ipc new\n  uts new { hostname = \"inner\" }\n  mnt new {\n    root = host(ro)\n    mount /proc = bind(ro)\n    hide /etc/made\n  }\n}\n";
        let stage = Stage::new(who).file("inner.nsl", 0o644, inner).line("mnt", "mount /etc/made = file(\"made\")").line("mnt", "mount /stage/nsl = bind(./nsl, ro)").line("mnt", "mount /stage/inner.nsl = bind(./inner.nsl, ro)");
        let command = ["/stage/nsl", "run", "/stage/inner.nsl", "--", "/bin/sh", "-c", "uname -n; wc -c </etc/made; id -u"];
        let outcome = stage.run(&command);
        assert_ne!(outcome.code(), 0, "nobody has granted it: {outcome:?}");
        outcome.says("nsl::");
        let stage = stage.top("sysctl \"user.max_user_namespaces\" = 4");
        assert_eq!(stage.run(&command).out(), "inner\n0\n1000");
    }

    fn a_killed_nsl_at_any_moment(who) {
        let rounds = times("NSL_LAUNCHES", if stage::in_vm() { 20 } else { 100 }) as u32;
        let stage = walled(who);
        let begun = std::time::Instant::now();
        stage.run(&["/bin/true"]).ends(0);
        let longest = begun.elapsed() * 2;
        for round in 0..rounds {
            let running = stage.start(&["/bin/sh", "-c", "sleep 1000 & exec sleep 1001"]);
            // Not the same moments each time, and all of them in the end.
            std::thread::sleep(longest * (round * 37 % rounds) / rounds + Duration::from_micros(u64::from(round) * 7 % 100));
            running.signal(Signal::SIGKILL);
            running.finish().ends(-9);
        }
    }
}

/// What is kept for later is there where the program ran, and not at all where it did not.
#[test]
fn a_system_call_that_fails_where_namespaces_are_kept() {
    const TEST: &str = concat!(module_path!(), "::a_system_call_that_fails_where_namespaces_are_kept");
    if let Err(reason) = Who::Root.ids() {
        return skip(TEST, reason);
    }
    if cfg!(not(target_arch = "x86_64")) || stage::in_vm() {
        return;
    }
    // A mount namespace of this thread's own: a run of another test that is just being planned cannot know what is pinned on the host.
    use nix::mount::MsFlags;
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).expect("root may");
    nix::mount::mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .expect("root may");
    let kinds = ["net", "mnt", "time"];
    let stage = walled(Who::Root).folder("pins");
    let stage = kinds.iter().fold(stage, |stage, kind| stage.line(kind, &format!("keep ./pins/{kind}")));
    one_call_fails(&stage, &|ran| {
        let mut left = Vec::new();
        for path in kinds.map(|kind| stage.path("pins").join(kind)) {
            let pinned = nix::mount::umount2(&path, nix::mount::MntFlags::MNT_DETACH).is_ok();
            let there = std::fs::remove_file(&path).is_ok();
            if (pinned, there) != (ran, ran) {
                left.push(format!("{}: pinned {pinned}, there {there}", path.display()));
            }
        }
        left
    });
}
