//! Secrets, devices, what proc leaves out, owners that are mapped.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::Stdio;

use super::*;

const SECRET: &str = "correct horse battery staple";

/// Everything of a run that others can see, in one text.
fn seen(stage: &Stage) -> String {
    let mut found = String::new();
    for command in ["plan", "expand"] {
        fs::write(stage.path("test.nsl"), stage.text()).expect("our own folder");
        let mut nsl = std::process::Command::new(stage.path("nsl"));
        nsl.arg(command).arg(stage.path("test.nsl"));
        if command == "plan" {
            nsl.args(["--", "/bin/true"]);
        }
        stage.as_caller(&mut nsl);
        let output = nsl.output().expect("nsl can be started");
        found.push_str(&String::from_utf8_lossy(&output.stdout));
        found.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    found
}

both! {
    fn a_secret_of_a_file(who) {
        let stage = Stage::new(who).file("token", 0o600, SECRET).line("mnt", "mount /etc/app/token = secret(./token)");
        if nix::unistd::geteuid().is_root() {
            chown(stage.path("token"), Some(who.uid()), None).expect("our own file");
        }
        let outcome = stage.sh("cat /etc/app/token; echo; stat -c '%a %u %s' /etc/app/token; (echo x >/etc/app/token) 2>/dev/null || echo refused; \
                                chmod 644 /etc/app/token 2>/dev/null || echo refused; grep ' /etc/app/token ' /proc/self/mountinfo | grep -o 'ro,nosuid,nodev,noexec.* ramfs'");
        let text = outcome.out();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..4], [SECRET, "400 1000 28", "refused", "refused"], "{outcome:?}");
        assert!(lines.get(4).is_some_and(|it| it.ends_with("ramfs")), "{outcome:?}");
        let seen = seen(&stage);
        assert!(seen.contains("/token") && !seen.contains(SECRET), "{seen}");
    }

    /// Nothing of it in what other processes of the sandbox, or outside, can look at.
    fn a_secret_leaves_no_traces(who) {
        let stage = Stage::new(who).file("token", 0o644, SECRET).line("mnt", "mount /etc/app/token = secret(./token)");
        let out = stage.sh("tr '\\0' '\\n' </proc/self/environ | grep -c horse; cat /proc/*/cmdline | grep -c 'correc[t]'; ls /proc/self/fd | wc -l").out();
        assert_eq!(out, "0\n0\n4");
    }

    fn a_secret_of_a_descriptor(who) {
        let stage = Stage::new(who).line("mnt", "mount /etc/app/token = secret(fd: 7)");
        let through = ["/bin/sh", "-c", "printf '%s' \"$0\" | { exec 7<&0 </dev/null; exec \"$@\"; }", SECRET];
        let outcome = stage.finish(stage.command_through(&through, &["/bin/sh", "-c", "cat /etc/app/token; echo; ls /proc/self/fd | wc -l"]));
        assert_eq!(outcome.out(), format!("{SECRET}\n4"));
        stage.sh("echo ran").ends(125).says("nsl::secret-not-passed").says(&stage.place("secret(fd"));
    }

    /// A descriptor of nsl's own is not somebody's secret.
    fn no_descriptor_of_our_own(who) {
        let through = ["/bin/sh", "-c", "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$@\"", "sh"];
        for fd in 3..10 {
            let stage = Stage::new(who).line("mnt", &format!("mount /etc/app/token = secret(fd: {fd})"));
            stage.finish(stage.command_through(&through, &["/bin/true"])).ends(125).says("nsl::secret-not-passed");
        }
    }

    fn a_secret_has_an_end(who) {
        let stage = Stage::new(who).line("mnt", "mount /etc/app/token = secret(fd: 7)");
        let through = ["/bin/sh", "-c", "exec 7</dev/zero; exec \"$@\"", "sh"];
        stage.finish(stage.command_through(&through, &["/bin/true"])).ends(125).says("1 MiB").says(&stage.place("secret(fd"));
    }

    fn an_optional_secret(who) {
        let stage = Stage::new(who).line("mnt", "optional mount /etc/app/token = secret(./nothing)");
        assert_eq!(stage.sh("cat /etc/app/token 2>/dev/null; echo fine").out(), "fine");
        let stage = Stage::new(who).folder("dir").line("mnt", "mount /etc/app/token = secret(./dir)");
        stage.sh("echo ran").ends(2).says("nsl::secret-source");
    }

    fn a_device_more(who) {
        let stage = Stage::new(who).line("mnt", "mount /dev/nsl-null = device(/dev/null)").line("mnt", "mount /dev/sub/zero = device(/dev/zero)");
        let out = stage.sh("echo x >/dev/nsl-null && test -c /dev/nsl-null && head -c 1 /dev/sub/zero | od -An -tx1; touch /dev/new 2>/dev/null || echo refused").out();
        assert_eq!(out.trim(), "00\nrefused");
        let stage = Stage::new(who).file("file", 0o644, "x").line("mnt", "mount /dev/nsl-null = device(./file)");
        stage.sh("echo ran").ends(2).says("nsl::device-no-device");
    }

    fn what_proc_leaves_out(who) {
        let stage = Stage::new(who).line("mnt", "mount /proc = proc(subset: pid)");
        assert_eq!(stage.sh("test -e /proc/self/status && echo self; ls /proc | grep -v -c '[0-9]'; test -e /proc/sys || echo less").out(), "self\n2\nless");
        let stage = Stage::new(who).line("mnt", "mount /proc = proc(hidepid: invisible)");
        assert_eq!(stage.sh("grep -o 'hidepid=invisible' /proc/self/mountinfo | sort -u").out(), "hidepid=invisible");
    }

    fn what_sys_leaves_out(who) {
        let stage = Stage::new(who).line("mnt", "mount /sys = sys(ro)");
        let script = "cd /sys; for it in firmware fs/bpf fs/selinux kernel/debug kernel/security kernel/tracing devices/virtual/powercap dev/block \
                      devices/system/cpu/cpu*/thermal_throttle; do test -e $it && ls -A $it; done; ls devices/system/cpu | grep -c online; touch kernel/x 2>/dev/null || echo refused";
        assert_eq!(stage.sh(script).out(), "1\nrefused");
    }

    fn no_symbolic_link_is_followed(who) {
        let stage = Stage::new(who).folder("data").file("data/file", 0o644, "there\n").line("mnt", "mount /data = bind(./data, ro, nosymfollow)");
        std::os::unix::fs::symlink("file", stage.path("data/link")).expect("our own folder");
        assert_eq!(stage.sh("cat /data/file; readlink /data/link; cat /data/link 2>/dev/null || echo refused").out(), "there\nfile\nrefused");
    }
}

