//! Files that keep namespaces: made before the child, pinned while it waits, and removed again unless the program starts.
//!
//! A pin is a bind mount of /proc/PID/ns/KIND on an empty file (namespaces(7)), as ip-netns(8) and unshare(1) make them: the
//! namespace lives as long as the mount. Everything is done by descriptors of the directory and of the file, so that nobody can lay
//! another file in between. The child asks when it has all of its namespaces, and waits for the answer.

use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;

use super::failure::{Context, Done, Failure};
use super::janitor::Janitor;
use super::{join, sys};
use crate::host;
use crate::plan::{Action, NsKind, Plan};

/// A namespace that outlives the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its kind.
    pub kind: NsKind,
    /// Its inode on nsfs: the number in `readlink /proc/PID/ns/KIND`.
    pub id: u64,
    /// The file.
    pub path: String,
}

/// One file of a plan.
struct Pin {
    step: usize,
    path: String,
    /// The directory that it is to be in, or why that could not be opened.
    dir: Done<OwnedFd>,
    /// The file, once it is made.
    made: Option<OwnedFd>,
    /// The namespace, once it is pinned.
    kept: Option<Kept>,
}

/// The files of a run.
#[derive(Default)]
pub struct Pins {
    all: Vec<Pin>,
    /// Whether the program has started: what was pinned stays.
    settled: bool,
}

/// Where a file is to be made, for the janitor.
#[derive(Clone, Copy)]
pub struct PinSpot<'a> {
    /// The step that makes it.
    pub step: usize,
    /// Its directory, open.
    pub dir: BorrowedFd<'a>,
    /// Its name.
    pub name: &'a str,
}

impl Pin {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn spot(&self) -> Option<PinSpot<'_>> {
        let dir = self.dir.as_ref().ok()?.as_fd();
        Some(PinSpot { step: self.step, dir, name: self.name() })
    }
}

impl Pins {
    /// Opens the directories of all files that a plan makes.
    pub fn of(plan: &Plan) -> Pins {
        let pin = |(step, path): (usize, &String)| {
            let dir = path.rsplit_once('/').map_or("/", |(dir, _)| if dir.is_empty() { "/" } else { dir });
            let opened = rustix::fs::open(dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
            let dir = opened.context(|| format!("opening {dir}"));
            Pin { step, path: path.clone(), dir, made: None, kept: None }
        };
        let steps = plan.steps.iter().enumerate().filter_map(|(index, step)| match &step.action {
            Action::MakePin { path } => Some((index, path)),
            _ => None,
        });
        Pins { all: steps.map(pin).collect(), settled: false }
    }

    /// Where the files will be.
    pub fn spots(&self) -> Vec<PinSpot<'_>> {
        self.all.iter().filter_map(Pin::spot).collect()
    }

    /// Makes the file of a step. The janitor knows of it first.
    pub fn make(&mut self, step: usize, janitor: Option<&mut Janitor>) -> Done {
        let found = self.all.iter_mut().find(|it| it.step == step);
        let pin = found.ok_or_else(|| Failure::refused("its directory was never opened"))?;
        let dir = pin.dir.as_ref().map_err(Failure::clone)?;
        let making = || format!("making {}", pin.path);
        // What is there already is somebody else's, which the janitor is not to take away where a run goes on without a pin and is killed.
        if rustix::fs::statat(dir, pin.name(), AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Err(Errno::EXIST).context(making);
        }
        if let Some(janitor) = janitor {
            janitor.making_pin(step)?;
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(dir, pin.name(), flags, Mode::empty());
        pin.made = Some(made.context(making)?);
        Ok(())
    }

    /// Pins a namespace of the child to the file that was made for it. False where none was made, which was told already.
    fn pin(&mut self, kind: NsKind, path: &str, child: Pid) -> Done<bool> {
        let Some(pin) = self.all.iter_mut().find(|it| it.path == path) else { return Ok(false) };
        let (Ok(dir), Some(made)) = (&pin.dir, &pin.made) else { return Ok(false) };
        // What the child has unshared is that of its children until one is born.
        let file = if kind == NsKind::Time { "time_for_children" } else { kind.name() };
        let namespace = join::open_file(&format!("/proc/{child}/ns/{file}"))?;
        let of = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
        rustix::mount::mount_bind(of(&namespace), of(made)).context(|| format!("mounting it on {path}"))?;
        let wanted = rustix::fs::fstat(&namespace).context(|| "looking at the namespace".to_string())?;
        pin.kept = Some(Kept { kind, id: wanted.st_ino, path: path.to_string() });
        match rustix::fs::statat(dir, pin.name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) if (there.st_dev, there.st_ino) == (wanted.st_dev, wanted.st_ino) => Ok(true),
            Ok(_) | Err(Errno::NOENT) => Err(replaced(path)),
            Err(errno) => Err(errno).context(|| format!("looking at {path}")),
        }
    }

