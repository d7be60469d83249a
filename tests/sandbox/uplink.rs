//! The way out through pasta, in a network that the test makes: beside the one of nsl there is another, which is the world.

use std::os::unix::process::CommandExt;

use super::links::{ASK, SERVERS};
use super::*;

/// Where nsl is: an interface with a default route, behind it the world with servers, and a server of the host's own. Root makes it, with
/// a /dev/net/tun as udev has it, and `"$@"` is run as the caller.
fn world(who: Who, run: &str) -> String {
    let caller = match who {
        Who::Root => "",
        Who::User => "setpriv --reuid nsl-tester --regid nsl-tester --clear-groups",
    };
    let run = run.replace("NSL", &format!("{caller} \"$@\""));
    format!(
        "cd \"$PLACE\"; PATH=$PATH:/usr/sbin:/sbin; mount -t tmpfs tun /dev/net && mknod -m 666 /dev/net/tun c 10 200\n\
         ip link set lo up; ip link add o0 type veth peer name o1; ip addr add 192.0.2.2/24 dev o0; ip link set o0 up\n\
         unshare --net /bin/sh -c 'echo up >up; exec sleep 100' & world=$!; until [ -e up ]; do sleep 0.05; done\n\
         ip link set o1 netns $world; ip route add default via 192.0.2.1\n\
         nsenter --net=/proc/$world/ns/net /bin/sh -c 'ip link set lo up; ip addr add 192.0.2.1/24 dev o1; ip addr add 198.51.100.7/32 dev lo; ip link set o1 up'\n\
         nsenter --net=/proc/$world/ns/net /usr/bin/python3 -I -S -c '{SERVERS}' 8000 8001 >there & servers=$!\n\
         /usr/bin/python3 -I -S -c '{SERVERS}' 7777 >here & own=$!\n\
         until grep -q serving there && grep -q serving here; do sleep 0.05; done\n\
         {run}; code=$?\n\
         n=0; while pidof pasta >/dev/null && [ $n -lt 100 ] && readlink /proc/$(pidof -s pasta)/ns/net | grep -qxF \"$(readlink /proc/self/ns/net)\"; do sleep 0.05; n=$((n+1)); done\n\
         for pid in $(pidof pasta); do [ \"$(readlink /proc/$pid/ns/net)\" = \"$(readlink /proc/self/ns/net)\" ] && echo left: pasta $pid; done\n\
         kill $servers $own $world; exit $code"
    )
}

/// Needs root, as it makes networks and device nodes, each in a namespace of its own.
fn outcome(stage: &Stage, who: Who, run: &str, args: &[&str]) -> Outcome {
    let script = world(who, run);
    let through = ["/usr/bin/unshare", "--net", "--mount", "/bin/sh", "-c", &script, "sh"];
    let mut command = stage.command_through(&through, args);
    command.uid(0).gid(0).env("PLACE", stage.path(""));
    stage.finish(command)
}

fn can(test: &str) -> bool {
    if stage::in_vm() {
        return false;
    }
    if !nix::unistd::geteuid().is_root() || !stage::have("pasta") {
        skip(test, "needs root and pasta (package passt)");
        return false;
    }
    true
}

/// The same beside a name server in the world.
fn beside_names(run: &str) -> String {
    format!(
        "nsenter --net=/proc/$world/ns/net /usr/bin/python3 -I -S -c '{}' 198.51.100.7 >names & names=$!\n\
         until grep -q serving names; do kill -0 $names || break; sleep 0.05; done\n{run}; code=$?; kill $names; (exit $code)",
        super::names::NAME_SERVER
    )
}

fn call<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["/usr/bin/python3", "-I", "-S", "-c", super::names::CALL], words].concat()
}

fn ask<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["/usr/bin/python3", "-I", "-S", "-c", ASK], words].concat()
}

