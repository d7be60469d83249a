//! Descriptors and the terminal.

use super::tree::{Place, place};
use crate::policy::{Access, EntryKind, MountSource, NsKind, Sandbox, Stream, Traced};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    terminal(sandbox, out);
    outputs(sandbox, out);
    numbers(sandbox, out);
    listen_fds(sandbox, out);
}

fn terminal(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let stdio = &sandbox.stdio;
    let Some(tty) = stdio.tty.as_ref().filter(|it| it.value) else { return };
    let own = |path: &str, is: fn(&MountSource) -> bool| {
        sandbox.mnt.entries.iter().any(|entry| {
            entry.value.path == path && matches!(&entry.value.kind, EntryKind::Mount(source) if is(source))
        })
    };
    let has_devpts = own("/dev", |it| *it == MountSource::Dev)
        || own("/dev/pts", |it| *it == MountSource::Devpts)
        // Of the host's devices a bind brings those that it does not refuse.
        || matches!(place(sandbox, "/dev/ptmx"), Place::Host { .. }) && has_devices(sandbox);
    if sandbox.is_new(NsKind::Mnt) && !has_devpts {
        out.push(
            Diagnostic::error("tty-without-devpts", "there are no terminals in this sandbox")
                .label(tty.span(), "one of its own is asked for")
                .help("write `mount /dev = dev` in `mnt`, or `mount /dev/pts = devpts` with a link at /dev/ptmx"),
        );
    }
    let streams = [&stdio.stdin, &stdio.stdout, &stdio.stderr];
    let redirected = streams.map(|it| it.as_ref().filter(|it| it.value != Stream::Inherit));
    if let [Some(stdin), Some(stdout), Some(stderr)] = redirected {
        out.push(
            Diagnostic::warning("tty-unused", "the program has a terminal, and none of its streams is on it")
                .label(tty.span(), "only /dev/tty leads to it")
                .label(stdin.span(), "elsewhere")
                .label(stdout.span(), "elsewhere")
                .label(stderr.span(), "elsewhere")
                .help("delete `tty = new`, or leave it one of the streams"),
        );
    }
}

fn has_devices(sandbox: &Sandbox) -> bool {
    sandbox.mnt.entries.iter().any(|entry| match &entry.value.kind {
        EntryKind::Mount(MountSource::Bind { flags, .. }) => !flags.nodev && "/dev/ptmx".starts_with(&entry.value.path),
        _ => false,
    })
}

type Output<'s> = (&'s Traced<Stream>, &'s str, bool);

fn file(stated: Option<&Traced<Stream>>) -> Option<Output<'_>> {
    let stated = stated?;
    match &stated.value {
        Stream::File { path, append } => Some((stated, path, *append)),
        _ => None,
    }
}

fn outputs(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let stdio = &sandbox.stdio;
    let (stdout, stderr) = (file(stdio.stdout.as_ref()), file(stdio.stderr.as_ref()));
    if let (Some((first, path, a)), Some((second, other, b))) = (stdout, stderr)
        && path == other
        && !(a && b)
    {
        out.push(
            Diagnostic::error(
                "output-overwritten",
                format!("both streams go to {path}, each over what the other wrote"),
            )
            .label(second.span(), "opened once more, with a place of its own")
            .label(first.span(), "opened here")
            .help("write `stderr = stdout`, or `append` for both"),
        );
    }
    for (stated, path, _) in [stdout, stderr].into_iter().flatten() {
        let writable = sandbox.mnt.entries.iter().find(|entry| match &entry.value.kind {
            EntryKind::Mount(MountSource::Bind { source, access: Access::Rw, .. }) => {
                path.strip_prefix(source.as_str()).is_some_and(|rest| rest.starts_with('/'))
            }
            _ => false,
        });
        if let Some(entry) = writable {
            out.push(
                Diagnostic::warning("output-writable", "the program can change or remove what it has written there")
                    .label(stated.span(), "nsl opens this file, on the host")
                    .label(entry.span(), "the program may write to its directory")
                    .help("put the file outside of what the program may write to"),
            );
        }
    }
}

/// Two descriptors at one number: the second would close the first.
fn numbers(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let fds = &sandbox.stdio.fds;
    for (index, fd) in fds.iter().enumerate() {
        if let Some(first) = fds[..index].iter().find(|it| it.value.number == fd.value.number) {
            let number = fd.value.number;
            out.push(
                Diagnostic::error("fd-twice", format!("two descriptors are to have the number {number}"))
                    .label(fd.span(), format!("`{}`", fd.value.name))
                    .label(first.span(), format!("`{}`", first.value.name))
                    .help("give each a number of its own"),
            );
        }
    }
}

/// sd_listen_fds(3): LISTEN_FDS is how many there are, from 3 on.
fn listen_fds(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(told) = sandbox.stdio.listen_fds.as_ref().filter(|it| it.value) else { return };
    if sandbox.stdio.fds.is_empty() {
        out.push(
            Diagnostic::error("listen-fds-none", "there is no descriptor of which the program could be told")
                .label(told.span(), "no `fd NAME = …` in this sandbox")
                .help("write `fd listener = 3`, or delete the line"),
        );
    }
    let mut fds: Vec<_> = sandbox.stdio.fds.iter().collect();
    fds.sort_by_key(|it| it.value.number);
    fds.dedup_by_key(|it| it.value.number);
    if let Some((fd, number)) = fds.into_iter().zip(3..).find(|(fd, number)| fd.value.number != *number) {
        out.push(
            Diagnostic::error(
                "listen-fds-gap",
                format!("the program would take what it has at {number} for `{}`", fd.value.name),
            )
            .label(fd.span(), format!("there is none at {number}"))
            .label(told.span(), "it counts them from 3 on, without a gap")
            .help(format!("write `fd {} = {number}`", fd.value.name)),
        );
    }
    let ours = |name: &str| matches!(name, "LISTEN_FDS" | "LISTEN_FDNAMES" | "LISTEN_PID");
    if let Some(variable) = sandbox.env.iter().find(|it| ours(&it.value.name)) {
        out.push(
            Diagnostic::error(
                "listen-fds-twice",
                format!("`{}` would be in the environment twice", variable.value.name),
            )
            .label(variable.span(), "set here")
            .label(told.span(), "and by this")
            .help("delete one of the two"),
        );
    }
}
