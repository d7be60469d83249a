//! Who the program is, inside and outside, and what it may.

use super::*;

const STATUS: &str = "cat /proc/self/status";

/// A line of /proc/self/status.
fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status
        .lines()
        .find(|it| it.starts_with(&format!("{name}:")))
        .unwrap_or_else(|| panic!("no {name} in {status}"));
    line.split_once(':').map_or("", |it| it.1.trim())
}

/// The one line of an id map: inside, outside, count.
fn map_line(text: &str) -> [u32; 3] {
    let numbers: Vec<u32> = text.split_whitespace().map(|it| it.parse().expect("a number")).collect();
    numbers.try_into().expect("one line")
}

both! {
    fn maps(who) {
        let stage = Stage::new(who);
        let uid = map_line(&stage.sh("cat /proc/self/uid_map").out());
        let gid = map_line(&stage.sh("cat /proc/self/gid_map").out());
        assert_eq!((uid[0], uid[2], gid[0], gid[2]), (1000, 1, 1000, 1));
        match who {
            Who::User => assert_eq!(uid[1], who.uid()),
            // A sandbox that root starts is not root outside.
            Who::Root => assert!(uid[1] >= 65536 && gid[1] >= 65536, "{uid:?} {gid:?}"),
        }
        assert_eq!(stage.sh("id -u; id -g").out(), "1000\n1000");
    }

    fn a_caller_is_itself_outside(who) {
        let stage = Stage::new(who).section("user", "new", &["map uid 0 = caller", "map gid 0 = caller", "as = 0"]);
        assert_eq!(map_line(&stage.sh("cat /proc/self/uid_map").out()), [0, who.uid(), 1]);
    }

    fn names_of_the_user_database(who) {
        // Whoever this system has: the name, and the number that belongs to it.
        let last = |of: &str| {
            let text = std::fs::read_to_string(of).expect("the user database");
            let fields = |line: &str| {
                let mut fields = line.split(':');
                let name = fields.next().filter(|it| it.bytes().all(|it| it.is_ascii_lowercase() || it == b'-'));
                Some((name?.to_string(), fields.nth(1)?.to_string()))
            };
            text.lines().filter_map(fields).next_back().expect("it has somebody")
        };
        let ((user, uid), (group, gid)) = (last("/etc/passwd"), last("/etc/group"));
        let lines = [
            format!("map uid {user} = caller"),
            format!("map gid {group} = caller"),
            format!("as = {user}"),
            format!("group = {group}"),
        ];
        let stage = Stage::new(who).section("user", "new", &lines.each_ref().map(String::as_str));
        assert_eq!(stage.sh("id -u; id -g").out(), format!("{uid}\n{gid}"));
    }

    fn ranges(who) {
        if who == Who::User && !stage::have("newuidmap") {
            return skip("sandbox::identity::ranges", "newuidmap is not installed");
        }
        let lines = ["map uid 0 = subid(count: 1000)", "map gid 0 = subid(count: 1000)", "as = 33"];
        let stage = Stage::new(who).section("user", "new", &lines);
        let uid = map_line(&stage.sh("cat /proc/self/uid_map").out());
        assert_eq!((uid[0], uid[2]), (0, 1000));
        assert!(uid[1] >= 65536);
        assert_eq!(stage.sh("id -u; id -g; id -G").out(), "33\n33\n33");
    }

    fn supplementary_groups_are_dropped(who) {
        let out = Stage::new(who).sh("id -G; cat /proc/self/setgroups").out();
        match who {
            Who::Root => assert!(out.starts_with("1000\n"), "{out}"),
            Who::User => assert_eq!(out, "1000\ndeny"),
        }
    }

    fn no_capability_in_any_set(who) {
        let status = Stage::new(who).sh(STATUS).out();
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(field(&status, set), "0000000000000000", "{set}");
        }
        assert_eq!(field(&status, "NoNewPrivs"), "1");
    }

    /// Uid 0 inside has no capability either: securebits keep execve from giving it all of the bounding set.
    fn uid_0_gets_nothing_by_accident(who) {
        let stage = Stage::new(who).section("user", "new", &["map uid 0 = unprivileged", "map gid 0 = unprivileged", "as = 0"]);
        let status = stage.sh(STATUS).out();
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(field(&status, set), "0000000000000000", "{set}");
        }
    }

    fn capabilities_that_are_named(who) {
        let stage = Stage::new(who).line("caps", "ambient net_bind_service").line("caps", "keep kill");
        let status = stage.sh(STATUS).out();
        assert_eq!(field(&status, "CapBnd"), "0000000000000420");
        assert_eq!(field(&status, "CapAmb"), "0000000000000400");
        assert_eq!(field(&status, "CapEff"), "0000000000000400");
    }

    fn capabilities_of_uid_0(who) {
        let stage = Stage::new(who)
            .section("user", "new", &["map uid 0 = unprivileged", "map gid 0 = unprivileged", "as = 0"])
            .line("caps", "keep chown")
            .line("caps", "keep kill");
        let status = stage.sh(STATUS).out();
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(field(&status, set), "0000000000000021", "{set}");
        }
    }

    fn a_sandbox_cannot_make_user_namespaces_with_rights(who) {
        // Whatever unshare(2) says, no capability over the sandbox's own tree comes of it.
        let out = Stage::new(who).sh("unshare --user --map-root-user mount -t tmpfs none /srv 2>/dev/null && echo mounted; mount | grep -c ' /srv '; true").out();
        assert_eq!(out, "0");
    }

    fn a_set_user_id_program_gives_nothing(who) {
        let stage = Stage::new(who).file("suid", 0o755, fs_read("/usr/bin/id")).line("mnt", "mount /suid = bind(./suid, ro)");
        if who == Who::Root {
            std::fs::set_permissions(stage.path("suid"), std::os::unix::fs::PermissionsExt::from_mode(0o4755)).expect("our own file");
        }
        assert_eq!(stage.run(&["/suid", "-u"]).out(), "1000");
    }

    fn the_umask_is_of_the_caller_or_stricter(who) {
        let out = Stage::new(who).sh("umask").out();
        assert!(out == "0022" || out == "0002" || out == "0027" || out == "0077", "{out}");
    }

    /// `unshare --map-root-user` gives all capabilities, and a namespace in which setgroups(2) is denied for good.
    fn below_a_namespace_that_denies_setgroups(who) {
        let stage = Stage::new(who);
        let through = ["/usr/bin/unshare", "--user", "--map-root-user"];
        let out = stage.finish(stage.command_through(&through, &["/usr/bin/id", "-u"])).out();
        assert_eq!(out, "1000");
    }
}

fn fs_read(path: &str) -> Vec<u8> {
    std::fs::read(path).expect("the host has it")
}
