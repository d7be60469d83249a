//! One stage, one test: a folder of its own, a policy in it, and `nsl run` as one of two users.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, User, geteuid};

use super::leftovers;

/// Who calls `nsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The host's root.
    Root,
    /// `nsl-tester` where the tests run as root, and else whoever runs them.
    User,
}

/// Two tests for each function: as root and as a user.
macro_rules! both {
    ($($(#[$doc:meta])* fn $name:ident($who:ident) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn case($who: Who) $body

            #[test]
            fn as_root() {
                Who::Root.play(concat!(module_path!(), "::as_root"), case);
            }

            #[test]
            fn as_user() {
                Who::User.play(concat!(module_path!(), "::as_user"), case);
            }
        }
    )*};
}

/// Says that a test was not run, and why; fails where every test has to be run.
pub fn skip(test: &str, reason: &str) {
    let line = format!("SKIP {}: {reason}\n", test.trim_start_matches("all::"));
    // Not `eprintln!`, which the test harness swallows when the test passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(log) = std::env::var_os("NSL_SKIP_LOG") {
        let log = fs::OpenOptions::new().append(true).create(true).open(log);
        let _ = log.and_then(|mut it| it.write_all(line.as_bytes()));
    }
    assert!(std::env::var_os("NSL_REQUIRE_ALL").is_none(), "{line}");
}

/// Whether the tests run in the virtual machine of `tests/vm`.
pub fn in_vm() -> bool {
    std::env::var_os("NSL_IN_VM").is_some()
}

/// How long a run may take before it counts as hung. Software emulation is slow.
pub fn patience() -> Duration {
    Duration::from_secs(if in_vm() { 300 } else { 30 })
}

impl Who {
    /// Plays a test as this user, or skips it.
    pub fn play(self, test: &str, case: fn(Who)) {
        match self.ids() {
            Ok(_) => case(self),
            Err(reason) => skip(test, reason),
        }
    }

    /// The ids outside.
    pub fn ids(self) -> Result<(Uid, Gid), &'static str> {
        let own = (geteuid(), nix::unistd::getegid());
        match (self, own.0.is_root()) {
            (Who::Root, true) | (Who::User, false) => Ok(own),
            (Who::Root, false) => Err("needs root"),
            (Who::User, true) => match User::from_name("nsl-tester") {
                Ok(Some(user)) => Ok((user.uid, user.gid)),
                _ => Err("there is no user `nsl-tester`; tests/run makes it"),
            },
        }
    }

    /// The user id outside.
    pub fn uid(self) -> u32 {
        self.ids().expect("asked for by a test that plays").0.as_raw()
    }
}

/// The `nsl` that is tested.
pub fn binary() -> PathBuf {
    std::env::var_os("NSL_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_nsl")), PathBuf::from)
}

