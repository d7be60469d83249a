//! Labels of security modules: refused where there is none, and AppArmor's in force where there is one (the virtual machine has it).

use std::process::Command;

use super::*;

fn apparmor_is_in_force() -> bool {
    std::fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|it| it.trim() == "Y")
}

/// A profile that is loaded while the test runs. It lets everything be done but reading /etc/hosts.
struct Profile(String, std::path::PathBuf);

impl Profile {
    fn load(stage: &Stage, mode: &str) -> Profile {
        let name = format!("{}-{mode}", stage.token());
        let path = stage.path("profile");
        let flags = if mode == "complain" { "attach_disconnected,complain" } else { "attach_disconnected" };
        let rules = "file, capability, network, signal, ptrace, unix, mount, umount, pivot_root, deny /etc/hosts r,";
        std::fs::write(&path, format!("profile {name} flags=({flags}) {{ {rules} }}\n")).expect("our own folder");
        let profile = Profile(name, path);
        profile.parser("-r");
        profile
    }

    fn parser(&self, what: &str) {
        let output =
            Command::new("apparmor_parser").args([what, "-K", "-T"]).arg(&self.1).output().expect("apparmor_parser");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = Command::new("apparmor_parser").args(["-R", "-K", "-T"]).arg(&self.1).output();
    }
}

both! {
    /// In force from the first instruction of the program on, in every process of it, and for guests.
    fn a_profile_of_apparmor(who) {
        let stage = super::seen::stage(who).line("mnt", "root = host(ro)");
        if !apparmor_is_in_force() {
            let stage = stage.top("apparmor = \"web\"");
            stage.sh("echo ran").ends(2).says("nsl::label-module-missing").says(&stage.place("apparmor"));
            return;
        }
        assert!(Stage::new(who).sh("cat /etc/hosts").out().contains("localhost"));
        let profile = Profile::load(&stage, "enforce");
        let stage = stage
            .section("landlock", "", &["files = tree"])
            .section("seccomp", "", &["otherwise = allow", "deny openat2 = kill"])
            .top(&format!("apparmor = \"{}\"", profile.0));
        let script = "cat /proc/self/attr/apparmor/current; cat /etc/hosts && exit 9; cat /etc/group >/dev/null && echo group";
        let expected = format!("{} (enforce)\ngroup", profile.0);
        assert_eq!(stage.sh(script).out(), expected);
        let mut running = stage.start(&super::seen::WAITER);
        running.line("ready");
        assert_eq!(super::seen::ok(&stage, &["exec", "test", "/bin/sh", "-c", &format!("{script} 2>/dev/null")]), expected);
        running.signal(nix::sys::signal::Signal::SIGTERM);
        running.finish();
    }

    /// What is not loaded, or refuses nothing, is no wall, and the program does not run.
    fn a_profile_that_is_none(who) {
        if !apparmor_is_in_force() {
            // Without it a check has refused the run; a policy that prefers it goes on, and says so.
            let stage = Stage::new(who).top("prefer apparmor = \"web\"");
            stage.sh("echo went on").says("apparmor is not in force").ends(0);
            return;
        }
        let stage = Stage::new(who).top("apparmor = \"nsl-nowhere\"");
        let (code, status) = match who {
            Who::Root => ("nsl::apparmor-not-loaded", 2),
            Who::User => ("nsl::label-failed", 125),
        };
        stage.sh("echo ran").ends(status).says(code).says(&stage.place("apparmor"));
        let stage = Stage::new(who);
        let profile = Profile::load(&stage, "complain");
        let stage = stage.top(&format!("apparmor = \"{}\"", profile.0));
        let code = if who == Who::Root { "nsl::label-not-enforced" } else { "nsl::label-failed" };
        stage.sh("echo ran").ends(status).says(code).says("refuses nothing");
    }

    fn a_context_of_selinux(who) {
        if std::path::Path::new("/sys/fs/selinux").exists() {
            return skip("sandbox::labels", "which contexts a host with SELinux has nobody knows");
        }
        let stage = Stage::new(who).top("selinux = \"system_u:system_r:container_t:s0\"");
        stage.sh("echo ran").ends(2).says("nsl::label-module-missing").says(&stage.place("selinux"));
    }
}
