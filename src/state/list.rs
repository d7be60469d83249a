//! Everybody else's side: what runs, and what is left of what ran.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, openat, unlinkat};

use super::guard::{BEHIND, clear, head};
use super::lock::Lock;
use super::record::{End, FORMAT, Record, now};
use super::room::{Room, is_linked, open_dir, valid_name};
use crate::plan::Plan;
use crate::report::Diagnostic;

/// How long a command waits for a sandbox that is being built.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often `nsl run` looks at more than the name it wants, seconds.
const SWEEP_EVERY: u64 = 60;
/// Its modification time says when everything was looked at last. No sandbox can have this name.
const SWEPT: &str = ".swept";

/// Where a sandbox is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is being put together.
    Starting,
    /// Its program runs.
    Running,
    /// It ran in the background and is over; its log is kept. `None` where its nsl was killed.
    Ended(Option<End>),
}

/// A sandbox's directory, as it was when it was looked at. It stays readable when the sandbox ends.
#[derive(Debug)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// Where it is in its life.
    pub phase: Phase,
    /// What is known of it; `None` while it starts.
    pub record: Option<Record>,
    dir: OwnedFd,
    /// The record, of which no more was read than its first line: the plan behind it is many times as long.
    file: Option<File>,
}

impl Entry {
    /// What was performed. `None` while it starts, or where another version of nsl wrote it down.
    pub fn plan(&self) -> Option<Plan> {
        serde_json::from_str(self.line(1)?.as_str()).ok()
    }

    /// A line of the record, from 0: what is known, the plan, and how it ended.
    fn line(&self, number: usize) -> Option<String> {
        let mut file = self.file.as_ref()?;
        file.rewind().ok()?;
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        text.lines().nth(number).map(str::to_string)
    }

    /// What was performed, or why that is not known.
    pub fn performed(&self) -> Result<Plan, Diagnostic> {
        self.plan().ok_or_else(|| {
            let message = format!("the plan of `{}` was written by another version of nsl", self.name);
            Diagnostic::error("other-version", message).help("use the nsl that started it")
        })
    }

    /// The record of a sandbox that runs, or why there is none.
    pub fn running(&self) -> Result<&Record, Diagnostic> {
        match (&self.phase, &self.record) {
            (Phase::Running, Some(record)) => Ok(record),
            (Phase::Ended(_), _) => Err(Diagnostic::error(
                "sandbox-stopped",
                format!("the sandbox `{}` has ended: nothing of it runs", self.name),
            )
            .help(format!("`nsl logs {0}` shows its output, `nsl wait {0}` its status", self.name))),
            _ => {
                Err(Diagnostic::error("sandbox-starting", format!("the sandbox `{}` is still being built", self.name))
                    .help("try again in a moment"))
            }
        }
    }

    /// Its directory.
    pub(super) fn directory(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Notes a directory of the cgroup file system that is to be removed with the sandbox.
    pub fn leave_behind(&self, dir: &Path) -> std::io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.dir, BEHIND, flags, Mode::RUSR | Mode::WUSR)?;
        File::from(file).write_all(dir.as_os_str().as_bytes())
    }

    /// That directory, where there is one.
    pub fn left_behind(&self) -> Option<PathBuf> {
        super::guard::text(self.dir.as_fd(), BEHIND).map(|it| PathBuf::from(it.1))
    }

    /// Whether its supervisor still holds it.
    pub fn held(&self) -> bool {
        let Ok(copy) = self.dir.as_fd().try_clone_to_owned() else { return false };
        // The copy shares the lock, so it has to be given back: flock(2).
        Lock::take(copy, FlockOperation::NonBlockingLockShared).is_err()
    }

    /// Waits until it is over, and says how it ended; `None` where nobody said.
    pub fn wait(&mut self) -> Option<End> {
        if let Some(pidfd) = self.record.as_ref().and_then(|it| it.supervisor.open()) {
            let mut polled = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
            while rustix::event::poll(&mut polled, None).is_err() {}
        }
        while self.held() {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.end()
    }

    fn end(&self) -> Option<End> {
        serde_json::from_str(&self.line(2)?).ok()
    }
}

/// All sandboxes of the room, by name, those that are over last. What is left of those that were killed is removed.
pub fn list(room: &Room) -> Vec<Entry> {
    let mut entries: Vec<Entry> = names(room).iter().filter_map(|name| look(room, name)).collect();
    entries.sort_by(|a, b| {
        (matches!(a.phase, Phase::Ended(_)), &a.name).cmp(&(matches!(b.phase, Phase::Ended(_)), &b.name))
    });
    entries
}

/// The containers of a pod that run; none, where it is no pod.
pub fn members(room: &Room, pod: &Entry) -> Vec<Entry> {
    let is_member = |it: &Entry| it.record.as_ref().is_some_and(|record| record.pod.as_deref() == Some(&pod.name));
    list(room).into_iter().filter(|it| it.phase == Phase::Running && is_member(it)).collect()
}