/// The root of the repository, where the examples are.
pub fn repository() -> PathBuf {
    std::env::var_os("NSL_REPOSITORY").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// A folder with a policy, and who runs it.
pub struct Stage {
    who: Who,
    dir: tempfile::TempDir,
    /// Statements of the sandbox's own, such as `run = […]`.
    top: Vec<String>,
    /// Mode and lines of each section.
    sections: BTreeMap<&'static str, (String, Vec<String>)>,
    /// The whole text, where a test has one of its own.
    text: Option<String>,
    options: Vec<String>,
    env: Vec<(String, String)>,
}

impl Stage {
    /// All eight namespaces new, the host's tree read-only, no limits, no filter.
    pub fn new(who: Who) -> Stage {
        let dir = tempfile::Builder::new().prefix("nsl-test-").tempdir_in("/tmp").expect("/tmp can be written");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
        let (uid, gid) = who.ids().expect("a stage is made by a test that plays");
        chown(dir.path(), Some(uid.as_raw()), Some(gid.as_raw())).expect("a folder can be given away");
        let stage =
            Stage { who, dir, top: vec![], sections: BTreeMap::new(), text: None, options: vec![], env: vec![] };
        let nsl = stage.path("nsl");
        fs::hard_link(binary(), &nsl).or_else(|_| fs::copy(binary(), &nsl).map(drop)).expect("nsl can be copied");
        stage
            .section("user", "new", &["map uid 1000 = unprivileged", "map gid 1000 = unprivileged", "as = 1000"])
            .section("pid", "new", &["init = true"])
            .section("net", "new", &[])
            .section("ipc", "new", &[])
            .section("uts", "new", &[])
            .section("cgroup", "new", &[])
            .section("time", "new", &[])
            .section("mnt", "new", &[])
            .line("mnt", "root = host(ro)")
            .line("mnt", "mount /proc = proc")
            .line("mnt", "mount /dev = dev")
            .line("mnt", "mount /tmp = tmpfs(size: 16MiB)")
    }

    /// A policy text of its own, verbatim.
    pub fn of(who: Who, text: &str) -> Stage {
        let mut stage = Stage::new(who);
        stage.text = Some(text.to_string());
        stage
    }

    /// The same stage with a text of its own.
    pub fn with_text(mut self, text: &str) -> Stage {
        self.text = Some(text.to_string());
        self
    }

    /// Replaces a whole section.
    pub fn section(mut self, name: &'static str, mode: &str, lines: &[&str]) -> Stage {
        self.sections.insert(name, (mode.to_string(), lines.iter().map(|it| it.to_string()).collect()));
        self
    }

    /// Takes a whole section out.
    pub fn drop_section(mut self, name: &str) -> Stage {
        self.sections.remove(name);
        self
    }

    /// Adds a line to a section, in the place of the one that has the same left side.
    pub fn line(mut self, name: &'static str, line: &str) -> Stage {
        let lines = &mut self.sections.entry(name).or_default().1;
        let head = |line: &str| line.split('=').next().unwrap_or_default().trim().to_string();
        lines.retain(|it| head(it) != head(line) || line.starts_with("allow") || line.starts_with("deny"));
        lines.push(line.to_string());
        self
    }

    /// Takes the lines that begin so out of a section.
    pub fn drop_line(mut self, name: &'static str, head: &str) -> Stage {
        self.sections.entry(name).or_default().1.retain(|it| !it.starts_with(head));
        self
    }

    /// A statement of the sandbox itself.
    pub fn top(mut self, line: &str) -> Stage {
        self.top.push(line.to_string());
        self
    }

    /// An option of `nsl run`, before the file.
    pub fn option(mut self, option: &str) -> Stage {
        self.options.push(option.to_string());
        self
    }

    /// A variable of the environment that `nsl` itself sees.
    pub fn env(mut self, name: &str, value: &str) -> Stage {
        self.env.push((name.to_string(), value.to_string()));
        self
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A folder in the folder that everybody may write to.
    pub fn folder(self, name: &str) -> Stage {
        fs::create_dir_all(self.path(name)).expect("our own folder");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o777)).expect("our own folder");
        self
    }

    /// A file in the folder that everybody may read.
    pub fn file(self, name: &str, mode: u32, text: impl AsRef<[u8]>) -> Stage {
        if let Some(parent) = self.path(name).parent() {
            fs::create_dir_all(parent).expect("our own folder");
        }
        fs::write(self.path(name), text).expect("our own folder");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("our own file");
        self
    }

    /// What the caller's folder is called, which every process of a run has in its command line or environment.
    pub fn token(&self) -> String {
        self.dir.path().file_name().expect("a folder has a name").to_string_lossy().into_owned()
    }

    /// The policy.
    pub fn text(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let mut text = format!("sandbox test {{\n  env NSL_TEST = \"{}\"\n", self.token());
        for line in &self.top {
            text.push_str(&format!("  {line}\n"));
        }
        for (name, (mode, lines)) in &self.sections {
            let head = format!("{name} {mode}");
            match lines.is_empty() {
                true => text.push_str(&format!("  {}\n", head.trim())),
                false => text.push_str(&format!("  {} {{\n    {}\n  }}\n", head.trim(), lines.join("\n    "))),
            }
        }
        text.push_str("}\n");
        text
    }

    /// `test.nsl:N` for the line of the policy with this text in it.
    pub fn place(&self, needle: &str) -> String {
        let text = self.text();
        let line = text.lines().position(|it| it.contains(needle));
        format!("test.nsl:{}", line.unwrap_or_else(|| panic!("no `{needle}` in\n{text}")) + 1)
    }

    /// `nsl run … test.nsl -- ARGS`, not yet started; the policy is written.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        self.command_through(&[], args)
    }

    /// The same, started by another program, such as `["unshare", "--user"]`.
    pub fn command_through<S: AsRef<OsStr>>(&self, through: &[&str], args: &[S]) -> Command {
        // Not once more while another run of this stage reads it.
        let (path, text) = (self.path("test.nsl"), self.text());
        if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            fs::write(path, text).expect("our own folder");
        }
        let nsl = self.path("nsl");
        let mut command = match through {
            [] => Command::new(nsl),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(nsl);
                command
            }
        };
        command.arg("run").args(&self.options).arg(self.path("test.nsl"));
        if !args.is_empty() {
            command.arg("--").args(args);
        }
        self.as_caller(&mut command);
        command
    }

    /// Any program, run by this stage's user from this stage's folder.
    pub fn as_caller(&self, command: &mut Command) {
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin").env("HOME", "/nonexistent");
        command.env("TERM", "dumb").env("NO_COLOR", "1").envs(self.env.iter().cloned());
        command.current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (uid, gid) = self.who.ids().expect("a test that plays");
        if self.who == Who::User && geteuid().is_root() {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
    }

    /// Runs a command in the sandbox to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Outcome {
        self.finish(self.command(args))
    }

    /// Runs a shell script in the sandbox to its end.
    pub fn sh(&self, script: &str) -> Outcome {
        self.run(&["/bin/sh", "-c", script])
    }

    /// Runs a Python program in the sandbox to its end.
    pub fn python(&self, program: &str) -> Outcome {
        self.run(&["/usr/bin/python3", "-I", "-S", "-c", program])
    }

    /// Waits for a command that was made by this stage, and looks for leftovers.
    pub fn finish(&self, mut command: Command) -> Outcome {
        let mut child = spawn(&mut command);
        let pid = child.id();
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let status = wait(&mut child, patience());
        let outcome = Outcome {
            status,
            stdout: stdout.recv_timeout(patience()).unwrap_or_default(),
            stderr: String::from_utf8_lossy(&stderr.recv_timeout(patience()).unwrap_or_default()).into_owned(),
            policy: self.text(),
        };
        let left = leftovers::of(&self.token(), pid);
        assert!(left.is_empty(), "left behind: {left:#?}\n{outcome:?}");
        outcome
    }

    /// Starts a command in the sandbox and does not wait.
    pub fn start<S: AsRef<OsStr>>(&self, args: &[S]) -> Running<'_> {
        self.start_command(self.command(args))
    }

    /// Starts a command that was made by this stage and does not wait.
    pub fn start_command(&self, mut command: Command) -> Running<'_> {
        let mut child = spawn(&mut command);
        let stdout = child.stdout.take();
        let stderr = collect(child.stderr.take());
        Running { stage: self, child, stdout, stderr }
    }
}

