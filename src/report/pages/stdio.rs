//! Pages: descriptors and the terminal.

use super::{Page, Severity, error, warning};

const fn page(code: &'static str, title: &'static str, text: &'static str) -> Page {
    Page { code, severity: Severity::Error, title, text, wrong: "", right: "" }
}

pub(super) const PAGES: &[Page] = &[
    error(
        "tty-without-devpts",
        "a terminal in a sandbox that has none",
        "`tty = new` makes a pseudo-terminal in the sandbox's own devpts file system, so that the program can ask for its name (ttyname(3), \
         pty(7)). It needs one there: `mount /dev = dev` brings it, as `mount /dev/pts = devpts` with `link /dev/ptmx = \"pts/ptmx\"` does.",
        "sandbox a {\n  run = [\"/bin/sh\"]\n  tty = new\n  user new\n  mnt new { root = host(ro) }\n}\n",
        "sandbox a {\n  run = [\"/bin/sh\"]\n  tty = new\n  user new\n  mnt new {\n    root = host(ro)\n    mount /dev = dev\n  }\n}\n",
    ),
    warning(
        "tty-unused",
        "a terminal that no stream is on",
        "With `tty = new` the program's standard streams are on a terminal of its own, but for those that `stdin`, `stdout` and `stderr` \
         put elsewhere. Where all three are elsewhere, only a program that opens /dev/tty finds it.",
        "sandbox a {\n  run = [\"/bin/sh\"]\n  tty = new\n  stdin = null\n  stdout = null\n  stderr = null\n  user new\n}\n",
        "sandbox a {\n  run = [\"/bin/sh\"]\n  tty = new\n  stderr = null\n  user new\n}\n",
    ),
    error(
        "output-overwritten",
        "one file for two streams",
        "A file that is opened twice is written at two places: what goes to the one stream overwrites what went to the other. `stderr = stdout` \
         shares one place, and `append` writes at the end each time: open(2), O_APPEND.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  stdout = file(./log)\n  stderr = file(./log)\n  user new\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  stdout = file(./log)\n  stderr = stdout\n  user new\n}\n",
    ),
    warning(
        "output-writable",
        "an output that the program can change",
        "A log says what a program did only if the program cannot change it. nsl opens the file on the host before the sandbox exists and does \
         not follow a link at the end of its path; in a directory that the program may write to, it can still be renamed, removed or rewritten.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  stdout = file(/srv/work/log)\n  user new\n  mnt new {\n    root = host(ro)\n    mount /work = bind(/srv/work, rw)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  stdout = file(/srv/log)\n  user new\n  mnt new {\n    root = host(ro)\n    mount /work = bind(/srv/work, rw)\n  }\n}\n",
    ),
    error(
        "fd-twice",
        "two descriptors with one number",
        "`fd NAME = NUMBER` says at which number the program finds a descriptor that its caller hands over. A process has one descriptor at a \
         number; the second would close the first: dup2(2).",
        "sandbox a {\n  run = [\"/bin/true\"]\n  fd in = 3\n  fd out = 3\n  user new\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  fd in = 3\n  fd out = 4\n  user new\n}\n",
    ),
    error(
        "listen-fds-none",
        "nothing to tell a program of",
        "`listen-fds = true` tells the program of the descriptors that `fd NAME = NUMBER` gives it, by the variables LISTEN_FDS, LISTEN_FDNAMES and \
         LISTEN_PID: sd_listen_fds(3). Without such a descriptor there is nothing to tell.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  listen-fds = true\n  user new\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  listen-fds = true\n  fd http = 3\n  user new\n}\n",
    ),
    error(
        "listen-fds-gap",
        "descriptors that are not counted from 3 on",
        "By the protocol of sd_listen_fds(3) a program is told how many descriptors it has, and takes those from 3 on. A number that is left out \
         would make it take another one, or none, for what it expects.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  listen-fds = true\n  fd http = 3\n  fd https = 5\n  user new\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  listen-fds = true\n  fd http = 3\n  fd https = 4\n  user new\n}\n",
    ),
    error(
        "listen-fds-twice",
        "a variable of sd_listen_fds(3) that is set already",
        "`listen-fds = true` sets LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID. Of a variable that is in the environment twice, some programs read the \
         first and others the second.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  listen-fds = true\n  fd http = 3\n  env LISTEN_FDS = \"2\"\n  user new\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  listen-fds = true\n  fd http = 3\n  user new\n}\n",
    ),
    page(
        "listen-fds-not-passed",
        "a service manager that passed no descriptors",
        "`nsl run --listen-fds` takes the descriptors that its service manager opened, and tells the environment by LISTEN_PID, LISTEN_FDS and \
         LISTEN_FDNAMES: sd_listen_fds(3). LISTEN_PID must be the number of the process of nsl itself, so nothing may stand between the two; a shell \
         passes them on with `exec nsl run …`. A name that no `fd` can have is given another one by `FileDescriptorName=` in the socket unit: systemd.socket(5).",
    ),
    page(
        "fd-missing",
        "a descriptor that nobody hands over",
        "`fd NAME = NUMBER` in a sandbox is a descriptor that whoever starts it has open already: a socket that listens, one end of a pipe. It \
         is handed over by name, as in `nsl run --fd listener=3 web.nsl`, where 3 is its number for the caller. `prefer fd …` starts without.",
    ),
    page(
        "fd-unknown",
        "a descriptor that the sandbox does not take",
        "What `--fd NAME=N` names must be taken by the sandbox with `fd NAME = NUMBER`: a policy says everything that a program gets.",
    ),
    page(
        "fd-not-open",
        "a descriptor that cannot be handed over",
        "`--fd NAME=N` names an open descriptor of nsl by its number, as a shell makes it with `3<file`. A directory is refused: through it the \
         program could reach every file of the host by `..` (CVE-2024-21626); `mount` shows a directory safely.",
    ),
    page(
        "fd-failed",
        "a descriptor cannot be put in its place",
        "dup2(2) refuses numbers at and above RLIMIT_NOFILE. Raise `ulimit -n` for the caller, or choose a lower number.",
    ),
    page(
        "stdio-failed",
        "a standard stream cannot be opened",
        "`stdin`, `stdout` and `stderr` name files of the host, opened by nsl with the caller's rights before the sandbox exists. The directory must \
         exist. ELOOP: the last part of the path of an output is a symbolic link, which is not followed, as a program that may write there \
         could have laid it for the next run. ENXIO: a FIFO that nobody reads from.",
    ),
    page(
        "tty-failed",
        "there is no terminal for the program",
        "`tty = new` puts nsl between the caller's terminal and one of the program's own. ENOTTY: the standard input of nsl is no terminal, \
         as in a pipe, a service or a CI job; `prefer tty = new` uses one where there is one. ENOENT, ENXIO, EACCES: the sandbox has no devpts of its own.",
    ),
    error(
        "sysctl-of-host",
        "a kernel parameter that is the host's",
        "Most of /proc/sys is one for the whole machine. A sandbox can set what its own namespaces have for themselves: `net.…` with `net new`, \
         `kernel.msg…`, `kernel.sem…`, `kernel.shm…` and `fs.mqueue.…` with `ipc new`, `user.max_…` with `user new`: sysctl(8), namespaces(7).",
        "sandbox a {\n  run = [\"/bin/true\"]\n  sysctl \"vm.swappiness\" = 10\n  user new\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  sysctl \"user.max_user_namespaces\" = 4\n  user new\n}\n",
    ),
    error(
        "sysctl-without-namespace",
        "a kernel parameter of a namespace that is shared",
        "Without a namespace of its own the sandbox would change the parameter for everybody who shares the namespace.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  sysctl \"net.ipv4.ip_forward\" = 1\n  user new\n  net host\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  sysctl \"net.ipv4.ip_forward\" = 1\n  user new\n  net new\n}\n",
    ),
    error(
        "sysctl-elsewhere",
        "a host name as a kernel parameter",
        "The names in a UTS namespace have fields of their own, which are checked: `hostname` and `domainname`.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  sysctl \"kernel.hostname\" = \"a\"\n  user new\n  uts new\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  uts new { hostname = \"a\" }\n}\n",
    ),
    error(
        "sysctl-without-root",
        "a kernel parameter that nobody in the sandbox may write",
        "Parameters of an IPC namespace (`kernel.sem`, `kernel.msg…`, `kernel.shm…`, `fs.mqueue.…`) belong to uid 0 of the user namespace around it, and no \
         capability makes up for another id. Where the map has no uid 0, they are the host's root's. A sandbox that root starts may set them.",
        "",
        "",
    ),
    warning(
        "sysctl-of-hosts-root",
        "a kernel parameter that may be the host's root's",
        "Since Linux 6.10 the parameters of an IPC namespace (`kernel.sem`, `kernel.msg…`, `kernel.shm…`, `fs.mqueue.…`) belong to root of the user namespace around \
         it; before, to root of the host alone. Some older kernels have got the change too, so the run tries, and ends with `sysctl-failed` where it is refused.",
        "",
        "",
    ),
    page(
        "sysctl-failed",
        "a kernel parameter cannot be set",
        "It is written from inside the new namespaces, before any privilege goes, and read back. ENOENT: this kernel does not have it, or not in \
         namespaces other than the first. EACCES, EPERM: those of an IPC namespace belong to uid 0 of the user namespace, so one has to be mapped (`map uid 0 = unprivileged`); \
         before Linux 6.10 only the host's root may write them. EROFS: /proc/sys is read-only, as in a container.",
    ),
    page(
        "parent-failed",
        "the process that has started nsl cannot be watched",
        "`stop { with-parent = true }` ends the sandbox when the process ends that has started nsl. That process must be of the same PID \
         namespace, or it has no number here.",
    ),
];
