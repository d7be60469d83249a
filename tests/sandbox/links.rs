//! Interfaces and the firewall, in a network that each test makes for itself: `unshare --net`, with servers in it that play
//! the outside.

use super::*;

/// What is in the network outside: its arrangement, then whatever is behind it.
pub struct Outside {
    setup: &'static str,
}

/// Answers every TCP connection with the port that was called, on every address.
pub const SERVERS: &str = r#"
import socket, selectors, sys
poll = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    poll.register(server, selectors.EVENT_READ, port)
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    datagrams.bind(("::", port))
    poll.register(datagrams, selectors.EVENT_READ, -port)
print("serving", flush=True)
while True:
    for key, _ in poll.select():
        if key.data > 0:
            client, _ = key.fileobj.accept()
            client.sendall(b"%d" % key.data)
            client.close()
        else:
            data, sender = key.fileobj.recvfrom(2048)
            key.fileobj.sendto(b"%d" % -key.data, sender)
"#;

/// What the program in the sandbox asks: each word is `tcp:ADDRESS:PORT` or `udp:ADDRESS:PORT`; it prints the answers, or the errno.
pub const ASK: &str = r#"
import socket, sys
answers = []
for word in sys.argv[1:]:
    kind, rest = word.split(":", 1)
    address, port = rest.rsplit(":", 1)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.settimeout(10)
    try:
        s.connect((address, int(port)))
        if kind == "udp": s.send(b"?")
        answers.append(s.recv(100).decode() or "closed")
    except OSError as e:
        answers.append(str(e.errno or "silence"))
print(*answers)
"#;

impl Outside {
    pub fn new(setup: &'static str) -> Outside {
        Outside { setup }
    }

    /// Runs a stage in a network of its own: the setup, the servers on ports 8000 and 8001, nsl, and at the end a list of the
    /// interfaces that are there.
    pub fn run(&self, stage: &Stage, who: Who, args: &[&str]) -> Outcome {
        stage.finish(self.command(stage, who, "\"$@\"; code=$?", args))
    }

    pub fn command(&self, stage: &Stage, who: Who, run: &str, args: &[&str]) -> std::process::Command {
        self.command_with(stage, who, &[], run, args)
    }

    /// The same with more options of unshare(1).
    pub fn command_with(
        &self,
        stage: &Stage,
        who: Who,
        options: &[&str],
        run: &str,
        args: &[&str],
    ) -> std::process::Command {
        let script = format!(
            "ip link set lo up\n{}\n/usr/bin/python3 -I -S -c '{SERVERS}' 8000 8001 >serving & server=$!\n\
             until grep -q serving serving; do sleep 0.05; done\n{run}\nkill $server\n\
             ip -o link | sed -n 's/^[0-9]*: \\([^:@]*\\).*/left \\1/p'\nexit $code",
            self.setup
        );
        let unshare: &[&str] = match who {
            Who::Root => &["/usr/bin/unshare", "--net"],
            Who::User => &["/usr/bin/unshare", "--user", "--map-root-user", "--net"],
        };
        let through = [unshare, options, &["/bin/sh", "-c", &script, "sh"]].concat();
        stage.command_through(&through, args)
    }
}

/// The program asks these, and what it hears; nothing is left in the network but what was there before.
#[track_caller]
fn asks(outcome: &Outcome, expected: &str, left: &[&str]) {
    let out = outcome.out();
    let lines: Vec<&str> = out.lines().collect();
    let mut interfaces: Vec<&str> = lines.iter().filter_map(|it| it.strip_prefix("left ")).collect();
    interfaces.sort();
    assert_eq!(lines[0], expected, "{outcome:?}");
    assert_eq!(interfaces, left, "{outcome:?}");
}

fn ask<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["/usr/bin/python3", "-I", "-S", "-c", ASK], words].concat()
}

/// Whether a test can be played: the virtual machine has neither nftables nor veth, as its image has no modules.
pub fn have_parts(test: &str) -> bool {
    if stage::in_vm() {
        return false;
    }
    let there = stage::have("ip") && stage::have("unshare");
    if !there {
        skip(test, "needs ip and unshare");
    }
    there
}

