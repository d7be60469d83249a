//! The kernel's log names the system call for which a filter killed: nobody else can be asked once the process is gone.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags, SeekFrom};

use super::outcome::RefusedCall;
use crate::schema::syscalls;

/// AUDIT_SECCOMP: audit.h.
const TYPE: &str = "type=1326 ";
/// The inode of the initial PID namespace: the log has the process ids of that one.
const INITIAL_PID_NAMESPACE: u64 = 0xEFFF_FFFC;
/// How long the kernel's own thread may take to write the record.
const PATIENCE: Duration = Duration::from_millis(100);

/// The call for which a filter killed this process with SIGSYS. `None` where the log cannot be read (it takes CAP_SYSLOG where
/// kernel.dmesg_restrict is set), auditd(8) takes the records, or this is not the initial PID namespace.
pub fn refused_call(pid: i32) -> Option<RefusedCall> {
    if rustix::fs::stat("/proc/self/ns/pid").ok()?.st_ino != INITIAL_PID_NAMESPACE {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let log = rustix::fs::open("/dev/kmsg", flags, Mode::empty()).ok()?;
    rustix::fs::seek(&log, SeekFrom::Start(0)).ok()?;
    let deadline = Instant::now() + PATIENCE;
    let mut found = None;
    // One record a read: Documentation/ABI/testing/dev-kmsg.
    let mut record = vec![0; 8192];
    loop {
        match rustix::io::read(&log, &mut record) {
            Ok(length) => {
                let text = String::from_utf8_lossy(&record[..length]);
                found = parse(&text, pid).or(found);
            }
            // Records were overwritten while they were read.
            Err(rustix::io::Errno::PIPE | rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) if found.is_none() => {
                let left = deadline.saturating_duration_since(Instant::now());
                let left = rustix::event::Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
                let mut polled = [PollFd::new(&log, PollFlags::IN)];
                if left.tv_nsec == 0 || !matches!(rustix::event::poll(&mut polled, Some(&left)), Ok(1)) {
                    return None;
                }
            }
            Err(_) => return found,
        }
    }
}

/// `6,1,2,-;audit: type=1326 audit(…): … pid=25455 comm="x" exe="/x" sig=31 arch=c000003e syscall=166 …`. The name of a program
/// may hold anything but is quoted, or in hexadecimal where it holds a quote or a space.
fn parse(record: &str, pid: i32) -> Option<RefusedCall> {
    let (_, fields) = record.lines().next()?.split_once(TYPE)?;
    let field = |name: &str| fields.split(' ').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
    if field("pid")?.parse() != Ok(pid) || field("sig")? != "31" {
        return None;
    }
    let number = field("syscall")?.parse().ok()?;
    let arch = u32::from_str_radix(field("arch")?, 16).ok()?;
    let name = match arch {
        0xc000_003e => syscalls::name("x86_64", number),
        0xc000_00b7 => syscalls::name("aarch64", number),
        _ => None,
    };
    Some(RefusedCall { number, name, arch })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let record = "6,1031,749520512,-;audit: type=1326 audit(1795623618.105:19): auid=4294967295 uid=0 gid=0 ses=4294967295 \
                      pid=25455 comm=\"python3\" exe=\"/usr/bin/python3.11\" sig=31 arch=c000003e syscall=166 compat=0 \
                      ip=0x7f86a77f8b87 code=0x80000000\n SUBSYSTEM=x\n";
        let call = parse(record, 25455).unwrap();
        assert_eq!((call.number, call.name), (166, Some("umount2")));
        assert_eq!(parse(record, 25456), None);
        assert_eq!(parse(&record.replace("sig=31", "sig=0"), 25455), None);
    }
}