    /// The program runs: from now on they are its users' to let go.
    pub fn settle(&mut self, janitor: Option<&mut Janitor>) {
        if let Some(janitor) = janitor.filter(|_| !self.all.is_empty()) {
            janitor.forget_pins();
        }
        self.settled = true;
    }

    /// What stays; where the program never ran, nothing does.
    pub fn finish(mut self, janitor: Option<&mut Janitor>) -> Vec<Kept> {
        if !self.settled {
            for pin in &mut self.all {
                if let (Some(made), Some(spot)) = (pin.made.take(), pin.spot()) {
                    remove(spot);
                    let _ = remove_moved(&made, pin.kept.as_ref());
                }
                pin.kept = None;
            }
            self.settle(janitor);
        }
        self.all.into_iter().filter_map(|it| it.kept).collect()
    }
}

/// Takes away a pin that this run has made, and its file: whatever else is there by now stays.
pub fn remove(spot: PinSpot) {
    let look = || {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(spot.dir, spot.name, flags, Mode::empty())
    };
    let Ok(file) = look() else { return };
    if host::pin_behind(file.as_fd()).is_some() {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let _ = rustix::mount::unmount(path, UnmountFlags::DETACH);
    }
    drop(file);
    let Ok(file) = look() else { return };
    if is_empty_file(file.as_fd()) {
        let _ = rustix::fs::unlinkat(spot.dir, spot.name, AtFlags::empty());
    }
}

/// The same of a file that somebody has moved before the namespace was mounted on it. The kernel knows where it is by now; only what is
/// proven to be this run's is taken away there.
fn remove_moved(made: &OwnedFd, kept: Option<&Kept>) -> Result<(), Errno> {
    let there = rustix::fs::readlink(format!("/proc/self/fd/{}", made.as_raw_fd()), Vec::new())?;
    // Of a file that is gone this ends with ` (deleted)`, where nothing is.
    let there = there.to_string_lossy();
    let Some((parent, name)) = there.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) else { return Ok(()) };
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::open(parent, flags | OFlags::DIRECTORY, Mode::empty())?;
    let file = rustix::fs::openat(&dir, name, flags, Mode::empty())?;
    let pin = host::pin_behind(file.as_fd());
    if pin.is_some_and(|it| kept.is_some_and(|kept| (kept.kind, kept.id) == (it.kind, it.id))) {
        rustix::mount::unmount(format!("/proc/self/fd/{}", file.as_raw_fd()), UnmountFlags::DETACH)?;
    }
    drop(file);
    let file = rustix::fs::openat(&dir, name, flags, Mode::empty())?;
    let (found, ours) = (rustix::fs::fstat(&file)?, rustix::fs::fstat(made)?);
    if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino) && is_empty_file(file.as_fd()) {
        rustix::fs::unlinkat(&dir, name, AtFlags::empty())?;
    }
    Ok(())
}

fn replaced(path: &str) -> Failure {
    Failure::refused(format!("somebody has moved {path} away, or put another file in its place"))
}

/// Whether it is a file as one is made for a pin: the caller's own, with nothing in it, and known by one name.
fn is_empty_file(file: BorrowedFd) -> bool {
    rustix::fs::fstat(file).is_ok_and(|stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file()
            && stat.st_size == 0
            && stat.st_nlink == 1
            && stat.st_uid == rustix::process::geteuid().as_raw()
    })
}

/// The answers that are no errno: it was refused by nsl, and there is no file for it, which was told already.
const REFUSED: i32 = -1;
const NO_FILE: i32 = -2;

/// What the child says: pin it; and of a mount namespace that was refused, whether there is another one to be tried.
const ASK: u8 = b'?';
const GIVE_UP: u8 = b'.';