both! {
    fn a_pair_leads_out(who) {
        if !have_parts("sandbox::links::a_pair_leads_out") { return }
        let lines = ["link eth0 = veth(address: 10.77.0.2/24, peer-address: 10.77.0.1/24, mtu: 1400)", "route 0.0.0.0/0 = 10.77.0.1"];
        let stage = Stage::new(who).section("net", "new", &lines);
        let outside = Outside::new("ip link add out0 type veth peer name out1; ip addr add 192.0.2.1/24 dev out0; ip link set out0 up");
        let outcome = outside.run(&stage, who, &ask(&["tcp:10.77.0.1:8000", "udp:10.77.0.1:8001", "tcp:192.0.2.1:8001", "tcp:10.77.0.1:8002"]));
        asks(&outcome, "8000 8001 8001 111", &["lo", "out0", "out1"]);
    }

    fn a_pair_of_ipv6(who) {
        if !have_parts("sandbox::links::a_pair_of_ipv6") { return }
        let lines = ["link eth0 = veth(address: fd77::2/64, peer-address: fd77::1/64)", "route ::/0 = fd77::1", "allow out fd77::1 8000/tcp"];
        let stage = Stage::new(who).section("net", "new", &lines);
        let outcome = Outside::new("").run(&stage, who, &ask(&["tcp:fd77::1:8000", "tcp:fd77::1:8001"]));
        asks(&outcome, "8000 111", &["lo"]);
    }

    fn the_firewall_lets_out_what_it_allows(who) {
        if !have_parts("sandbox::links::the_firewall_lets_out_what_it_allows") { return }
        let lines = [
            "link eth0 = veth(address: 10.77.0.2/24, peer-address: 10.77.0.1/24)",
            "route 0.0.0.0/0 = 10.77.0.1",
            "allow out 10.77.0.0/16 8000/tcp",
            "deny out 10.77.0.9",
            "allow out 192.0.2.0/24",
            "deny out 192.0.2.1 8001/tcp",
            "allow out * 8001/udp",
        ];
        let stage = Stage::new(who).section("net", "new", &lines);
        let outside = Outside::new(
            "ip link add out0 type veth peer name out1; ip addr add 192.0.2.1/24 dev out0; ip addr add 10.77.0.9/32 dev out0; ip link set out0 up",
        );
        let words = [
            "tcp:10.77.0.1:8000", "tcp:10.77.0.1:8001", "tcp:10.77.0.9:8000", "tcp:192.0.2.1:8000", "tcp:192.0.2.1:8001",
            "udp:10.77.0.1:8001", "udp:10.77.0.1:8000", "tcp:127.0.0.1:8000",
        ];
        let outcome = outside.run(&stage, who, &ask(&words));
        // ECONNREFUSED by a reset; EPERM or EACCES of send(2), or an ICMP error, for datagrams.
        let out = outcome.out();
        let heard: Vec<&str> = out.lines().next().unwrap_or_default().split(' ').collect();
        assert_eq!(heard[..6], ["8000", "111", "111", "8000", "111", "8001"], "{outcome:?}");
        assert!(["1", "13", "113", "111"].contains(&heard[6]), "{outcome:?}");
        assert_eq!(heard[7], "111", "the sandbox's own loopback: {outcome:?}");
    }

    fn the_firewall_lets_in_what_it_allows(who) {
        if !have_parts("sandbox::links::the_firewall_lets_in_what_it_allows") { return }
        let lines = [
            "link eth0 = veth(address: 10.77.0.2/24, peer-address: 10.77.0.1/24)",
            "allow in 10.77.0.0/24 8000/tcp",
        ];
        let stage = Stage::new(who).section("net", "new", &lines);
        let script = format!(
            "\"$@\" >inside & nsl=$!; until grep -q serving inside; do sleep 0.05; done\n\
             /usr/bin/python3 -I -S -c '{}' tcp:10.77.0.2:8000 tcp:10.77.0.2:8001; kill $nsl; wait $nsl; code=0",
            ASK.replace("settimeout(10)", "settimeout(1)")
        );
        let args = ["/usr/bin/python3", "-I", "-S", "-c", SERVERS, "8000", "8001"];
        let outcome = stage.finish(Outside::new("").command(&stage, who, &script, &args));
        asks(&outcome, "8000 silence", &["lo"]);
    }

    fn a_firewall_alone_leaves_the_loopback(who) {
        if !have_parts("sandbox::links::a_firewall_alone_leaves_the_loopback") { return }
        let stage = Stage::new(who).section("net", "new", &["deny out *", "deny in *"]);
        let program = "import socket\nserver = socket.create_server(('127.0.0.1', 7000))\nclient = socket.create_connection(('127.0.0.1', 7000))\nprint('connected')";
        assert_eq!(stage.python(program).out(), "connected");
    }

    /// As many rules as anybody writes; the kernel takes them at once.
    fn many_rules(who) {
        if !have_parts("sandbox::links::many_rules") { return }
        let rules: Vec<String> = (0..250).map(|it| format!("allow out 10.{it}.0.0/16 443/tcp")).collect();
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        Stage::new(who).section("net", "new", &rules).run(&["/bin/true"]).ends(0);
    }

    fn the_program_cannot_touch_the_firewall(who) {
        if !have_parts("sandbox::links::the_program_cannot_touch_the_firewall") || !stage::have("nft") { return }
        let stage = Stage::new(who).section("net", "new", &["deny out *"]);
        let outcome = stage.sh("PATH=/usr/sbin:/sbin:$PATH; nft flush ruleset 2>/dev/null || echo no; unshare -Urn nft flush ruleset 2>/dev/null && echo elsewhere");
        assert!(outcome.bytes().starts_with(b"no\n"), "{outcome:?}");
    }

    fn a_port_of_a_bridge(who) {
        if !have_parts("sandbox::links::a_port_of_a_bridge") { return }
        let stage = Stage::new(who).section("net", "new", &["link eth0 = veth(address: 10.79.0.2/24, bridge: br0)"]);
        let outside = Outside::new("ip link add br0 type bridge; ip addr add 10.79.0.1/24 dev br0; ip link set br0 up");
        asks(&outside.run(&stage, who, &ask(&["tcp:10.79.0.1:8000"])), "8000", &["br0", "lo"]);
        let stage = Stage::new(who).section("net", "new", &["link eth0 = veth(address: 10.79.0.2/24, bridge: out0)"]);
        let outside = Outside::new("ip link add out0 type veth peer name out1");
        let outcome = outside.run(&stage, who, &["/bin/true"]);
        outcome.ends(125).says("nsl::link-failed").says("out0").says(&stage.place("bridge: out0"));
    }

    fn a_macvlan(who) {
        if !have_parts("sandbox::links::a_macvlan") { return }
        let stage = Stage::new(who).section("net", "new", &["link eth0 = macvlan(parent: out1, address: 10.78.0.2/24)"]);
        let outside = Outside::new("ip link add out0 type veth peer name out1; ip addr add 10.78.0.1/24 dev out0; ip link set out0 up; ip link set out1 up");
        asks(&outside.run(&stage, who, &ask(&["tcp:10.78.0.1:8000"])), "8000", &["lo", "out0", "out1"]);
    }

    /// The other end in a namespace that a file names.
    fn a_pair_between_two_namespaces(who) {
        if !have_parts("sandbox::links::a_pair_between_two_namespaces") { return }
        let lines = ["link eth0 = veth(address: 10.77.0.2/24, peer: other0, peer-address: 10.77.0.1/24, netns: ./other)"];
        let stage = Stage::new(who).section("net", "new", &lines);
        let setup = "unshare --net /bin/sh -c 'ip link set lo up; echo up >up; exec sleep 100' & other=$!; until [ -e up ]; do sleep 0.05; done; ln -s /proc/$other/ns/net other";
        let script = "\"$@\"; code=$?; nsenter --net=other ip -o link | sed -n 's/^[0-9]*: \\([^:@]*\\).*/left in other \\1/p'; kill $other";
        let outcome = stage.finish(Outside::new(setup).command(&stage, who, script, &ask(&["tcp:10.77.0.1:8000"])));
        // Nobody listens there: the answer comes from the other namespace, and not from the one with the servers.
        asks(&outcome, "111", &["in other lo", "lo"]);
        let stage = Stage::new(who).section("net", "new", &lines);
        Outside::new("").run(&stage, who, &["/bin/true"]).ends(125).says("nsl::link-failed").says("ip netns");
    }

    fn a_bridge_needs_no_right(who) {
        if !have_parts("sandbox::links::a_bridge_needs_no_right") { return }
        let lines = ["link br0 = bridge(address: 10.80.0.1/24)", "address br0 fd80::1/64", "route 10.81.0.0/16 = 10.80.0.2"];
        let stage = Stage::new(who).section("net", "new", &lines);
        let program = "import socket\nfor f, a in (socket.AF_INET, '10.80.0.1'), (socket.AF_INET6, 'fd80::1'):\n  s = socket.socket(f); s.bind((a, 7000)); print(a)\nprint([n for _, n in socket.if_nameindex()])\nprint(any('0000510A' in l for l in open('/proc/net/route')))";
        assert_eq!(stage.python(program).out(), "10.80.0.1\nfd80::1\n['lo', 'br0']\nTrue");
    }

    fn a_killed_nsl_leaves_no_interface(who) {
        if !have_parts("sandbox::links::a_killed_nsl_leaves_no_interface") { return }
        let stage = Stage::new(who).section("net", "new", &["link eth0 = veth(address: 10.77.0.2/24, peer: mine0, peer-address: 10.77.0.1/24)"]);
        let script = "\"$@\" >inside & nsl=$!; until grep -q ready inside; do sleep 0.05; done; ip -o link show mine0 >there; kill -9 $nsl; wait $nsl; \
                      n=0; while ip link show mine0 >/dev/null 2>&1 && [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done; wc -l <there; code=0";
        let outcome = stage.finish(Outside::new("").command(&stage, who, script, &["/bin/sh", "-c", "echo ready; exec sleep 100"]));
        asks(&outcome, "1", &["lo"]);
    }

    fn an_interface_that_the_caller_may_not_make(who) {
        if who == Who::Root || !have_parts("sandbox::links::an_interface_that_the_caller_may_not_make") { return }
        let stage = Stage::new(who).section("net", "new", &["link eth0 = veth(address: 10.77.0.2/24)"]);
        stage.run(&["/bin/true"]).ends(2).says("nsl::link-needs-root").says(&stage.place("link eth0"));
    }
}

