//! Pages: overlays.

use super::{Page, Severity, error};

const fn of_host(code: &'static str, severity: Severity, title: &'static str, text: &'static str) -> Page {
    Page { code, severity, title, text, wrong: "", right: "" }
}

pub(super) const PAGES: &[Page] = &[
    error(
        "overlay-changes",
        "nobody can tell where the changes of an overlay go",
        "`ephemeral` keeps changes in memory, of the size that `size` says, and they are gone with the run. `upper` keeps them in a directory of the host; the kernel prepares them in a second one, `work`, which has to be empty, on the same file system, and beside it. Without either the overlay is read-only.\n\nnsl makes none of the two: `mkdir -p state/upper state/work`.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /srv = overlay(lower: ./app, upper: ./state)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /srv = overlay(lower: ./app, upper: ./state/upper, work: ./state/work)\n  }\n}\n",
    ),
    error(
        "overlay-layers",
        "too few layers for an overlay, or too many",
        "An overlay lays directories over each other. One directory alone, without a place for changes, is a bind; the kernel refuses it as an overlay.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /srv = overlay(lower: ./app)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /srv = overlay(lower: ./app, ephemeral)\n  }\n}\n",
    ),
    error(
        "overlay-overlap",
        "a directory for changes that lies in a layer, or a layer twice",
        "What is written to a layer that is also below would change under the kernel's hands, and it says itself that the result is undefined. Directories that are written to lie outside of what they lie over.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /srv = overlay(lower: ./app, upper: ./app/upper, work: ./app/work)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /srv = overlay(lower: ./app, upper: ./state/upper, work: ./state/work)\n  }\n}\n",
    ),
    of_host(
        "layer-no-directory",
        Severity::Error,
        "a layer that is no directory",
        "Layers of an overlay are directories, `upper` and `work` too.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = overlay(ephemeral)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    mount /bin = bind(ro)\n  }\n}\n",
    ),
    of_host(
        "layer-with-mounts",
        Severity::Error,
        "a layer with mounts below it, in a user namespace",
        "A layer is one file system, without what is mounted below it. For a caller without CAP_SYS_ADMIN the kernel keeps a mount and those below it together (mount_namespaces(7)): taking the layer alone would show what the mounts cover. `/` and `/home` are often such directories; `findmnt --submounts PATH` lists them.\n\nName directories that nothing is mounted below, one overlay for each.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = overlay(lower: /, ephemeral)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = overlay(lower: /image, ephemeral)\n  }\n}\n",
    ),
    of_host(
        "layer-without-mounts",
        Severity::Advice,
        "what is mounted below a layer does not come along",
        "A layer is one file system. Where something is mounted below it on the host the sandbox sees the directory that it is mounted on, empty as a rule.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = overlay(lower: /, ephemeral)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = overlay(lower: /image, ephemeral)\n  }\n}\n",
    ),
    of_host(
        "overlay-partial",
        Severity::Warning,
        "an overlay that cannot do everything on this kernel",
        "An overlay marks a directory that hides another with an extended attribute. In a user namespace that is one of the user's, and a tmpfs knows those since Linux 6.6. Before that everything else works, and two things give EIO: removing a directory of a layer below after something in it was removed, and making a directory again that was removed.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = overlay(lower: /image, ephemeral)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = dir(/image)\n  }\n}\n",
    ),
    of_host(
        "overlay-in-use",
        Severity::Error,
        "another run changes the same directory",
        "What two overlays do that write to one `upper` at the same time is undefined. So a run locks it (flock(2)) for as long as it lasts, and a second one does not start.",
    ),
];
