//! Descriptors and the terminal.

use super::read::*;
use super::*;

impl Lower<'_, '_> {
    pub(super) fn stdio(&mut self) -> Stdio {
        let passed = |found: &Candidate| {
            let name = found.payload.labels.first().and_then(text)?;
            let number = found.payload.value.as_deref().and_then(count)? as u32;
            Some(Traced {
                value: PassedFd { name, number },
                origin: found.origin.clone(),
                strength: found.payload.strength,
            })
        };
        Stdio {
            stdin: self.setting("stdin", stream),
            stdout: self.setting("stdout", stream),
            stderr: self.setting("stderr", stream),
            tty: self.setting("tty", |val| text(val).map(|it| it == "new")),
            listen_fds: self.setting("listen-fds", boolean),
            fds: self.entries("fd").iter().filter_map(passed).collect(),
        }
    }
}

fn stream(val: &Val) -> Option<Stream> {
    let Value::Variant(name, args) = &val.value else { return None };
    Some(match name.as_str() {
        "inherit" => Stream::Inherit,
        "null" => Stream::Null,
        "stdout" => Stream::Stdout,
        _ => Stream::File { path: text(argument(args, "path")?)?, append: argument(args, "append").is_some() },
    })
}