/// The sandbox with this name, or what there is instead. One that is being built is waited for a while.
pub fn find(room: &Room, name: &str) -> Result<Entry, Diagnostic> {
    let look = || if valid_name(name) { look(room, name) } else { None };
    let mut found = look();
    let begun = Instant::now();
    while found.as_ref().is_some_and(|it| it.phase == Phase::Starting) && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
        found = look();
    }
    found.ok_or_else(|| {
        let names: Vec<String> = list(room).into_iter().map(|it| it.name).collect();
        let near = crate::schema::suggest::nearest(name, names.iter().map(String::as_str));
        let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
        let there = match names.as_slice() {
            [] => "nothing runs".to_string(),
            names => format!("there is {}", names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")),
        };
        Diagnostic::error("no-such-run", format!("no sandbox `{name}` is running"))
            .help(format!("{near}{there}; `nsl ps` lists what runs"))
    })
}

/// Forgets a sandbox that ran in the background and is over.
pub fn remove(room: &Room, entry: &Entry) -> Result<(), Diagnostic> {
    if matches!(entry.phase, Phase::Ended(_)) && remove_if_over(room, &entry.name, true) {
        return Ok(());
    }
    Err(Diagnostic::error("still-runs", format!("the sandbox `{}` is running", entry.name))
        .help(format!("end it first: `nsl stop {}`", entry.name)))
}

/// Removes what is left of sandboxes whose nsl was killed.
pub fn sweep(room: &Room) {
    for name in names(room) {
        remove_if_over(room, &name, false);
    }
}

/// The same, but not at every start: with a thousand sandboxes it is no longer nothing.
pub(super) fn sweep_now_and_then(room: &Room) {
    let swept = rustix::fs::statat(room.dir(), SWEPT, AtFlags::SYMLINK_NOFOLLOW);
    let before = swept.map_or(0, |it| it.st_mtime as u64);
    if now().abs_diff(before) >= SWEEP_EVERY {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let Ok(file) = openat(room.dir(), SWEPT, flags, Mode::RUSR | Mode::WUSR) {
            let _ = rustix::fs::futimens(
                &file,
                &rustix::fs::Timestamps {
                    last_access: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
                    last_modification: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
                },
            );
        }
        sweep(room);
    }
}

fn names(room: &Room) -> Vec<String> {
    let Ok(dir) = Dir::read_from(room.dir()) else { return Vec::new() };
    let names = dir.flatten().filter_map(|entry| entry.file_name().to_str().ok().map(str::to_string));
    names.filter(|name| valid_name(name)).collect()
}

/// What a directory says, if it is a sandbox's.
fn look(room: &Room, name: &str) -> Option<Entry> {
    let dir = open_dir(room.dir(), name).ok()?;
    let held = Lock::take(dir.as_fd().try_clone_to_owned().ok()?, FlockOperation::NonBlockingLockShared).is_err();
    let (file, head) = head(dir.as_fd()).unzip();
    let record: Option<Record> = head.and_then(|it| serde_json::from_slice(&it).ok());
    let record = record.filter(|it| it.format == FORMAT);
    let mut entry = Entry { name: name.to_string(), phase: Phase::Starting, record, dir, file };
    entry.phase = match &entry.record {
        Some(record) if held && record.supervisor.lives() => Phase::Running,
        None if held => Phase::Starting,
        Some(record) if record.detached => Phase::Ended(entry.end()),
        _ => {
            remove_if_over(room, name, false);
            return None;
        }
    };
    Some(entry)
}

