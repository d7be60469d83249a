//! Names in the firewall, asked of a name server that each test starts in a network of its own.

use super::links::{Outside, have_parts};
use super::*;

/// A name server on port 53 of the addresses that are its arguments: what it answers depends on the name.
pub const NAME_SERVER: &str = r#"
import selectors, socket, struct, sys
poll = selectors.DefaultSelector()
for address in sys.argv[1:]:
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.bind((address, 53))
    t = socket.create_server((address, 53))
    poll.register(u, selectors.EVENT_READ, "udp")
    poll.register(t, selectors.EVENT_READ, "tcp")
ADDRESSES = {
    "api": ["192.0.2.1"], "other": ["192.0.2.2"], "big": ["192.0.2.1"], "liar": ["192.0.2.1"], "deep.sub": ["192.0.2.1"],
    "local": ["127.0.0.1", "10.77.0.1", "169.254.169.254"], "mixed": ["10.77.0.1", "192.0.2.1"], "many": ["192.0.2.%d" % n for n in range(1, 40)],
}
def name(at, data):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels).lower(), at + 1
def wire(text):
    return b"".join(bytes([len(l)]) + l.encode() for l in text.split(".")) + b"\0"
def record(owner, kind, data, ttl=300):
    return wire(owner) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data
def answers(data, tcp):
    asked, end = name(12, data)
    kind = struct.unpack(">H", data[end:end + 2])[0]
    print("asked", asked, kind, flush=True)
    question = data[12:end + 4]
    def message(records, rcode=0, flags=0x8180, number=data[:2], question=question):
        return number + struct.pack(">HHHHH", flags | rcode, 1, len(records), 0, 0) + question + b"".join(records)
    host = asked.removesuffix(".example.org")
    if host == "hostile":
        loop = b"\xc0\x0c"
        yield message([], question=loop + b"\0\1\0\1")
        yield message([b"\xc0\xff" * 9])[:40]
        yield message([record(asked, 5, wire(asked))])
        yield b"\xff" * 4000
        yield data
        return
    if host == "liar" and not tcp:
        yield message([record(asked, 1, socket.inet_aton("192.0.2.2"))], number=bytes([data[0] ^ 1, data[1]]))
        yield message([record("other.example.org", 1, socket.inet_aton("192.0.2.2"))], question=wire("other.example.org") + b"\0\1\0\1")
    if host == "big" and not tcp:
        yield message([], flags=0x8380)
        return
    if host == "broken":
        yield message([], rcode=2)
        return
    if host == "alias":
        records = [record(asked, 5, wire("api.example.net")), record("api.example.net", 1, socket.inet_aton("192.0.2.1"))]
        yield message(records if kind == 1 else records[:1])
        return
    if host not in ADDRESSES:
        yield message([], rcode=3)
        return
    yield message([record(asked, 1, socket.inet_aton(it)) for it in ADDRESSES[host]] if kind == 1 else [])
print("serving", flush=True)
while True:
    for key, _ in poll.select():
        if key.data == "udp":
            data, sender = key.fileobj.recvfrom(4096)
            for answer in answers(data, False):
                key.fileobj.sendto(answer, sender)
        else:
            client, _ = key.fileobj.accept()
            client.settimeout(5)
            data = client.recv(4096)
            while len(data) < 2 or len(data) < 2 + struct.unpack(">H", data[:2])[0]:
                more = client.recv(4096)
                if not more:
                    break
                data += more
            for answer in answers(data[2:], True):
                client.sendall(struct.pack(">H", len(answer)) + answer)
            client.close()
"#;

/// Each word is `NAME:PORT`; it prints what the server says, or the number of the error: -2 for no such name, -3 where nobody knows.
pub const CALL: &str = r#"
import socket, sys
heard = []
for word in sys.argv[1:]:
    name, port = word.rsplit(":", 1)
    try:
        with socket.create_connection((name, int(port)), 10) as s:
            heard.append(s.recv(100).decode() or "closed")
    except OSError as e:
        heard.append(str(e.errno or "silence"))
