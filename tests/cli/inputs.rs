//! Files that are no policies: a clear answer at once, and nothing started.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use super::*;

/// What `check`, `plan` and `run` say about a file.
fn all_refuse(path: &str, what: &str) {
    for command in ["check", "plan", "run"] {
        let begun = Instant::now();
        run(&[command, path]).refuses(2, what);
        assert!(begun.elapsed() < Duration::from_secs(5), "{command} {path} took {:?}", begun.elapsed());
    }
}

#[test]
fn a_file_that_is_not_there() {
    all_refuse("/nonexistent/web.nsl", "nsl::file-missing");
}

#[test]
fn a_device_without_end() {
    all_refuse("/dev/zero", "nsl::file-not-regular");
    all_refuse("/dev/null", "nsl::file-not-regular");
}

#[test]
fn a_fifo_that_nobody_writes_to() {
    let dir = folder(&[]);
    let path = dir.path().join("fifo.nsl");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("our own folder");
    all_refuse(text(&path), "nsl::file-not-regular");
}

#[test]
fn a_socket() {
    let dir = folder(&[]);
    let path = dir.path().join("socket.nsl");
    let _socket = std::os::unix::net::UnixListener::bind(&path).expect("our own folder");
    all_refuse(text(&path), "nsl::file-not-regular");
}

#[test]
fn a_file_of_100_mb() {
    let dir = folder(&[]);
    let path = dir.path().join("large.nsl");
    let mut file = File::create(&path).expect("our own folder");
    for _ in 0..100 {
        file.write_all(&vec![b'#'; 1 << 20]).expect("there is room");
    }
    all_refuse(text(&path), "nsl::file-too-large");
}

#[test]
fn a_file_that_is_no_utf_8() {
    let dir = folder(&[]);
    let path = dir.path().join("latin.nsl");
    fs::write(&path, b"# caf\xe9\n").expect("our own folder");
    all_refuse(text(&path), "byte 6 is wrong");
}

#[test]
fn a_directory() {
    let dir = folder(&[("empty/readme", "")]);
    for command in ["plan", "run"] {
        run(&[command, text(dir.path())]).refuses(2, "is a directory");
    }
    run(&["check", text(&dir.path().join("empty"))]).refuses(2, "nsl::no-policies");
}

#[test]
fn a_file_that_may_not_be_read() {
    let dir = folder(&[("secret.nsl", "")]);
    let path = dir.path().join("secret.nsl");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("our own file");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
    let mut command = nsl(&["check", text(&path)]);
    if nix::unistd::geteuid().is_root() {
        // nobody cannot start a binary below /root, and need not: capabilities are what lets root read.
        let nsl = dir.path().join("nsl");
        fs::copy(env!("CARGO_BIN_EXE_nsl"), &nsl).expect("our own folder");
        command = Command::new(nsl);
        command.args(["check", text(&path)]).uid(65_534).gid(65_534).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    finish(command).refuses(2, "nsl::file-unreadable");
}

#[test]
fn an_endless_standard_input() {
    let mut command = nsl(&["check", "-"]);
    command.stdin(File::open("/dev/zero").expect("every host has it"));
    finish(command).refuses(2, "nsl::file-too-large");
    run_with(&["check", "-"], b"\xff").refuses(2, "nsl::file-not-utf8");
}

#[test]
fn a_policy_on_the_standard_input_of_the_program() {
    run(&["run", "-"]).refuses(2, "the standard input is the program's");
}

#[test]
fn findings_for_machines_name_the_code() {
    let output = run(&["check", "--format", "json", "/nonexistent/a.nsl", "/dev/zero"]);
    assert_eq!((output.code, output.stderr.as_str()), (2, ""));
    let lines: Vec<serde_json::Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    let codes: Vec<&str> = lines.iter().filter_map(|it| it["code"].as_str()).collect();
    assert_eq!(codes, ["file-missing", "file-not-regular"]);
    assert_eq!(lines[0]["severity"], "error");
}
