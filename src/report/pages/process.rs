//! Pages: how a process is scheduled, and what it inherits.

use super::{Page, error, warning};

pub(super) const PAGES: &[Page] = &[
    error(
        "umask-bits",
        "a umask of more than permission bits",
        "umask(2) has nine bits: reading, writing and executing for the owner, the group and others. The bits for set-user-id, set-group-id and sticky are not looked at.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  umask = 0o7022\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  umask = 0o022\n}\n",
    ),
    warning(
        "umask-open",
        "files that everybody can write to",
        "A umask names the bits that new files do not get. Without 0o002 in it every file that the program makes with the usual mode can be changed by every user who reaches it.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  umask = 0o000\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  umask = 0o027\n}\n",
    ),
    error(
        "timer-slack-zero",
        "a timer slack of zero",
        "prctl(2) takes 0 for \"what the process was born with\". The least slack is one nanosecond; 50 µs is what processes have that nobody has given another one.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  timer-slack = 0s\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  timer-slack = 1ms\n}\n",
    ),
    error(
        "personality-empty",
        "a personality without a word",
        "`personality` lists what is to be otherwise than usual. An empty list would clear what the caller has, which nobody sees in the text.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  personality = []\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  personality = [addr-no-randomize]\n}\n",
    ),
    warning(
        "scheduling-ignores",
        "an attribute that the scheduling policy does not look at",
        "Processes of real time (`fifo`, `rr`) run before all others whatever their nice value, and their timers have no slack. `idle` is less than any nice value. sched(7).",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  scheduling = idle\n  nice = 10\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  scheduling = batch\n  nice = 10\n}\n",
    ),
    error(
        "affinity-outside",
        "a CPU that the sandbox may not run on",
        "`cpuset.cpus` is the set of CPUs that nothing in the sandbox leaves; `cpu-affinity` is where it begins, within that set. A CPU outside of it would be left out without a word: sched_setaffinity(2).",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cpu-affinity = \"2\"\n  cgroup new {\n    cpuset.cpus = \"0-1\"\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cpu-affinity = \"1\"\n  cgroup new {\n    cpuset.cpus = \"0-1\"\n  }\n}\n",
    ),
    error(
        "nice-not-permitted",
        "a nice value that the caller may not give",
        "Everybody may raise the nice value of the own processes. Lowering it takes CAP_SYS_NICE in the host's user namespace, or a soft RLIMIT_NICE of 20 minus the value: setpriority(2). A sandbox that root starts gets it, and loses the right to it then.",
        "",
        "",
    ),
    error(
        "scheduling-not-permitted",
        "a scheduling policy that the caller may not give",
        "A process of real time is never interrupted for another one, so `fifo` and `rr` take CAP_SYS_NICE in the host's user namespace, or a soft RLIMIT_RTPRIO of at least the priority: sched(7).",
        "",
        "",
    ),
    error(
        "scheduling-without-runtime",
        "a policy of real time in a cgroup that has none",
        "A kernel with CONFIG_RT_GROUP_SCHED gives real time to cgroups of version 1: a new one has none (cpu.rt_runtime_us is 0), and the kernel answers EPERM to a process in it that asks for `fifo` or `rr`. Limits on CPU time make such a cgroup.",
        "",
        "",
    ),
    error(
        "ionice-not-permitted",
        "an I/O class that the caller may not give",
        "The class `realtime` is served before all others and can starve them: it takes CAP_SYS_NICE in the host's user namespace. ioprio_set(2).",
        "",
        "",
    ),
    error(
        "oom-score-not-permitted",
        "an OOM score that the caller may not give",
        "Everybody may let the own processes be killed earlier for want of memory. Making one safer than the caller is takes CAP_SYS_RESOURCE in the host's user namespace: proc_pid_oom_score_adj(5). How far down one may go is not to be read anywhere; where the checker cannot know it, the run says so.",
        "",
        "",
    ),
    error(
        "cpu-missing",
        "a CPU that the host does not have for the caller",
        "A CPU is there for the caller if it is online (/sys/devices/system/cpu/online) and in the cpuset of the caller's cgroup (`cpuset.cpus.effective`, in v1 `cpuset.effective_cpus`). The kernel would leave out the others without a word, so nsl does not begin.",
        "",
        "",
    ),
    error(
        "core-scheduling-missing",
        "a host without core scheduling",
        "`core-scheduling = own` keeps processes of others off the hardware threads of a core while the sandbox runs on it, against attacks through what they share (L1TF, MDS). It takes Linux 5.14 with CONFIG_SCHED_CORE, and cores with more than one thread. Where they have one, there is nobody to keep off.",
        "",
        "",
    ),
    error(
        "attribute-failed",
        "an attribute of the process was refused",
        "The nice value, I/O priority, policy, CPUs, cores and OOM score are set by nsl while the child waits, in its cgroups already; timer slack, personality and umask by the process that becomes the program. What was set is read back: what the kernel took in part is a failure.",
        "",
        "",
    ),
];
