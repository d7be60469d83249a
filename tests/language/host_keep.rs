//! Cases of the checker about files that keep namespaces.

use nsl::host::{HostFacts, PathFact, PathKind};
use nsl::policy::NsKind;

use super::host::{Case, path, with_path};
use crate::plan::root_on_v1;

const NET: &str = "user new\n  net new {\n    keep /run/netns/a\n  }";
const MNT: &str = "user new\n  mnt new {\n    mount /bin = bind(ro)\n    keep /run/ns/a\n  }";

fn user() -> HostFacts {
    crate::plan::user_on_v2()
}

fn directory(at: &str, change: impl FnOnce(&mut PathFact)) -> HostFacts {
    let mut fact = path(PathKind::Dir);
    change(&mut fact);
    with_path(at, fact)
}

pub(super) const CASES: &[Case] = &[
    Case { code: "-", name: "keep-as-root", body: NET, host: || directory("/run/netns", |_| ()) },
    Case { code: "keep-not-permitted", name: "user", body: NET, host: user },
    Case {
        code: "-",
        name: "keep-preferred",
        body: "user new\n  net new {\n    prefer keep /run/netns/a\n  }",
        host: user,
    },
    Case {
        code: "keep-exists",
        name: "a-pin",
        body: NET,
        host: || with_path("/run/netns/a", PathFact { namespace: Some(NsKind::Net), ..path(PathKind::File) }),
    },
    Case { code: "keep-exists", name: "a-file", body: NET, host: || with_path("/run/netns/a", path(PathKind::File)) },
    Case {
        code: "keep-no-directory",
        name: "missing",
        body: "user new\n  net new {\n    keep /run/nowhere/a\n  }",
        host: || with_path("/run/nowhere", path(PathKind::Missing)),
    },
    Case {
        code: "keep-no-directory",
        name: "read-only",
        body: NET,
        host: || directory("/run/netns", |it| it.mount_flags = vec!["ro".into()]),
    },
    Case {
        code: "keep-no-directory",
        name: "a-file",
        body: NET,
        host: || with_path("/run/netns", path(PathKind::File)),
    },
    Case {
        code: "keep-exposed",
        name: "a-link",
        body: "user new\n  net new {\n    keep /run/ns/a\n  }\n  mnt new {\n    mount /bin = bind(ro)\n    mount /data = bind(/srv/data, rw)\n  }",
        host: || directory("/run/ns", |it| it.real = "/srv/data/ns".into()),
    },
    Case {
        code: "keep-shared",
        name: "systemd",
        body: MNT,
        host: || directory("/run/ns", |it| it.propagation = "shared".into()),
    },
    Case {
        code: "-",
        name: "keep-mnt",
        body: MNT,
        host: || directory("/run/ns", |it| it.propagation = "private".into()),
    },
    Case {
        code: "-",
        name: "keep-others-on-shared",
        body: NET,
        host: || directory("/run/netns", |it| it.propagation = "shared".into()),
    },
];

#[test]
fn facts_of_root_say_that_it_may_mount() {
    assert_eq!((root_on_v1().mount_admin, user().mount_admin), (Some(true), Some(false)));
}
