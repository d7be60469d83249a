//! What can be done to a sandbox that runs, from beside it: it is asked to end, sent signals, frozen, waited for.
//!
//! Every process is addressed by a descriptor that was verified to be its (pidfd, start time), so a signal never reaches one that
//! has taken over the id.

mod freeze;

use std::os::fd::OwnedFd;

use rustix::process::{Signal, pidfd_send_signal};

pub use freeze::{freeze, is_frozen, thaw};

use crate::plan::Plan;
use crate::report::Diagnostic;
use crate::state::{Entry, Phase, Record};

/// The record and the plan of a sandbox that something can be put into, or why nothing can.
pub fn enterable(entry: &Entry) -> Result<(&Record, Plan), Diagnostic> {
    let record = entry.running()?;
    if record.is_pod() {
        let message = format!("`{}` is a pod, and a command runs beside the program of one container", record.name);
        return Err(Diagnostic::error("whole-pod", message)
            .help(format!("name one as `nsl ps` does: `{}.CONTAINER`", record.name)));
    }
    if is_frozen(entry) {
        return Err(Diagnostic::error("sandbox-frozen", format!("the sandbox `{}` is frozen", record.name))
            .help(format!("let it go on: `nsl thaw {}`", record.name)));
    }
    Ok((record, entry.performed()?))
}

/// Asks a sandbox, with the containers that are its members, to end, as its policy says: its stop signal, and SIGKILL after its timeout.
/// Returns when it is over.
pub fn stop(entry: &mut Entry, members: &[Entry]) -> Result<(), Diagnostic> {
    let record = entry.running()?.clone();
    // What is frozen sees no signal but SIGKILL.
    if is_frozen(entry) || members.iter().any(is_frozen) {
        thaw(entry, members)?;
    }
    let supervisor = record.supervisor.open().ok_or_else(|| stopped(&record))?;
    send(&record, &supervisor, Signal::TERM)?;
    entry.wait();
    Ok(())
}

/// Sends a signal to the program of a sandbox.
pub fn kill(entry: &Entry, signal: i32) -> Result<(), Diagnostic> {
    let record = entry.running()?;
    let signal = Signal::from_named_raw(signal).ok_or_else(|| {
        Diagnostic::error("bad-signal", format!("{signal} is no signal that can be sent"))
            .help("`kill -l` lists them: a name such as TERM, or a number")
    })?;
    let program = record.living_program().or(record.init).and_then(|it| it.open()).ok_or_else(|| stopped(record))?;
    send(record, &program, signal)
}

/// The number of a signal: `TERM`, `SIGTERM` or `15`.
pub fn signal_number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (1..=31).contains(&number).then_some(number);
    }
    let name = text.to_ascii_uppercase();
    let name = if name.starts_with("SIG") { name } else { format!("SIG{name}") };
    name.parse::<nix::sys::signal::Signal>().ok().map(|it| it as i32)
}

/// Waits for the end of a sandbox; the result is the status that its nsl ended with.
pub fn wait(entry: &mut Entry) -> Result<i32, Diagnostic> {
    let end = match entry.phase {
        Phase::Ended(end) => end,
        _ => entry.wait(),
    };
    end.map(|it| it.exit_status).ok_or_else(|| {
        Diagnostic::error("status-unknown", format!("nobody knows how the sandbox `{}` ended", entry.name))
            .help("its nsl was killed before it could say; everything in the sandbox was killed with it")
    })
}

fn send(record: &Record, process: &OwnedFd, signal: Signal) -> Result<(), Diagnostic> {
    pidfd_send_signal(process, signal).map_err(|errno| match errno {
        rustix::io::Errno::SRCH => stopped(record),
        errno => Diagnostic::error("signal-failed", format!("`{}` cannot be sent a signal: {errno}", record.name))
            .help("only who started it, and root, may do that"),
    })
}

/// It ended between the look and the deed.
fn stopped(record: &Record) -> Diagnostic {
    Diagnostic::error("sandbox-stopped", format!("the sandbox `{}` has ended: nothing of it runs", record.name))
        .help("`nsl ps` lists what runs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        assert_eq!(signal_number("TERM"), Some(15));
        assert_eq!(signal_number("sigusr1"), Some(10));
        assert_eq!(signal_number("9"), Some(9));
        assert_eq!(signal_number("0"), None);
        assert_eq!(signal_number("STOPP"), None);
    }
}
