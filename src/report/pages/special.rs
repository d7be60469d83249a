//! Pages: secrets, devices, owners that are mapped, sockets.

use super::{Page, Severity, advice, error, warning};

const fn of_host(code: &'static str, severity: Severity, title: &'static str, text: &'static str) -> Page {
    Page { code, severity, title, text, wrong: "", right: "" }
}

pub(super) const PAGES: &[Page] = &[
    error(
        "propagation-shared",
        "a mount that is to lead out of a user namespace",
        "Between a user namespace and a less privileged one mounts go one way: a mount namespace of the sandbox's own user namespace has slaves of what the host shares, and no peers. mount_namespaces(7).",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /media = bind(propagation: shared)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /media = bind\n  }\n}\n",
    ),
    error(
        "propagation-below",
        "something below a bind that the host can mount over",
        "With `propagation: slave` or `shared` the host may mount a file system over any directory below the bind while the sandbox runs, and what a policy has put or hidden there would be covered, or be seen again. With `shared` the sandbox's own mounts below it would appear on the host.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /media = bind(propagation: slave)\n    hide /media/keys\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /media = bind\n    hide /media/keys\n  }\n}\n",
    ),
    advice(
        "propagation-as-mounted",
        "later mounts have the flags of the host",
        "The flags of a bind are those of the mounts that are there when the sandbox is built. What the host mounts below later comes along with the flags that it was mounted with there: read-only, without set-user-id bits and devices only if the host has mounted it so.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /media = bind(propagation: slave)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /media = bind\n  }\n}\n",
    ),
    error(
        "propagation-private",
        "a source that has nothing to pass on",
        "Only a mount that is shared on the host passes on what is mounted below it: `mount --make-shared`, or systemd, which makes all of the host's mounts shared. A copy of a private mount is private, whatever the policy asks for, so the run does not begin.",
        "",
        "",
    ),
    error(
        "secret-source",
        "a secret without a source, or with one that is none",
        "`secret(FILE)` reads a regular file of the host, with the caller's rights; `secret(fd: 3)` a descriptor that nsl was started with, such as `nsl run app.nsl 3<token` or the end of a pipe. Its content, 1 MiB at the most, becomes a file of mode 0400 that belongs to the program, in memory that is never swapped out. It never is an argument, a variable, part of a plan, or written anywhere.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /etc/app/token = secret\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /etc/app/token = secret(./token)\n  }\n}\n",
    ),
    warning(
        "secret-in-text",
        "a variable that looks like a secret has its value in the policy",
        "Policies are reviewed, shared and kept for ever. And a variable is handed to every program that is started, shown in /proc/PID/environ to every process of the same user, and printed by many programs when they fail.\n\nMost programs take the path of a file instead (`DATABASE_PASSWORD_FILE`); `inherit` at least keeps the value out of the text.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  env API_TOKEN = \"f00f\"\n  user new\n  mnt new {\n    root = host(ro)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  env API_TOKEN_FILE = \"/etc/app/token\"\n  user new\n  mnt new {\n    root = host(ro)\n    mount /etc/app/token = secret(./token)\n  }\n}\n",
    ),
    of_host(
        "secret-exposed",
        Severity::Warning,
        "the file of a secret can be read by everybody",
        "Inside, the program alone can read it. Outside, every user of the host can, and so can every sandbox that sees the file.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /etc/token = secret(/srv/token)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /etc/token = secret(/etc/web/token)\n  }\n}\n",
    ),
    of_host(
        "secret-not-passed",
        Severity::Error,
        "the descriptor of a secret was not passed",
        "`secret(fd: N)` reads what nsl finds on descriptor N when it is started: a shell passes one with `N<FILE`, and systemd with `OpenFile=` or a socket. Descriptors that a parent has marked to be closed by execve(2) do not arrive.",
    ),
    warning(
        "device-raw",
        "a device behind which is the whole machine",
        "Memory (/dev/mem), disks and partitions, and input devices know neither files nor users: who can open one reads or changes everything that is on it, and types into every terminal. Permissions of the node still hold.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /dev = dev\n    mount /dev/sda = device\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /dev = dev\n    mount /dev/fuse = device\n  }\n}\n",
    ),
    of_host(
        "device-no-device",
        Severity::Error,
        "a device that is none",
        "`device` mounts one device node of the host, and refuses anything else that stands at its path.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /dev/fuse = device(/srv/fuse)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /dev/fuse = device\n  }\n}\n",
    ),
    of_host(
        "device-not-permitted",
        Severity::Warning,
        "a device that the program cannot open",
        "Mounting a device node does not change its permissions. Devices often belong to root and to a group (/dev/kvm: kvm, /dev/dri: render), and the program is in the caller's groups only where they are kept.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /dev/kvm = device\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind\n    mount /dev = dev\n  }\n}\n",
    ),
    error(
        "idmap-without-user",
        "owners are to be mapped, and there is no map",
        "`idmap` shows files as if the numbers of their owners on the disk were ids inside (mount_setattr(2), MOUNT_ATTR_IDMAP): what belongs to 0 on the disk belongs to the sandbox's 0, whoever that is outside, and what the sandbox's 0 makes belongs to 0 on the disk. That goes by the map of a user namespace of the sandbox's own.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user host\n  mnt new {\n    root = dir(./image, rw, idmap)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new {\n    map uid 0 = subid(count: 65536)\n    map gid 0 = subid(count: 65536)\n  }\n  mnt new {\n    root = dir(./image, rw, idmap)\n  }\n}\n",
    ),
    of_host(
        "idmap-needs-root",
        Severity::Error,
        "only root can have owners mapped",
        "The kernel lets a mount show other owners only for who has CAP_SYS_ADMIN in the user namespace that the file system was mounted in: root of the host, for every disk. Otherwise files of root could be given to oneself.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = dir(/image, idmap)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = dir(/image)\n  }\n}\n",
    ),
    of_host(
        "idmap-failed",
        Severity::Error,
        "the owners of a source cannot be mapped",
        "Each file system has to support it: ext4, xfs and fat do since Linux 5.12, btrfs since 5.15, overlayfs since 5.19, squashfs since 6.2, tmpfs since 6.3; procfs, sysfs and most network file systems do not. It holds for a whole tree or not at all, with what is mounted below.",
    ),
    error(
        "image-digest",
        "the digest of an image is none",
        "A digest makes a name mean one image for ever: `sha256:` and 64 hexadecimal digits. For an OCI image it is the digest of its manifest, as `skopeo inspect` and registries show it; for what `docker save` wrote without an index, the image's id; for a file system in a file, the SHA-256 of the file.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = image(./app.tar, digest: \"latest\")\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = image(./app.tar, digest: \"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\")\n  }\n}\n",
    ),
    of_host(
        "image-failed",
        Severity::Error,
        "an image cannot be opened, or is not what it says",
        "An image is a directory with an OCI image layout (`skopeo copy docker://NAME oci:DIR`), an archive of one or of `docker save` (`podman save`), or, for root, a squashfs or erofs file. Layers may be compressed with gzip or zstd; their digests and those of all descriptions are checked before the program starts, and a layer that names paths outside of the image is refused.\n\nLayers are unpacked into memory, 1GiB where `size` says nothing else, at every start, and are gone with the run: nothing is kept on the host. What counts as memory of a tmpfs counts for `memory.max` too. A large image starts faster as erofs.",
    ),
    of_host(
        "host-sockets",
        Severity::Warning,
        "services of the host can be talked to, through a read-only tree",
        "A socket in the file system is connected to, not written: that its mount is read-only does not matter, and neither does a network namespace. Who may write to the socket of a container engine or of the system's message bus has things done with the rights of root.\n\n`root = host(ro)` brings all of them; `hide /run` takes them away. The permissions of the sockets were looked at: the program may connect to those that are named.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  pid new\n  mnt new {\n    root = host(ro)\n    mount /proc = proc\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  pid new\n  mnt new {\n    root = host(ro)\n    mount /proc = proc\n    hide /run\n  }\n}\n",
    ),
];