both! {
    fn the_uplink_leads_to_the_world_and_not_to_the_host(who) {
        if !can("sandbox::uplink::the_uplink_leads_to_the_world_and_not_to_the_host") { return }
        let stage = Stage::new(who).section("net", "new", &["uplink = user", "allow out 198.51.100.0/24", "deny out 198.51.100.7 8001/tcp", "allow out 192.0.2.0/24 7777/tcp", "allow out 192.0.2.1 8001/udp"]);
        let words = ["tcp:198.51.100.7:8000", "udp:192.0.2.1:8001", "tcp:198.51.100.7:8001", "tcp:192.0.2.1:8000", "tcp:127.0.0.1:7777", "tcp:192.0.2.2:7777"];
        assert_eq!(outcome(&stage, who, "NSL", &ask(&words)).out(), "8000 8001 111 111 111 111");
    }

    /// Names in the firewall; the name server is in the world, and the sandbox has no way to it.
    fn names_through_the_uplink(who) {
        if !can("sandbox::uplink::names_through_the_uplink") { return }
        let lines = ["uplink = user", "dns = [198.51.100.7]", "allow out \"api.example.org\" 8000/tcp"];
        let stage = Stage::new(who).section("net", "new", &lines);
        let words = ["api.example.org:8000", "198.51.100.7:8000", "198.51.100.7:53", "other.example.org:8000", "api.example.org:8001"];
        assert_eq!(outcome(&stage, who, &beside_names("NSL"), &call(&words)).out(), "8000 111 111 -2 111");
    }

    /// An agent reaches the hosts that it is to reach, and nothing on the host's own loopback.
    fn an_agent_reaches_what_it_may(who) {
        if !can("sandbox::uplink::an_agent_reaches_what_it_may") { return }
        let agent = |arguments: &str, lines: &str| {
            let text = format!(
                "use std/agent\nsandbox a with agent.confined(tree: ./work, network: true{arguments}) {{\n  run = [\"/usr/bin/python3\", \"-I\", \"-S\", \"-c\"]\n  net new {{\n{lines}\n  }}\n}}\n"
            );
            Stage::of(who, &text).folder("work")
        };
        let words = ["api.example.org:8000", "198.51.100.7:8000", "127.0.0.1:7777"];
        let args = [&[super::names::CALL], &words[..]].concat();
        let named = agent(", hosts: [\"*.example.org\"]", "    dns = [198.51.100.7]\n    allow out \"api.example.org\" 8000/tcp");
        assert_eq!(outcome(&named, who, &beside_names("NSL"), &args).out(), "8000 111 111");
        let free = agent("", "    dns = [198.51.100.7]");
        assert_eq!(outcome(&free, who, &beside_names("NSL"), &args).out(), "8000 8000 111");
    }

    /// The names of a pod's network are answered in its containers.
    fn a_pod_has_names(who) {
        if !can("sandbox::uplink::a_pod_has_names") { return }
        let text = "pod p {\n  user new\n  net new {\n    uplink = user\n    dns = [198.51.100.7]\n    allow out \"api.example.org\" 8000/tcp\n  }\n  \
                    container a {\n  run = [\"/usr/bin/python3\", \"-I\", \"-S\", \"/call.py\", \"api.example.org:8000\", \"other.example.org:8000\", \"192.0.2.1:8001\"]\n  pid new\n  \
                    mnt new {\n    root = host(ro)\n    mount /proc = proc\n    mount /dev = dev\n    mount /call.py = bind(./call.py)\n  }\n  }\n}\n";
        let stage = Stage::of(who, text).file("call.py", 0o644, super::names::CALL);
        let outcome = outcome(&stage, who, &beside_names("NSL"), &[]);
        assert!(outcome.out().contains("8000 -2 111"), "{outcome:?}");
    }

    /// The containers of a pod share its way out.
    fn a_pod_has_one_uplink(who) {
        if !can("sandbox::uplink::a_pod_has_one_uplink") { return }
        let tree = "mnt new {\n    root = host(ro)\n    mount /proc = proc\n    mount /dev = dev\n  }";
        let text = format!(
            "pod p {{\n  user new\n  net new {{\n    uplink = user\n    allow out 198.51.100.7 8000/tcp\n  }}\n\
             \u{20} container a {{\n  run = [\"/usr/bin/python3\", \"-I\", \"-S\", \"/ask.py\", \"tcp:198.51.100.7:8000\", \"tcp:198.51.100.7:8001\", \"tcp:127.0.0.1:7777\"]\n  pid new\n  {}\n  }}\n}}\n",
            tree.replace("mount /dev = dev", "mount /dev = dev\n    mount /ask.py = bind(./ask.py)")
        );
        let stage = Stage::of(who, &text).file("ask.py", 0o644, ASK);
        let outcome = outcome(&stage, who, "NSL", &[]);
        assert!(outcome.out().contains("8000 111 111"), "{outcome:?}");
    }

    fn without_an_uplink_nothing_is_reached(who) {
        if !can("sandbox::uplink::without_an_uplink_nothing_is_reached") { return }
        assert_eq!(outcome(&Stage::new(who), who, "NSL", &ask(&["tcp:198.51.100.7:8000"])).out(), "101");
    }

    /// The program that leads out is gone when the sandbox is, and when nsl is killed.
    fn the_uplink_ends_with_nsl(who) {
        if !can("sandbox::uplink::the_uplink_ends_with_nsl") { return }
        let stage = Stage::new(who).section("net", "new", &["uplink = user"]);
        let run = "NSL >inside & nsl=$!; until grep -q ready inside; do sleep 0.05; done; pidof pasta >/dev/null && echo leads; kill -9 $nsl; wait $nsl; true";
        assert_eq!(outcome(&stage, who, run, &["/bin/sh", "-c", "echo ready; exec sleep 100"]).out(), "leads");
    }

    fn a_host_without_a_way_out_is_explained(who) {
        if !can("sandbox::uplink::a_host_without_a_way_out_is_explained") { return }
        let stage = Stage::new(who).section("net", "new", &["uplink = user"]);
        let outcome = outcome(&stage, who, "ip route del default; NSL", &["/bin/true"]);
        outcome.ends(125).says("nsl::uplink-failed").says(&stage.place("uplink = user")).says("ip route");
    }

    /// The example, as it stands.
    fn the_example_reaches_one_server(who) {
        if !can("sandbox::uplink::the_example_reaches_one_server") { return }
        let stage = acceptance::example(who, "uplink.nsl").option("--set").option("server=198.51.100.7");
        assert_eq!(outcome(&stage, who, "NSL", &[]).out(), "the server says: 8000\nits neighbour: Connection refused");
    }

    fn names_are_files_of_the_tree(who) {
        let stage = Stage::new(who).section("net", "new", &["dns = [192.0.2.53, 2001:db8::53]", "host \"db.example\" = 10.0.0.1"]);
        let out = stage.sh("cat /etc/resolv.conf; grep db.example /etc/hosts; grep -c localhost /etc/hosts").out();
        assert_eq!(out, "nameserver 192.0.2.53\nnameserver 2001:db8::53\n10.0.0.1 db.example\n2");
    }
}