/// In the supervisor: answers the child, which asks for one pin after the other. A child that ends says itself why.
pub fn serve(plan: &Plan, pins: &mut Pins, asks: &OwnedFd, gate: &OwnedFd, child: Pid) -> Result<(), (usize, Failure)> {
    for (index, step) in plan.steps.iter().enumerate() {
        let Action::PinNamespace { kind, path } = &step.action else { continue };
        let failed = |failure| (index, failure);
        loop {
            match read_byte(asks).context(|| "waiting for the child".to_string()).map_err(failed)? {
                Some(ASK) => {}
                Some(_) => break,
                None => return Ok(()),
            }
            let answer = match pins.pin(*kind, path, child) {
                Ok(true) => 0,
                Ok(false) => NO_FILE,
                Err(failure) if failure.errno == 0 => REFUSED,
                Err(failure) => failure.errno,
            };
            match rustix::io::write(gate, &answer.to_ne_bytes()) {
                Ok(_) if has_another(*kind, answer) => {}
                Ok(_) => break,
                Err(Errno::PIPE) => return Ok(()),
                Err(errno) => return Err(errno).context(|| "answering the child".to_string()).map_err(failed),
            }
        }
    }
    Ok(())
}

fn read_byte(pipe: &OwnedFd) -> Result<Option<u8>, Errno> {
    let mut byte = [0];
    loop {
        match rustix::io::read(pipe, &mut byte) {
            Ok(count) => return Ok((count == 1).then_some(byte[0])),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether another namespace in the place of a refused one may be taken.
fn has_another(kind: NsKind, answer: i32) -> bool {
    kind == NsKind::Mnt && answer == libc::EINVAL
}

/// In the child: asks for a pin, and waits for it.
pub fn ask(asks: Option<&OwnedFd>, gate: &OwnedFd, kind: NsKind, path: &str) -> Done {
    let asks = asks.ok_or_else(|| Failure::refused("nobody can be asked for a pin"))?;
    let what = || format!("pinning its {} namespace to {path}", kind.name());
    let answer = match answer(asks, gate).context(what)? {
        answer if has_another(kind, answer) => on_other_cpus(asks, gate).context(what)?,
        answer => answer,
    };
    match answer {
        0 | NO_FILE => Ok(()),
        REFUSED => Err(replaced(path)),
        errno => Err(Failure { errno, detail: what() }),
    }
}

fn answer(asks: &OwnedFd, gate: &OwnedFd) -> std::io::Result<i32> {
    rustix::io::write(asks, &[ASK])?;
    let mut answer = [0; 4];
    match Gate(gate).read_exact(&mut answer) {
        // The supervisor is gone.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => sys::exit_now(125),
        result => result.map(|()| i32::from_ne_bytes(answer)),
    }
}

/// A mount namespace is mounted only in one that is older, so that no two keep each other (fs/namespace.c, `mnt_ns_loop`). Since Linux 6.18
/// the kernel takes for older what has a smaller number, and each CPU has numbers of its own: what is made on another CPU than the
/// caller's mount namespace may be refused for that. So others are made, on each CPU in turn: nothing is built in them yet.
fn on_other_cpus(asks: &OwnedFd, gate: &OwnedFd) -> std::io::Result<i32> {
    let this = Pid::from_raw(0);
    let all = sched_getaffinity(this)?;
    let mut told = libc::EINVAL;
    for cpu in (0..CpuSet::count()).filter(|cpu| all.is_set(*cpu) == Ok(true)) {
        let mut one = CpuSet::new();
        one.set(cpu)?;
        sched_setaffinity(this, &one)?;
        nix::sched::unshare(CloneFlags::CLONE_NEWNS)?;
        told = answer(asks, gate)?;
        if !has_another(NsKind::Mnt, told) {
            break;
        }
    }
    if has_another(NsKind::Mnt, told) {
        rustix::io::write(asks, &[GIVE_UP])?;
    }
    sched_setaffinity(this, &all)?;
    Ok(told)
}

/// A descriptor that is read from and stays open.
struct Gate<'a>(&'a OwnedFd);

impl Read for Gate<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        Ok(rustix::io::read(self.0, bytes)?)
    }
}
