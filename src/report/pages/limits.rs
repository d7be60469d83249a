//! Pages: limits and shares.

use super::{Page, advice, error, warning};

pub(super) const PAGES: &[Page] = &[
    error(
        "bad-number-list",
        "a list of CPUs or memory nodes that is none",
        "`cpuset.cpus`, `cpuset.mems` and `cpu-affinity` take what the kernel's files have: numbers and ranges with commas, as in `\"0-3,8\"`, or a list of numbers. An empty list is none: cpuset(7).",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    cpuset.cpus = \"3-1\"\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    cpuset.cpus = \"1-3\"\n  }\n}\n",
    ),
    warning(
        "memory-high-above-max",
        "a limit that is never reached",
        "Above `memory.high` the kernel slows the sandbox down and takes memory back; above `memory.max` it kills. A high at or above the max does nothing.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    memory.max = 64MiB\n    memory.swap.max = 0B\n    memory.high = 64MiB\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    memory.max = 64MiB\n    memory.swap.max = 0B\n    memory.high = 48MiB\n  }\n}\n",
    ),
    warning(
        "memory-kept-above-max",
        "more memory is kept than can be used",
        "`memory.low` and `memory.min` keep memory from being taken by others. More than the sandbox may have cannot be kept for it.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    memory.max = 64MiB\n    memory.swap.max = 0B\n    memory.low = 128MiB\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    memory.max = 64MiB\n    memory.swap.max = 0B\n    memory.low = 32MiB\n  }\n}\n",
    ),
    advice(
        "oom-group-alone",
        "a sandbox that dies as one, and has no limit to die of",
        "`memory.oom.group` says what dies when the kernel has to kill for want of memory: all of the sandbox, or its largest process. Without `memory.max` that is only where the whole host has none left.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    memory.oom.group = true\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    memory.max = 64MiB\n    memory.swap.max = 0B\n    memory.oom.group = true\n  }\n}\n",
    ),
    error(
        "cpu-period",
        "a period that the kernel does not take",
        "`cpu.max` is a quota in each period: 50% of 100 ms are 50 ms, after which the sandbox waits for the next period. Periods are from 1 ms to 1 s.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    cpu.max = quota(50%, period: 2s)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    cpu.max = quota(50%, period: 20ms)\n  }\n}\n",
    ),
    advice(
        "cpu-quota-above-cpus",
        "more CPU time than the CPUs have",
        "Each CPU has 100%. A `cpu.max` above what the CPUs of `cpuset.cpus` have together limits nothing.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    cpu.max = 300%\n    cpuset.cpus = \"0-1\"\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    cpu.max = 150%\n    cpuset.cpus = \"0-1\"\n  }\n}\n",
    ),
    error(
        "io-max-empty",
        "a disk that is limited to nothing, or in nothing",
        "`io.max` takes bytes (`rbps`, `wbps`) and operations (`riops`, `wiops`) in a second, at least one of them, and none is 0.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    io.max /dev/vda = rates()\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    io.max /dev/vda = rates(wbps: 10MiB)\n  }\n}\n",
    ),
    error(
        "hugetlb-page",
        "a size that no huge page has",
        "`hugetlb.max SIZE` names the size of the pages, a power of two: /sys/kernel/mm/hugepages has a directory for each that the kernel knows, 2 MiB and 1 GiB on x86_64.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    hugetlb.max 3MiB = 6MiB\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    hugetlb.max 2MiB = 6MiB\n  }\n}\n",
    ),
    warning(
        "hugetlb-part",
        "a limit that is not in whole pages",
        "The kernel counts huge pages, and rounds a limit down to whole ones.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    hugetlb.max 2MiB = 3MiB\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    hugetlb.max 2MiB = 4MiB\n  }\n}\n",
    ),
];