print(*heard)
"#;

const LINK: [&str; 2] =
    ["link eth0 = veth(address: 10.77.0.2/24, peer-address: 10.77.0.1/24)", "route 0.0.0.0/0 = 10.77.0.1"];

fn with(who: Who, lines: &[&str]) -> Stage {
    Stage::new(who).section("net", "new", &[&LINK[..], lines].concat())
}

/// Runs a stage beside a name server on 10.53.0.1; what the program said, and then what the name server was asked.
fn outcome(stage: &Stage, who: Who, args: &[&str]) -> (String, Vec<String>) {
    let outside = Outside::new(
        "ip link add out0 type veth peer name out1; ip link set out0 up\n\
         for it in 192.0.2.1 192.0.2.2 192.0.2.3 10.53.0.1; do ip addr add $it/32 dev out0; done",
    );
    let run = format!(
        ": >names; /usr/bin/python3 -I -S -c '{NAME_SERVER}' 10.53.0.1 >names & names=$!\n\
         until grep -q serving names; do kill -0 $names || break; sleep 0.05; done\n\
         \"$@\"; code=$?; kill $names; grep asked names"
    );
    let outcome = stage.finish(outside.command(stage, who, &run, args));
    let out = outcome.out();
    let asked = out.lines().filter_map(|it| it.strip_prefix("asked ")).map(String::from).collect();
    (out.lines().next().unwrap_or_default().to_string(), asked)
}

fn call<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["/usr/bin/python3", "-I", "-S", "-c", CALL], words].concat()
}

const SERVER: &str = "dns = [10.53.0.1]";

