//! The command as it is typed: what it prints, and how it ends.

mod checking;
mod choice;
mod completing;
mod expanding;
mod formatting;
mod inputs;
mod man;
mod pages;
mod usage;
mod why;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a command may take that starts no sandbox.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a command did.
#[derive(Debug)]
struct Output {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Output {
    /// Ended with this status, and this is somewhere in stderr.
    fn refuses(&self, code: i32, text: &str) {
        assert!(self.code == code && self.stderr.contains(text), "expected {code} and {text:?}: {self:#?}");
        assert_eq!(self.stdout, "", "{self:#?}");
    }
}

/// The command, in an environment that nobody's terminal has a say in.
fn nsl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nsl"));
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8").env("COLUMNS", "100");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
fn run(args: &[&str]) -> Output {
    finish(nsl(args))
}

/// The same with a text on stdin.
fn run_with(args: &[&str], stdin: &[u8]) -> Output {
    let mut command = nsl(args);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("nsl can be started");
    // Who has read enough closes the pipe.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    wait(child)
}

fn finish(mut command: Command) -> Output {
    wait(command.spawn().expect("nsl can be started"))
}

/// Waits, but not for ever: a command that hangs is a failure of its own.
fn wait(mut child: Child) -> Output {
    fn collect(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stream.expect("piped").read_to_end(&mut bytes).expect("a pipe can be read");
            String::from_utf8(bytes).expect("nsl speaks UTF-8")
        })
    }
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("nsl did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Output {
        code: status.code().unwrap_or(-1),
        stdout: stdout.join().expect("the thread ends"),
        stderr: stderr.join().expect("the thread ends"),
    }
}

/// A folder with files in it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("our own folder");
        std::fs::write(path, text).expect("our own folder");
    }
    dir
}

fn text(path: &Path) -> &str {
    path.to_str().expect("our own names are UTF-8")
}