/// Removes the directory of a sandbox that is over; one that ran in the background only where `kept` ones go too. Says whether
/// it is gone.
pub(super) fn remove_if_over(room: &Room, name: &str, kept: bool) -> bool {
    let Ok(dir) = open_dir(room.dir(), name) else { return true };
    // Who holds this lock is the only one who may remove the name.
    let Ok(dir) = Lock::take(dir, FlockOperation::NonBlockingLockExclusive) else { return false };
    if !is_linked(room.dir(), name, dir.as_fd()) {
        return true;
    }
    let detached = || {
        let record: Option<Record> = head(dir.as_fd()).and_then(|it| serde_json::from_slice(&it.1).ok());
        record.is_some_and(|it| it.detached)
    };
    if !kept && detached() {
        return false;
    }
    clear(dir.as_fd());
    unlinkat(room.dir(), name, AtFlags::REMOVEDIR).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::guard::{Guard, in_room};
    use super::*;
    use crate::plan::Ending;
    use crate::policy::Signal;
    use crate::state::Process;

    fn room() -> (tempfile::TempDir, Room) {
        let base = tempfile::tempdir().unwrap();
        let room = Room::at(base.path(), "nsl").unwrap();
        (base, room)
    }

    fn take(room: &Room, exact: Option<&str>) -> Guard {
        in_room(room, "web", exact).unwrap().unwrap()
    }

    fn plan() -> Plan {
        let signal = Signal { name: "TERM".to_string(), number: 15 };
        let ending = Ending { signal, timeout: 0, after: None, after_span: None };
        Plan { name: "web".to_string(), steps: Vec::new(), degraded: Vec::new(), ending }
    }

    fn publish(guard: &mut Guard, detached: bool) {
        let mut record = Record::observe(guard.name(), &plan(), "web.nsl".as_ref(), &Default::default()).unwrap();
        record.detached = detached;
        guard.publish(&record, &plan()).unwrap();
    }

    fn phases(room: &Room) -> Vec<(String, Phase)> {
        list(room).into_iter().map(|it| (it.name, it.phase)).collect()
    }

    #[test]
    fn names_are_unique_and_used_again() {
        let (_base, room) = room();
        let (first, second) = (take(&room, None), take(&room, None));
        assert_eq!((first.name(), second.name()), ("web", "web-2"));
        assert_eq!(in_room(&room, "web", Some("web")).unwrap_err().code, "name-runs");
        drop(first);
        assert_eq!(take(&room, None).name(), "web");
        assert_eq!(take(&room, Some("mine")).name(), "mine");
    }

    #[test]
    fn what_runs_is_listed_until_it_ends() {
        let (_base, room) = room();
        let mut guard = take(&room, None);
        assert_eq!(phases(&room), [("web".to_string(), Phase::Starting)]);
        publish(&mut guard, false);
        let mut entry = find(&room, "web").unwrap();
        assert_eq!(entry.phase, Phase::Running);
        assert_eq!(entry.running().unwrap().supervisor, Process::own().unwrap());
        assert_eq!(entry.plan(), Some(plan()));
        let end = End::now(3, None);
        guard.finish(&end);
        assert_eq!(phases(&room), []);
        entry.record = None;
        assert_eq!(entry.wait(), Some(end));
        assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_ran_in_the_background_stays_until_its_name_is_used_again() {
        let (_base, room) = room();
        let mut guard = take(&room, None);
        publish(&mut guard, true);
        std::io::Write::write_all(&mut guard.log().unwrap(), b"said").unwrap();
        let end = End::now(0, None);
        guard.finish(&end);
        assert_eq!(phases(&room), [("web".to_string(), Phase::Ended(Some(end)))]);
        let entry = find(&room, "web").unwrap();
        assert_eq!(entry.running().unwrap_err().code, "sandbox-stopped");
        let mut said = Vec::new();
        super::super::copy_log(&entry, true, &mut said).unwrap().unwrap();
        assert_eq!(said, b"said");
        assert_eq!(take(&room, None).name(), "web");
        assert!(find(&room, "web").is_err());
    }

    #[test]
    fn what_was_killed_is_swept() {
        let (_base, room) = room();
        for (name, files) in [("empty", &[][..]), ("half", &["new"]), ("whole", &["record"])] {
            std::fs::create_dir(room.path().join(name)).unwrap();
            for file in files {
                std::fs::write(room.path().join(name).join(file), "{}").unwrap();
            }
        }
        assert_eq!(phases(&room), []);
        assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_supervisor_that_is_somebody_else_by_now_runs_nothing() {
        let (_base, room) = room();
        let mut guard = take(&room, None);
        let mut record = Record::observe("web", &plan(), "web.nsl".as_ref(), &Default::default()).unwrap();
        record.supervisor.start += 1;
        guard.publish(&record, &plan()).unwrap();
        assert_eq!(phases(&room), []);
    }

    #[test]
    fn a_name_that_nothing_has_is_answered_with_those_that_there_are() {
        let (_base, room) = room();
        let _guard = take(&room, None);
        let finding = find(&room, "wbe").unwrap_err();
        assert_eq!(finding.code, "no-such-run");
        assert!(finding.help.unwrap().contains("did you mean `web`"));
        assert!(find(&room, "../nsl").is_err());
    }

    #[test]
    fn many_take_names_at_once() {
        let (_base, room) = room();
        let all_have_theirs = std::sync::Barrier::new(4);
        let names: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
            let take_and_look = || {
                let guards: Vec<Guard> = (0..20)
                    .map(|_| {
                        list(&room);
                        take(&room, None)
                    })
                    .collect();
                all_have_theirs.wait();
                guards.iter().map(|it| it.name().to_string()).collect::<Vec<_>>()
            };
            let all: Vec<_> = (0..4).map(|_| scope.spawn(take_and_look)).collect();
            all.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        assert_eq!(names.len(), 80);
        assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 0);
    }
}