both! {
    /// An address is let out when its name was answered, and not before; nobody else is, and no other name is asked for.
    fn a_name_is_let_out_and_nobody_else(who) {
        if !have_parts("sandbox::names::a_name_is_let_out_and_nobody_else") { return }
        let stage = with(who, &[SERVER, "allow out \"api.example.org\" 8000/tcp"]);
        let words = ["192.0.2.1:8000", "api.example.org:8000", "192.0.2.1:8000", "API.example.org.:8000", "api.example.org:8001", "192.0.2.2:8000", "other.example.org:8000", "10.53.0.1:8000"];
        let (heard, asked) = outcome(&stage, who, &call(&words));
        assert_eq!(heard, "111 8000 8000 8000 111 111 -2 111");
        assert!(!asked.is_empty() && asked.iter().all(|it| it.starts_with("api.example.org ")), "{asked:?}");
    }

    fn all_below_a_name(who) {
        if !have_parts("sandbox::names::all_below_a_name") { return }
        let stage = with(who, &[SERVER, "allow out \"*.example.org\" 8000/tcp", "allow out \"other.example.org\" 8001/tcp", "deny out 192.0.2.3"]);
        let words = ["deep.sub.example.org:8000", "example.org:8000", "other.example.org:8001", "other.example.org:8000", "192.0.2.1:8001", "many.example.org:8000", "192.0.2.3:8000"];
        let (heard, _) = outcome(&stage, who, &call(&words));
        assert_eq!(heard, "8000 -2 8001 8000 111 8000 111");
    }

    /// Aliases are followed, what is cut short is asked for over TCP, and answers that are none are passed over.
    fn answers_are_judged(who) {
        if !have_parts("sandbox::names::answers_are_judged") { return }
        let stage = with(who, &[SERVER, "allow out \"*.example.org\" 8000/tcp"]);
        let words = ["alias.example.org:8000", "big.example.org:8000", "liar.example.org:8000", "192.0.2.2:8000", "missing.example.org:8000"];
        let (heard, _) = outcome(&stage, who, &call(&words));
        assert_eq!(heard, "8000 8000 8000 111 -2");
    }

    /// A name cannot lead to the host's own networks.
    fn names_do_not_lead_home(who) {
        if !have_parts("sandbox::names::names_do_not_lead_home") { return }
        let rules = [SERVER, "allow out \"*.example.org\" 8000/tcp"];
        let words = ["local.example.org:8000", "mixed.example.org:8000", "10.77.0.1:8000"];
        let (heard, _) = outcome(&with(who, &rules), who, &call(&words));
        assert_eq!(heard, "-2 8000 111");
        let open = [&rules[..], &["private = [10.77.0.0/16]"]].concat();
        let (heard, _) = outcome(&with(who, &open), who, &call(&words));
        assert_eq!(heard, "8000 8000 8000");
    }

    /// Without an answer that can be used nothing opens, and the resolver outlives whatever it hears.
    fn what_nobody_knows_is_not_let_out(who) {
        if !have_parts("sandbox::names::what_nobody_knows_is_not_let_out") { return }
        let rule = "allow out \"*.example.org\" 8000/tcp";
        let (heard, _) = outcome(&with(who, &[SERVER, rule]), who, &call(&["hostile.example.org:8000", "broken.example.org:8000", "api.example.org:8000"]));
        assert_eq!(heard, "-3 -3 8000");
        let (heard, asked) = outcome(&with(who, &["dns = [192.0.2.3]", rule]), who, &call(&["api.example.org:8000", "192.0.2.1:8000"]));
        assert_eq!((heard.as_str(), asked.len()), ("-3 111", 0));
    }

    /// What the kernel holds is held for a time.
    fn addresses_are_let_out_for_a_time(who) {
        if !have_parts("sandbox::names::addresses_are_let_out_for_a_time") || !stage::have("nft") { return }
        let stage = with(who, &[SERVER, "allow out \"api.example.org\" 8000/tcp"]).section("user", "new", &["map uid 0 = unprivileged", "map gid 0 = unprivileged", "as = 0"]).section("caps", "", &["ambient net_admin"]);
        let script = format!("/usr/bin/python3 -I -S -c '{CALL}' api.example.org:8000 api.example.org:8000 >/dev/null; /usr/sbin/nft list set inet nsl name0-v4 | tr -d '\\n\\t' | sed 's/.*elements//'");
        let (heard, _) = outcome(&stage, who, &["/bin/sh", "-c", &script]);
        assert!(heard.contains("192.0.2.1 timeout 5m10s expires "), "{heard}");
    }

    /// Only addresses are told of a name: no other record, no reverse look-up, and no zone.
    fn only_addresses_are_told(who) {
        if !have_parts("sandbox::names::only_addresses_are_told") { return }
        let program = r#"
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.connect(("127.0.0.53", 53))
def ask(name, kind, flags=0x0100, count=1):
    wire = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0"
    s.send(b"\1\2" + struct.pack(">HHHHH", flags, count, 0, 0, 0) + wire + struct.pack(">HH", kind, 1))
    answer = s.recv(4096)
    return answer[3] & 15, struct.unpack(">H", answer[6:8])[0]
heard = [ask("api.example.org", 16), ask("api.example.org", 1), ask("secret-1234.example.net", 16), ask("1.2.0.192.in-addr.arpa", 12), ask("api.example.org", 1, 0x2900), ask("api.example.org", 1, 0x0100, 2)]
s.send(b"?")
t = socket.create_connection(("127.0.0.53", 53), 10)
query = b"\1\2\1\0\0\1\0\0\0\0\0\0\3api\7example\3org\0\0\1\0\1"
t.sendall(struct.pack(">H", len(query)) + query)
answer = t.recv(4096)
heard.append((answer[5] & 15, struct.unpack(">H", answer[8:10])[0]))
print(*("%d:%d" % it for it in heard))
"#;
        let stage = with(who, &[SERVER, "allow out \"api.example.org\" 8000/tcp"]);
        let (heard, asked) = outcome(&stage, who, &["/usr/bin/python3", "-I", "-S", "-c", program]);
        assert_eq!(heard, "0:0 0:1 3:0 3:0 4:0 1:0 0:1");
        assert!(asked.iter().all(|it| it == "api.example.org 1"), "{asked:?}");
    }

    /// The resolver ends with nsl.
    fn the_resolver_ends_with_nsl(who) {
        if !have_parts("sandbox::names::the_resolver_ends_with_nsl") { return }
        let stage = with(who, &[SERVER, "allow out \"api.example.org\" 8000/tcp"]);
        let run = "\"$@\" >inside & nsl=$!; until grep -q ready inside; do sleep 0.05; done\n\
                   resolver=$(pgrep -P $nsl -x nsl-resolver) && echo answers; kill -9 $nsl; wait $nsl; code=0\n\
                   n=0; while kill -0 $resolver 2>/dev/null && [ $n -lt 200 ]; do n=$((n+1)); sleep 0.05; done; kill -0 $resolver 2>/dev/null && echo left";
        let outcome = stage.finish(Outside::new("").command(&stage, who, run, &["/bin/sh", "-c", "echo ready; exec sleep 100"]));
        assert!(outcome.out().starts_with("answers\nleft lo"), "{outcome:?}");
    }

    /// Those whom the host asks, also on its own loopback; every name, and answers as they come.
    fn the_host_s_name_servers_are_asked(who) {
        if !have_parts("sandbox::names::the_host_s_name_servers_are_asked") { return }
        // Everything may be asked for: no rule is about what goes out.
        let stage = with(who, &["dns = host"]).file("resolv.conf", 0o644, "nameserver 127.0.0.1\n");
        let run = format!(
            "mount --bind resolv.conf $(readlink -f /etc/resolv.conf)\n\
             : >names; /usr/bin/python3 -I -S -c '{NAME_SERVER}' 127.0.0.1 >names & names=$!\n\
             until grep -q serving names; do kill -0 $names || break; sleep 0.05; done\n\"$@\"; code=$?; kill $names"
        );
        let outside = Outside::new("ip link add out0 type veth peer name out1; ip link set out0 up; ip addr add 192.0.2.1/32 dev out0");
        let command = outside.command_with(&stage, who, &["--mount"], &run, &call(&["api.example.org:8000", "other.example.org:8000", "local.example.org:8000"]));
        let outcome = stage.finish(command);
        assert!(outcome.bytes().starts_with(b"8000 "), "{outcome:?}");
    }

    /// Short names are completed as on the host, by the program itself, where its servers are asked; and each that comes of it is judged alone.
    fn names_are_completed_as_on_the_host(who) {
        if !have_parts("sandbox::names::names_are_completed_as_on_the_host") { return }
        let conf = "nameserver 127.0.0.1\nsearch nowhere.example example.org bad;domain\noptions ndots:1 timeout:1\n";
        let outside = Outside::new("ip link add out0 type veth peer name out1; ip link set out0 up; ip addr add 192.0.2.1/32 dev out0; ip addr add 192.0.2.2/32 dev out0");
        let run = format!(
            "mount --bind resolv.conf $(readlink -f /etc/resolv.conf)\n\
             : >names; /usr/bin/python3 -I -S -c '{NAME_SERVER}' 127.0.0.1 >names & names=$!\n\
             until grep -q serving names; do kill -0 $names || break; sleep 0.05; done\n\"$@\"; code=$?; kill $names; grep asked names"
        );
        let inside = format!("{}\nprint(open('/etc/resolv.conf').read().replace(chr(10), '|'))", CALL.trim());
        let words = ["/usr/bin/python3", "-I", "-S", "-c", &inside, "api:8000", "other:8000"];
        for (lines, heard) in [(vec!["dns = host"], "8000 8000"), (vec!["allow out \"api.example.org\" 8000/tcp"], "8000 -2")] {
            let stage = with(who, &lines).file("resolv.conf", 0o644, conf);
            let outcome = stage.finish(outside.command_with(&stage, who, &["--mount"], &run, &words));
            let out = outcome.out();
            let said: Vec<&str> = out.lines().collect();
            assert_eq!(said[0], heard, "{outcome:?}");
            assert_eq!(said[1], "nameserver 127.0.0.53|search nowhere.example example.org|options ndots:1|", "{outcome:?}");
            let other = said.iter().any(|it| it.starts_with("asked other"));
            assert_eq!(other, lines[0] == "dns = host", "{outcome:?}");
        }
        // Who names the servers completes nothing.
        let stage = with(who, &[SERVER]).file("resolv.conf", 0o644, conf);
        let outcome = stage.finish(outside.command_with(&stage, who, &["--mount"], &run, &["/bin/cat", "/etc/resolv.conf"]));
        assert!(outcome.bytes().starts_with(b"nameserver 10.53.0.1\n") && !outcome.out().contains("search"), "{outcome:?}");
    }

    /// Which names the program did not get is said at the end, and why; how many there are of them is bounded.
    fn what_was_refused_is_reported(who) {
        if !have_parts("sandbox::names::what_was_refused_is_reported") { return }
        let report = |stage: &Stage| -> serde_json::Value {
            let text = std::fs::read_to_string(stage.path("report.json")).expect("a report");
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["refused_names"].clone()
        };
        let outside = || Outside::new(
            "ip link add out0 type veth peer name out1; ip link set out0 up\nfor it in 192.0.2.1 10.53.0.1; do ip addr add $it/32 dev out0; done",
        );
        let run = format!(
            ": >names; /usr/bin/python3 -I -S -c '{NAME_SERVER}' 10.53.0.1 >names & names=$!\n\
             until grep -q serving names; do kill -0 $names || break; sleep 0.05; done\n\"$@\"; code=$?; kill $names"
        );
        let rules = [SERVER, "allow out \"api.example.org\" 8000/tcp", "allow out \"local.example.org\" 8000/tcp"];
        let stage = with(who, &rules).option("--report").option("report.json");
        let words = ["api.example.org:8000", "other.example.org:8000", "other.example.org:8000", "local.example.org:8000"];
        let outcome = stage.finish(outside().command(&stage, who, &run, &call(&words)));
        assert!(outcome.out().starts_with("8000 -2 -2 "), "{outcome:?}");
        outcome.says("nsl::names-refused").says("other.example.org").says("local.example.org (at private addresses)").says("allow out \"other.example.org\"");
        let told = report(&stage);
        let names = told["names"].as_array().expect("a list");
        assert_eq!((names[0]["name"].as_str(), names[0]["why"].as_str()), (Some("other.example.org"), Some("not-named")), "{told}");
        assert!(names.iter().any(|it| it["name"] == "local.example.org" && it["why"] == "not-public"), "{told}");
        assert!(names.len() == 2 && told["others"] == 0 && told["questions"].as_u64() >= Some(4), "{told}");
        // A program that asks for ever makes no report without end.
        let many = "import socket\nfor n in range(100):\n    try: socket.getaddrinfo('n%d.example.org.' % n, 1, socket.AF_INET)\n    except OSError: pass\nprint('done')";
        let outcome = stage.finish(outside().command(&stage, who, &run, &["/usr/bin/python3", "-I", "-S", "-c", many]));
        assert!(outcome.out().starts_with("done"), "{outcome:?}");
        let told = report(&stage);
        assert_eq!((told["names"].as_array().map(Vec::len), told["others"].as_u64()), (Some(64), Some(36)), "{told}");
        // Who got all that was asked for hears nothing.
        let outcome = stage.finish(outside().command(&stage, who, &run, &call(&words[..1])));
        assert!(outcome.out().starts_with("8000") && !outcome.stderr.contains("names-refused"), "{outcome:?}");
        assert_eq!(report(&stage)["questions"], 0);
    }
}
