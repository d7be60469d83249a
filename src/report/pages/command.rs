//! Pages: the command line, and the files that it names.

use super::{Page, Severity};

/// A page without examples: no policy can give the finding.
const fn page(code: &'static str, title: &'static str, text: &'static str) -> Page {
    Page { code, severity: Severity::Error, title, text, wrong: "", right: "" }
}

const fn warning(code: &'static str, title: &'static str, text: &'static str) -> Page {
    Page { severity: Severity::Warning, ..page(code, title, text) }
}

pub(super) const PAGES: &[Page] = &[
    page(
        "unknown-target",
        "a host that nobody has recorded",
        "`nsl check --target` takes the name of a built-in target (a system as it is installed, for its first user, or with `:root` for root), or a file that `nsl doctor --json` has written on the host in question. What is no built-in name and has no `/` in it is looked for as a file in the working directory.",
    ),
    page(
        "bad-target",
        "a file that does not hold the facts of a host",
        "A target is what `nsl doctor --json` prints: the kernel, the caller, cgroups, what restricts user namespaces. The message says at which line and column the file is something else; a file of an older version of nsl is best recorded anew.",
    ),
    page(
        "unknown-policy-key",
        "a key that nothing in the policy has",
        "`nsl expand --why` takes the key of a statement that holds: the section, the field, and for what can be there several times its label, as in `mnt.mount[/tmp]`. The section may be left out. A value that nobody states and that has no default has no key.",
    ),
    page(
        "policy-unwritable",
        "a policy that cannot be changed",
        "An edit replaces the file by a new one in the same directory, so that it is whole at every moment: that takes the right to write to the directory. Files that were changed before this one stay changed.",
    ),
    page(
        "format-failed",
        "a policy that cannot be laid out",
        "`nsl fmt` reads what it has made before it writes it: it must be the same words in the same order, with the same comments. This one would not have been, so the file is as it was. That is a fault of nsl, not of the policy.",
    ),
    page(
        "file-missing",
        "a file that is not there",
        "The file that the command line or a `use` names does not exist, or a part of its path is no directory.\n\n\
         On the command line a relative path starts at the working directory. In `use \"./common\"` it starts at the \
         directory of the file that says so, so that a policy means the same wherever it is called from.",
    ),
    page(
        "file-not-regular",
        "a directory or a device in the place of a file",
        "A policy is read from a regular file, so that reading it ends, and has no effect. Devices, FIFOs and \
         sockets are refused before they are opened: some of them wait for ever, some have no end, and some do something when they \
         are opened.\n\n\
         `nsl check DIR` checks all files of a directory whose names end in `.nsl`, and those below it. `nsl check -` reads the standard input.",
    ),
    page(
        "file-too-large",
        "a file that is longer than a policy can be",
        "Files are read up to 4 MiB, and no further, so that the size of a file cannot make `nsl` use up memory or time. A policy \
         of that length would have about 100,000 statements; it is more likely that the path names something else.",
    ),
    page(
        "file-not-utf8",
        "a file in another encoding than UTF-8",
        "Policies are UTF-8, without exception: a path or an argument must come to the kernel as the very bytes that a reviewer saw. \
         The message says which byte is wrong, counted from 1; `head -c N FILE | wc -l` tells the line.",
    ),
    page(
        "file-unreadable",
        "a file that the kernel does not let the caller read",
        "The file exists, and reading it fails. Most often the caller lacks the right to read the file, or to pass through a directory on the way to it; \
         `namei -l PATH` shows the rights of every part of a path.",
    ),
    page(
        "usage",
        "a command line that cannot be understood",
        "`nsl help` lists the commands, and `nsl COMMAND --help` the options of one, with examples. What stands behind `--` is for the \
         program in the sandbox, and is handed over as it is. Nothing is started when the command line is wrong, and the exit status is 2.",
    ),
    page(
        "unknown-code",
        "a code that no diagnostic has",
        "Codes are the words behind `nsl::` in the first line of a diagnostic, such as `nsl::hostname-without-uts`. `nsl explain` takes them with and without \
         `nsl::`; `nsl explain --list` prints them all, one a line.",
    ),
    page(
        "man-unwritable",
        "manual pages that cannot be written",
        "`nsl man DIR` writes one page a command, and with `--language` that of the language, into a directory that exists. It makes no directory, as a \
         misspelt one would never be found by man(1): `manpath` prints where it looks.",
    ),
    page(
        "lsp-broken-off",
        "a conversation with an editor that broke off",
        "`nsl lsp` speaks the Language Server Protocol with the editor that has started it: messages with a `Content-Length` header, over its standard input \
         and output. It ends with this where something else comes in, where the first message is no `initialize`, or where the editor is gone without a \
         `shutdown`. Nobody types these messages: to try the server, let an editor start it, as `editors/README.md` says.",
    ),
    page(
        "which-sandbox",
        "a file with several sandboxes, and no name",
        "A file may declare several sandboxes. `nsl run` and `nsl plan` work on one of them, and do not guess: put its name behind the file, as in \
         `nsl run shop.nsl web`.",
    ),
    page(
        "unknown-sandbox",
        "a name that no sandbox of the file has",
        "The name behind the file chooses one of the sandboxes that the file declares. What is meant for the program in the sandbox stands behind `--`.",
    ),
    page(
        "unknown-cgroup",
        "`--cgroup-parent` names no cgroup",
        "`--cgroup-parent PATH` names the cgroup in which the sandbox gets its own: the path as in /proc/PID/cgroup, or the directory, as in \
         `/sys/fs/cgroup/user.slice/user-1000.slice/nsl`. It has to exist, to be the caller's to write to, and to hold no processes where its \
         children shall have limits (cgroups(7), \"no internal processes\").\n\n\
         Root makes one for a user with `mkdir`, and hands it over with `chown` of the directory and of its files `cgroup.procs`, \
         `cgroup.subtree_control` and `cgroup.threads`. To move processes there, the user must also be allowed to write `cgroup.procs` of the \
         nearest cgroup above both.",
    ),
    page(
        "no-policies",
        "a directory without policies",
        "`nsl check DIR` checks every file below the directory whose name ends in `.nsl`. It does not look into directories whose names \
         begin with a dot, and does not follow symbolic links to directories. Where it finds nothing it says so, since a check that checks nothing \
         would pass for a clean one.",
    ),
    page(
        "report-unwritable",
        "the report of a run cannot be written",
        "`--report FILE` is opened before the sandbox is built, so that a run does not end without the report that was asked for. The file is replaced. `-` is the standard output, which is the \
         program's too; `fd:N` is a descriptor that is open when nsl starts, as in `nsl run --report fd:3 job.nsl 3>report.json`.",
    ),
    warning(
        "not-in-force",
        "a preference that this host cannot meet",
        "A statement with `prefer` before it may be missing from a run: where this host cannot do what it asks for, the run goes on without it, and \
         says so. Without `prefer` the sandbox would not start.\n\n\
         Most often it is a limit of `cgroup`, for a caller who has no cgroup to put limits in. `nsl doctor` says what is missing, and how to change it; \
         `nsl run --cgroup-parent PATH` names a cgroup that was delegated to you.",
    ),
    warning(
        "time-limit-hit",
        "a run that was ended because its time was over",
        "`stop { after = … }` is the longest that the program may run, by the clock on the wall. Then it is asked to end with \
         `signal`, and killed `timeout` later. With the PID namespace's init everything it has started ends too.",
    ),
    warning(
        "memory-limit-hit",
        "a sandbox that has reached `memory.max`",
        "All processes of the sandbox together needed more memory than `memory.max`, nothing more could be given back or swapped out, and the kernel \
         killed one or all of them with SIGKILL (status 137). Memory is what they have allocated and used, and also what the files in \
         their tmpfs mounts take, and what the kernel keeps for them: cgroups(7).\n\n\
         A program that is killed cannot clean up. One that can tell in time that it gets no more memory is better served by `as` or `data` in `limits`, which \
         make an allocation fail; they count for each process alone.",
    ),
    warning(
        "process-limit-hit",
        "a sandbox that has reached `pids.max`",
        "All processes and threads of the sandbox together came to `pids.max`, and fork(2) or clone(2) failed with EAGAIN. Threads count like processes, and so does the \
         sandbox's init. Nothing was killed; what the program did without the new process is its own affair.",
    ),
    warning(
        "cpu-limit-hit",
        "a program that has used up its CPU time",
        "`stop { cpu = … }` is the CPU time that all processes of a sandbox may use together, those that have ended included, as their cgroup \
         counts it. When it is used up the sandbox is asked to end with `signal`, and killed after `timeout`. It is looked at no later than it can be \
         reached with every CPU busy; what is used while the program ends comes on top.",
    ),
    warning(
        "resource-limit-hit",
        "a program that reached a limit of `limits`",
        "A process that writes beyond `fsize` gets SIGXFSZ, and one that uses more CPU time than `cpu` is ended by SIGKILL: getrlimit(2). Both \
         limits are those of each process. Raise the limit where the program is to be trusted with more; of the other limits the kernel \
         says nothing but the errno of the call that came up against it.",
    ),
    warning(
        "filter-killed",
        "a program that its filter has killed",
        "The program made a system call that its filter answers with `kill`, or one for another architecture than the \
         filter is for, and the kernel ended it with SIGSYS (status 159).\n\n\
         Only the kernel's log has the call: `dmesg` or `journalctl -k` shows `type=1326 … comm=\"NAME\" … syscall=NUMBER`. nsl looks there \
         itself and names the call, where the caller may read that log (CAP_SYSLOG, where kernel.dmesg_restrict is set), where \
         auditd(8) does not take the record away, and where the call was the program's own and not that of a process that it \
         started. If the program may make it, `allow` it; if it may not, but could live without it, answer it with `deny NAME = errno(EPERM)`.",
    ),
    warning(
        "names-refused",
        "a program that asked for names which no rule lets out",
        "With names in the firewall (`allow out \"api.example.org\" 443/tcp`) the sandbox's resolver answers the names of rules, and no others: to the program the rest does not \
         exist. Nor does it name addresses that are not of the internet, unless `private = […]` has their network: whoever has a name could lead the program to a \
         neighbour of the host's.\n\n\
         The first five names are told here; `refused_names` of the report (`--report FILE`) has up to 64 of them, how often each was asked for, and how many questions there were in all. \
         A name that a program's library has made of an allowed one and a `search` domain is not counted.",
    ),
    warning(
        "cgroup-left",
        "a cgroup that could not be removed",
        "When a run is over, the cgroups that were made for it are removed. The kernel refuses that while a process is in one of them. `cgroup.procs` in \
         the directory has the process's id; when the process has ended, `rmdir` removes the cgroup.",
    ),
];
