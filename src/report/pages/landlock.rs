//! Codes about Landlock.

use super::{Page, advice, error, warning};

pub(super) const PAGES: &[Page] = &[
    warning(
        "low-port-on-host-net",
        "a port below 1024 of the host's network, from a user namespace",
        "Listening below net.ipv4.ip_unprivileged_port_start (1024) needs CAP_NET_BIND_SERVICE in the user namespace that owns the network \
         namespace: ip(7). The host's network belongs to the host's user namespace, so that no capability of a `user new` helps; with \
         `net new` it does, and a published port leads there.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net host\n  landlock { tcp.bind = [80/tcp] }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    publish 8080/tcp = 80/tcp\n  }\n  landlock { tcp.bind = [80/tcp] }\n}\n",
    ),
    error(
        "landlock-without-tree",
        "Landlock is to follow a tree that there is not",
        "`files = tree` takes its rules from the tree of `mnt`. Where the mount namespace is the host's, or joined, the policy states no tree, and every rule would be a guess.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt host\n  landlock {\n    files = tree\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n  }\n  landlock {\n    files = tree\n  }\n}\n",
    ),
    error(
        "landlock-udp",
        "Landlock is to restrict UDP",
        "Up to Linux 6.18 Landlock has rights for binding and connecting TCP sockets, and none for UDP. A list with a UDP port in it would promise what no kernel keeps.\n\nA network namespace of its own keeps all of the network inside, UDP too.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new\n  landlock {\n    tcp.bind = [53/udp]\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new\n  landlock {\n    tcp.bind = [53/tcp]\n  }\n}\n",
    ),
    warning(
        "landlock-shuts-port",
        "a published port that nothing can listen on",
        "`tcp.bind` names the ports that can be bound; bind(2) of every other fails with EACCES. What is published to such a port is accepted outside and closed at once.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    publish 8080/tcp = 8000/tcp\n  }\n  landlock {\n    tcp.bind = [9000/tcp]\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    publish 8080/tcp = 8000/tcp\n  }\n  landlock {\n    tcp.bind = [8000/tcp]\n  }\n}\n",
    ),
    advice(
        "landlock-without-effect",
        "a scope that a namespace has already",
        "A process of another PID namespace has no number by which it could be sent a signal, and an abstract UNIX socket is found in its own network namespace only. With `pid new` and `net new` the scopes change nothing; where those are the host's, they are the only thing that does.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new\n  landlock {\n    scope = [abstract-unix-socket]\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net host\n  landlock {\n    scope = [abstract-unix-socket]\n  }\n}\n",
    ),
    warning(
        "landlock-forbids-mounts",
        "CAP_SYS_ADMIN is kept where Landlock forbids what it is mostly for",
        "Once rights on files are restricted, mount(2), umount(2), move_mount(2) and pivot_root(2) fail with EPERM for the program and all that it starts: a mount could put files where the rules do not mean them. That holds for those who have CAP_SYS_ADMIN too, also in user namespaces that they make.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n  }\n  caps { keep sys_admin }\n  landlock {\n    files = tree\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n  }\n  landlock {\n    files = tree\n  }\n}\n",
    ),
    error(
        "landlock-missing",
        "this kernel has no such Landlock",
        "Landlock came with Linux 5.13 and has grown since: what `files` needs with 5.19 (ABI 2), TCP ports with 6.7 (ABI 4), scopes with 6.12 (ABI 6). It must also be switched on at boot: the file /sys/kernel/security/lsm lists it.\n\nA policy that requires it does not start without it. With `prefer files = tree` inside of the block the run goes on without that line, and says so.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  landlock {\n    scope = [signal]\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  landlock {\n    prefer scope = [signal]\n  }\n}\n",
    ),
    error(
        "landlock-failed",
        "the kernel refused the Landlock rules",
        "The message names what was refused. Landlock needs `no-new-privs`, which is on unless the policy says otherwise, or CAP_SYS_ADMIN; and there can be 16 layers of it around a process at the most.",
        "",
        "",
    ),
];
