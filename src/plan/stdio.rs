//! Descriptors, the terminal, and whom the sandbox ends with.

use super::build::{Builder, Options};
use super::{Action, FdSource, OpenStream, Stage, StdStream};
use crate::policy::{Stream, Strength, Traced};
use crate::report::Diagnostic;

/// What is opened on the host, before anything else exists.
pub(super) fn open(builder: &mut Builder, options: &Options) {
    let sandbox = builder.sandbox;
    for (stream, stated) in streams(builder) {
        if let Some(stated) = stated
            && matches!(stated.value, Stream::Null | Stream::File { .. })
        {
            let action = Action::OpenStream(OpenStream { stream, to: stated.value.clone() });
            builder.step_of(Stage::Prepare, action, stated);
        }
    }
    if let Some(tty) = sandbox.stdio.tty.as_ref().filter(|it| it.value) {
        builder.step_of(Stage::Prepare, Action::CallerTerminal, tty);
    }
    if let Some(parent) = sandbox.stop.with_parent.as_ref().filter(|it| it.value) {
        builder.step_of(Stage::Prepare, Action::WatchParent, parent);
    }
    for fd in sandbox.stdio.fds.iter().filter(|it| !options.fds.contains(&it.value.name)) {
        let name = &fd.value.name;
        if fd.strength == Strength::Prefer {
            builder.degrade(fd, format!("nobody handed it over with `--fd {name}=N`"));
            continue;
        }
        builder.errors.push(
            Diagnostic::error("fd-missing", format!("nobody hands over the descriptor `{name}`"))
                .label(fd.span(), "the program is to have it")
                .help(format!(
                    "run it with `--fd {name}=N`, where N is open already; or write `prefer` to go on without"
                )),
        );
    }
    for name in options.fds.iter().filter(|name| !sandbox.stdio.fds.iter().any(|it| it.value.name == **name)) {
        builder.errors.push(
            Diagnostic::error("fd-unknown", format!("the sandbox takes no descriptor `{name}`"))
                .label(builder.span(), format!("no `fd {name} = …` in this sandbox"))
                .help(format!("write `fd {name} = 3` in the sandbox, or do not hand it over")),
        );
    }
}

fn streams<'a>(builder: &Builder<'a>) -> [(StdStream, Option<&'a Traced<Stream>>); 3] {
    let stdio = &builder.sandbox.stdio;
    let [stdin, stdout, stderr] = StdStream::ALL;
    [(stdin, stdio.stdin.as_ref()), (stdout, stdio.stdout.as_ref()), (stderr, stdio.stderr.as_ref())]
}

/// What the program finds at its numbers; those from 3 on are the result.
pub(super) fn set(builder: &mut Builder, options: &Options) -> Vec<u32> {
    let sandbox = builder.sandbox;
    if let Some(tty) = sandbox.stdio.tty.as_ref().filter(|it| it.value) {
        builder.step_of(Stage::Program, Action::NewTerminal, tty);
    }
    for (stream, stated) in streams(builder) {
        let Some(stated) = stated else { continue };
        let from = match stated.value {
            Stream::Inherit => continue,
            Stream::Stdout => FdSource::Copy(StdStream::Stdout.number()),
            Stream::Null | Stream::File { .. } => FdSource::Opened(stream),
        };
        builder.step_of(Stage::Program, Action::SetFd { number: stream.number(), from }, stated);
    }
    let mut kept = Vec::new();
    for fd in sandbox.stdio.fds.iter().filter(|it| options.fds.contains(&it.value.name)) {
        let (number, from) = (fd.value.number, FdSource::Named(fd.value.name.clone()));
        builder.step(Stage::Program, Action::SetFd { number, from }, &fd.origin);
        kept.push(number);
    }
    kept.sort_unstable();
    listen_fds(builder, options, kept.len());
    kept
}

/// sd_listen_fds(3): the descriptors are those from 3 on, and so one that is not handed over may only be missing at the end.
fn listen_fds(builder: &mut Builder, options: &Options, count: usize) {
    let stdio = &builder.sandbox.stdio;
    let Some(told) = stdio.listen_fds.as_ref().filter(|it| it.value && count > 0) else { return };
    let mut fds: Vec<_> = stdio.fds.iter().collect();
    fds.sort_by_key(|it| it.value.number);
    if let Some(missing) = fds[..count].iter().find(|it| !options.fds.contains(&it.value.name)) {
        let (name, number) = (&missing.value.name, missing.value.number);
        let finding = Diagnostic::error("fd-missing", format!("nobody hands over the descriptor `{name}`"))
            .label(missing.span(), format!("the program is to find others after {number}"))
            .label(told.span(), "it counts them from 3 on, without a gap")
            .help(format!("run it with `--fd {name}=N` too, or give `{name}` the highest number"));
        return builder.errors.push(finding);
    }
    let names = fds[..count].iter().map(|it| it.value.name.clone()).collect();
    builder.step_of(Stage::Program, Action::ListenFds { names }, told);
}