/// A world behind this network's other interface that knows no way to the sandbox; `run` stands for what is done beside it.
fn beside_a_world(run: &str) -> String {
    format!(
        "ip link add o0 type veth peer name o1; ip addr add 192.0.2.2/24 dev o0; ip addr add 2001:db8:2::2/64 dev o0 nodad; ip link set o0 up\n\
         unshare --net /bin/sh -c 'echo up >up; exec sleep 100' & world=$!; until [ -e up ]; do sleep 0.05; done\n\
         ip link set o1 netns $world\n\
         nsenter --net=/proc/$world/ns/net /bin/sh -c 'ip link set lo up; ip addr add 192.0.2.1/24 dev o1; ip addr add 2001:db8:2::1/64 dev o1 nodad; ip link set o1 up'\n\
         nsenter --net=/proc/$world/ns/net /usr/bin/python3 -I -S -c '{SERVERS}' 9000 >there & there=$!\n\
         until grep -q serving there; do kill -0 $there || break; sleep 0.05; done\n\
         n=0; until ip -6 route get 2001:db8:2::1 >/dev/null 2>&1 || [ $n -gt 100 ]; do n=$((n+1)); sleep 0.05; done\n\
         {run}\nkill $there $world; wait $world; ip link del o0"
    )
}

/// The lines of the output.
fn sorted(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> = String::from_utf8_lossy(outcome.bytes()).lines().map(String::from).collect();
    lines.sort();
    lines
}

