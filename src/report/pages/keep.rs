//! Pages: namespaces that files keep, `keep PATH` and `nsl ns release`.

use super::{Page, Severity, error};

/// One that only a run or a command line gives.
const fn alone(code: &'static str, title: &'static str, text: &'static str) -> Page {
    Page { code, severity: Severity::Error, title, text, wrong: "", right: "" }
}

pub(super) const PAGES: &[Page] = &[
    error(
        "keep-pid",
        "a PID namespace that is to be kept",
        "A PID namespace is over when its first process has ended: the kernel kills what is left in it, and fork(2) in whoever enters it later \
         fails with ENOMEM (pid_namespaces(7)). A file could keep no more than a husk of it.\n\nWhile the sandbox runs, `pid join(sandbox: NAME)` \
         joins it, and `nsl exec NAME` runs a command behind the same walls.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  pid new {\n    keep /run/ns/pid\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  pid new\n}\n",
    ),
    error(
        "keep-not-own",
        "a namespace of somebody else that is to be kept",
        "`keep PATH` is for a namespace that the sandbox makes: `net new { keep /run/netns/web }`. The host's is there anyway. What is joined is \
         somebody else's, who may keep it. A container of a pod has the pod's, and the pod says where that is kept.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net host {\n    keep /run/netns/a\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/netns/a\n  }\n}\n",
    ),
    error(
        "keep-twice",
        "one file for two namespaces",
        "A file keeps one namespace. A second one would be mounted on the first and hide it: whoever joins the file gets the wrong one, or is refused \
         because its kind is another.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/ns/a\n  }\n  uts new {\n    keep /run/ns/a\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/ns/a.net\n  }\n  uts new {\n    keep /run/ns/a.uts\n  }\n}\n",
    ),
    error(
        "keep-exposed",
        "a file that keeps a namespace where the program may write",
        "The file lies in a directory of the host that the program of the sandbox may write to. The program cannot unmount what is mounted there outside, \
         but it can rename or remove the file under it, and lay a link to a namespace of its own choice in its place; whoever joins \
         the file later, perhaps root, joins that.\n\nName a file elsewhere, such as below /run/netns.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /srv/work/net\n  }\n  mnt new {\n    root = host(ro)\n    mount /work = bind(/srv/work, rw, noexec)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/netns/a\n  }\n  mnt new {\n    root = host(ro)\n    mount /work = bind(/srv/work, rw, noexec)\n  }\n}\n",
    ),
    error(
        "keep-restarts",
        "a container whose namespace is kept, and that is started again",
        "Each start of a container makes its own namespaces anew, and the file has one already then: the second start would fail. What \
         the pod makes is made once, and all starts of its containers share it.",
        "pod a {\n  user new\n  container b {\n    run = [\"/bin/true\"]\n    uts new {\n      keep /run/ns/b\n    }\n    restart = always\n  }\n}\n",
        "pod a {\n  user new\n  uts new {\n    keep /run/ns/b\n  }\n  container b {\n    run = [\"/bin/true\"]\n    restart = always\n  }\n}\n",
    ),
    error(
        "keep-not-permitted",
        "a caller who may not mount",
        "A file keeps a namespace by a mount, and mounting takes CAP_SYS_ADMIN in the user namespace that owns the mount namespace of the caller: mount(2), \
         namespaces(7). An ordinary user of the host does not have it.\n\nRun it as root; or in a mount namespace of your own, as in `unshare -Urm nsl \
         run …`: the file keeps the namespace there, for all that runs in it, and all goes with it. Often no file is needed: while the sandbox runs, \
         `join(sandbox: NAME)` joins it.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/netns/a\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new\n}\n",
    ),
    error(
        "keep-exists",
        "a file that exists already",
        "nsl makes the file itself, and makes sure that nobody else has: what is there already is never covered. If it keeps a namespace, from an \
         earlier run perhaps, `nsl ns release PATH` lets that go, or `join(path: PATH)` uses it.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/netns/a\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/netns/b\n  }\n}\n",
    ),
    error(
        "keep-no-directory",
        "no directory for the file",
        "The file that is to keep a namespace is made in a directory that exists and can be written to; nsl makes the file and no directory. \
         /run/netns is where ip-netns(8) has those of networks.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/nowhere/a\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    keep /run/a\n  }\n}\n",
    ),
    error(
        "keep-shared",
        "a mount namespace that is to be kept on a shared mount",
        "The kernel mounts a mount namespace on private mounts only (EINVAL otherwise): on a shared one the mount would spread into other mount \
         namespaces, perhaps into the very one, which would then keep itself. With systemd all mounts are shared at first: mount_namespaces(7).\n\nunshare(1) \
         has the same for `--mount=FILE`: bind a directory on itself and make that mount private.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind(ro)\n    keep /run/ns/a\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind(ro)\n  }\n}\n",
    ),
    alone(
        "keep-failed",
        "a namespace could not be pinned to its file",
        "`keep PATH` makes an empty file before anything else is there, and mounts the namespace on it when it is complete, before the program starts: the \
         kernel refused one of these, or the file was there already. The run ends and the file is removed, if nsl has made it; with `prefer keep …` the \
         run goes on without it.",
    ),
    alone(
        "no-pin",
        "a file that keeps no namespace",
        "`nsl ns release` takes a file that a namespace is mounted on: of `keep PATH`, of ip-netns(8), of unshare(1) `--net=FILE`. The path is none: it does not \
         exist, is an ordinary file or a link, or is seen from another mount namespace than the one in which it was mounted. `nsl ns` lists \
         those that can be seen from here (`pinned by`).",
    ),
    alone(
        "pin-on-another",
        "a file with several namespaces, one on the other",
        "Something was mounted on a file that kept a namespace already, and hides it. Which of the two is to go cannot be told from the path; `umount PATH` \
         takes away the last one. nsl itself never mounts on what exists.",
    ),
    alone(
        "pin-not-empty",
        "a file with something in it, below a namespace",
        "The namespace was mounted on a file that has content, or on something else than a file, so nsl has not made it, and removing it would lose what is in \
         it. Nothing was changed. `umount PATH` lets the namespace go and leaves the file.",
    ),
    alone(
        "pin-forbidden",
        "a namespace that the caller may not let go",
        "Unmounting takes CAP_SYS_ADMIN in the user namespace that owns the mount namespace, as mounting does. What was there when a less privileged mount \
         namespace was made is locked in it: it can be unmounted outside only (mount_namespaces(7)).",
    ),
    alone(
        "pin-file-left",
        "a namespace was let go, and its file is left",
        "The namespace is no longer mounted there; the empty file could not be removed, or something has been written to it meanwhile. It keeps nothing any more.",
    ),
];