/// Starts a program. A copy of nsl that was just written can be held open for writing for a moment, by a child of
/// another test's thread that has not yet reached its execve(2).
pub fn spawn(command: &mut Command) -> Child {
    for _ in 0..500 {
        match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
            }
            started => return started.expect("nsl can be started"),
        }
    }
    panic!("nsl stays busy");
}

/// Reads a stream to its end, beside everything else.
fn collect(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits, but not for ever.
fn wait(child: &mut Child, patience: Duration) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            return status;
        }
        if begun.elapsed() > patience {
            let _ = child.kill();
            let _ = child.wait();
            panic!("nsl did not end within {patience:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A run that has not ended.
pub struct Running<'a> {
    stage: &'a Stage,
    child: Child,
    stdout: Option<ChildStdout>,
    stderr: mpsc::Receiver<Vec<u8>>,
}

impl Running<'_> {
    /// The process id of `nsl`.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// Waits for a line of output that begins so, and returns it.
    pub fn line(&mut self, start: &str) -> String {
        let stdout = self.stdout.as_mut().expect("piped");
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match stdout.read(&mut byte) {
                Ok(1) if byte[0] == b'\n' => {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    if text.starts_with(start) {
                        return text;
                    }
                    line.clear();
                }
                Ok(1) => line.push(byte[0]),
                _ => {
                    let stderr = self.stderr.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
                    panic!("it ended before it said `{start}`: {}", String::from_utf8_lossy(&stderr));
                }
            }
        }
    }

    /// Writes to the input of `nsl`, where that is a pipe.
    pub fn write(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).expect("it reads");
    }

    /// Ends the input of `nsl`.
    pub fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Sends a signal to `nsl`.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it runs");
    }

    /// Waits for the end, and looks for leftovers.
    pub fn finish(self) -> Outcome {
        let (pid, token) = (self.child.id(), self.stage.token());
        let outcome = self.finish_beside_another();
        let left = leftovers::of(&token, pid);
        assert!(left.is_empty(), "left behind: {left:#?}\n{outcome:?}");
        outcome
    }

    /// Waits for the end, while another sandbox of the same stage goes on.
    pub fn finish_beside_another(mut self) -> Outcome {
        let stdout = collect(self.stdout.take());
        let status = wait(&mut self.child, patience());
        Outcome {
            status,
            stdout: stdout.recv_timeout(patience()).unwrap_or_default(),
            stderr: String::from_utf8_lossy(&self.stderr.recv_timeout(patience()).unwrap_or_default()).into_owned(),
            policy: self.stage.text(),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a run ended.
pub struct Outcome {
    status: ExitStatus,
    stdout: Vec<u8>,
    pub stderr: String,
    policy: String,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "status: {}\n--- stdout\n{}\n--- stderr\n{}\n--- policy\n{}",
            self.status,
            String::from_utf8_lossy(&self.stdout),
            self.stderr,
            self.policy
        )
    }
}