const FORWARD: &str = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding";

both! {
    /// The world answers to an address that it knows; the rules are gone with nsl.
    fn masquerading_leads_on(who) {
        if !have_parts("sandbox::links::masquerading_leads_on") || !stage::have("nft") { return }
        let lines = [
            "link eth0 = veth(address: 10.77.0.2/24, peer-address: 10.77.0.1/24, nat)", "route 0.0.0.0/0 = 10.77.0.1",
        ];
        let stage = Stage::new(who).section("net", "new", &lines);
        let run = beside_a_world("\"$@\"; code=$?; nft list tables");
        let outcome = stage.finish(Outside::new(FORWARD).command(&stage, who, &run, &ask(&["tcp:192.0.2.1:9000", "udp:192.0.2.1:9000"])));
        asks(&outcome, "9000 9000", &["lo"]);
        assert!(!outcome.out().contains("table"), "{outcome:?}");
    }

    fn masquerading_behind_a_bridge_and_for_ipv6(who) {
        if !have_parts("sandbox::links::masquerading_behind_a_bridge_and_for_ipv6") { return }
        let lines = [
            "link eth0 = veth(address: 10.77.0.2/24, bridge: br0, nat)", "address eth0 fd77::2/64", "route 0.0.0.0/0 = 10.77.0.1", "route ::/0 = fd77::1",
        ];
        let stage = Stage::new(who).section("net", "new", &lines);
        let bridge = "ip link add br0 type bridge; ip addr add 10.77.0.1/24 dev br0; ip addr add fd77::1/64 dev br0 nodad; ip link set br0 up";
        let run = beside_a_world(&format!("{bridge}; \"$@\"; code=$?; ip link del br0"));
        let outcome = stage.finish(Outside::new(FORWARD).command(&stage, who, &run, &ask(&["tcp:192.0.2.1:9000", "tcp:2001:db8:2::1:9000"])));
        asks(&outcome, "9000 9000", &["lo"]);
    }

    /// nsl makes no router of the host by itself.
    fn masquerading_needs_a_host_that_passes_packets_on(who) {
        if !have_parts("sandbox::links::masquerading_needs_a_host_that_passes_packets_on") { return }
        let lines = ["link eth0 = veth(address: 10.77.0.2/24, peer-address: 10.77.0.1/24, nat)"];
        let stage = Stage::new(who).section("net", "new", &lines);
        let outcome = Outside::new("echo 0 >/proc/sys/net/ipv4/ip_forward").run(&stage, who, &["/bin/true"]);
        outcome.ends(2).says("nsl::nat-without-forwarding").says(&stage.place("nat)")).says("net.ipv4.ip_forward=1");
        let elsewhere = ["link eth0 = veth(address: 10.77.0.2/24, peer-address: 10.77.0.1/24, netns: ./there, nat)"];
        let stage = Stage::new(who).section("net", "new", &elsewhere).file("there", 0o644, "");
        let run = "mount --bind /proc/self/ns/net there; echo 0 >/proc/sys/net/ipv4/ip_forward; \"$@\"; code=$?; umount there";
        let outcome = stage.finish(Outside::new("").command_with(&stage, who, &["--mount"], run, &["/bin/true"]));
        outcome.ends(125).says("nsl::link-failed").says("ip_forward is 0");
    }

    /// A killed nsl leaves no rules.
    fn masquerading_ends_with_nsl(who) {
        if !have_parts("sandbox::links::masquerading_ends_with_nsl") || !stage::have("nft") { return }
        let lines = ["link eth0 = veth(address: 10.77.0.2/24, peer-address: 10.77.0.1/24, nat)"];
        let stage = Stage::new(who).section("net", "new", &lines);
        let run = "\"$@\" >inside & nsl=$!; until grep -q ready inside; do sleep 0.05; done; nft list tables | grep -c nsl; kill -9 $nsl; wait $nsl; code=0\n\
                   n=0; while nft list tables | grep -q nsl && [ $n -lt 200 ]; do n=$((n+1)); sleep 0.05; done; nft list tables | grep -c nsl";
        let outcome = stage.finish(Outside::new(FORWARD).command(&stage, who, run, &["/bin/sh", "-c", "echo ready; exec sleep 100"]));
        assert!(outcome.bytes().starts_with(b"1\n0\n"), "{outcome:?}");
    }

    /// An interface of the host is the sandbox's, and comes back under its name, however nsl ends.
    fn an_interface_is_lent(who) {
        if !have_parts("sandbox::links::an_interface_is_lent") { return }
        let stage = Stage::new(who).section("net", "new", &["link eth7 = move(out7, address: 10.78.0.2/24)"]);
        let inside = "cat /proc/net/dev | sed -n 's/^ *\\(eth7\\|out7\\):.*/has \\1/p'; echo ready";
        let outside = Outside::new("ip link add out7 type veth peer name out8; ip link set out7 up");
        let outcome = outside.run(&stage, who, &["/bin/sh", "-c", inside]);
        assert_eq!(sorted(&outcome), ["has eth7", "left lo", "left out7", "left out8", "ready"], "{outcome:?}");
        let run = "\"$@\" >inside & nsl=$!; until grep -q ready inside; do sleep 0.05; done; ip link show out7 >/dev/null 2>&1 || echo gone; kill -9 $nsl; wait $nsl; code=0\n\
                   n=0; until ip link show out7 >/dev/null 2>&1 || [ $n -gt 200 ]; do n=$((n+1)); sleep 0.05; done";
        let outcome = stage.finish(outside.command(&stage, who, run, &["/bin/sh", "-c", "echo ready; exec sleep 100"]));
        assert_eq!(sorted(&outcome), ["gone", "left lo", "left out7", "left out8"], "{outcome:?}");
    }

    /// What cannot be handed in stays as it was; and so does what was handed in before another step fails.
    fn an_interface_that_stays(who) {
        if !have_parts("sandbox::links::an_interface_that_stays") { return }
        let stage = Stage::new(who).section("net", "new", &["link eth7 = move(nobody)"]);
        let outcome = Outside::new("").run(&stage, who, &["/bin/true"]);
        outcome.ends(2).says("nsl::interface-missing").says("nobody");
        let stage = Stage::new(who).section("net", "new", &["link eth7 = move(out7)", "link eth8 = veth(bridge: out8)"]);
        let outside = Outside::new("ip link add out7 type veth peer name out8; ip link set out7 up");
        let outcome = outside.run(&stage, who, &["/bin/true"]);
        outcome.ends(125).says("nsl::link-failed").says("out8");
        assert_eq!(sorted(&outcome), ["left lo", "left out7", "left out8"], "{outcome:?}");
    }
}