/// What belongs to the ids 0 and 5 on the disk belongs to the ids 0 and 5 inside.
#[test]
fn owners_are_mapped() {
    Who::Root.play(module_path!(), |who| {
        let stage = Stage::new(who).folder("data").file("data/old", 0o640, "old\n");
        chown(stage.path("data"), Some(0), Some(0)).expect("our own folder");
        chown(stage.path("data/old"), Some(5), Some(6)).expect("our own file");
        let stage = stage
            .section(
                "user",
                "new",
                &["map uid 0 = outer(300000, count: 10)", "map gid 0 = outer(300000, count: 10)", "as = 0"],
            )
            .line("mnt", "mount /data = bind(./data, rw, idmap)")
            .section("caps", "", &["keep chown", "keep dac_override"]);
        let outcome = stage
            .sh("stat -c '%u %g' /data/old; echo new >/data/new && chown 7:8 /data/new && stat -c '%u %g' /data/new");
        if outcome.stderr.contains("nsl::idmap-failed") {
            if !stage::in_vm() {
                skip(module_path!(), "the file system of /tmp cannot have its owners mapped");
            }
            return;
        }
        assert_eq!(outcome.out(), "5 6\n7 8");
        let new = fs::metadata(stage.path("data/new")).expect("it was made");
        assert_eq!((new.uid(), new.gid()), (7, 8));
    });
}

#[test]
fn owners_are_root_s_to_map() {
    Who::User.play(module_path!(), |who| {
        let stage = Stage::new(who).folder("data").line("mnt", "mount /data = bind(./data, rw, idmap)");
        stage.sh("echo ran").ends(2).says("nsl::idmap-needs-root");
    });
}

/// A root directory may say that set-user-id bits count; otherwise they do not.
#[test]
fn flags_of_a_root() {
    Who::Root.play(module_path!(), |who| {
        for (flags, shown) in [("rw", "rw,nosuid,nodev"), ("rw, suid", "rw,nodev"), ("noexec", "ro,nosuid,nodev,noexec")] {
            let stage = Stage::new(who).folder("rootfs").line("mnt", &format!("root = dir(./rootfs, {flags})"));
            let stage = ["mount /usr = bind(ro)", "mount /bin = bind(/usr/bin, ro)", "mount /lib = bind(/usr/lib, ro)", "mount /lib64 = bind(/usr/lib64, ro)"]
                .iter()
                .fold(stage, |stage, line| stage.line("mnt", line));
            for name in ["proc", "dev", "tmp", "usr", "bin", "lib", "lib64"] {
                fs::create_dir(stage.path("rootfs").join(name)).expect("our own folder");
            }
            let mut command = stage.command(&["/bin/sh", "-c", "while read -r a b c d at opts rest; do test \"$at\" = / && echo $opts; done </proc/self/mountinfo; true"]);
            command.stdin(Stdio::null());
            let options = stage.finish(command).out();
            assert!(options.starts_with(shown) && options.contains("nosuid") != flags.contains("suid"), "{flags}: {options}");
        }
    });
}