impl Outcome {
    /// The exit status; a signal that ended `nsl` itself is negative.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| -self.status.signal().unwrap_or(0))
    }

    /// What the program wrote, without the last newline. It must have ended with 0.
    #[track_caller]
    pub fn out(&self) -> String {
        assert_eq!(self.code(), 0, "{self:?}");
        String::from_utf8_lossy(&self.stdout).trim_end().to_string()
    }

    /// What the program wrote, as it is.
    pub fn bytes(&self) -> &[u8] {
        &self.stdout
    }

    /// It must have ended so.
    #[track_caller]
    pub fn ends(&self, code: i32) -> &Outcome {
        assert_eq!(self.code(), code, "{self:?}");
        self
    }

    /// `nsl` must have said this.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Outcome {
        // A message is wrapped to the width of the terminal, with a bar at the margin.
        let flat = |text: &str| {
            text.split([' ', '\n', '│', '╰', '─', '▶', '·']).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
        };
        assert!(flat(&self.stderr).contains(&flat(text)), "`{text}` is not said\n{self:?}");
        self
    }
}

/// The process ids of what runs in a sandbox of a stage, by the variable that all of it has in its environment.
pub fn programs(token: &str) -> Vec<String> {
    let mark = format!("NSL_TEST={token}");
    let of = |entry: fs::DirEntry| {
        let pid = entry.file_name().into_string().ok().filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))?;
        let environment = fs::read(entry.path().join("environ")).ok()?;
        environment.split(|byte| *byte == 0).any(|it| it == mark.as_bytes()).then_some(pid)
    };
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(of).collect()
}

/// What a process has used of the CPU so far, in hundredths of a second: proc_pid_stat(5).
pub fn ticks(pid: i32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("proc_pid_stat(5)").1.split_whitespace().collect();
    fields[11..13].iter().map(|it| it.parse::<u32>().expect("a number")).sum()
}

/// Whether a program of the host is there for the tests.
pub fn have(program: &str) -> bool {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].iter().any(|dir| Path::new(dir).join(program).exists())
}
