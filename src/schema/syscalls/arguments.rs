//! The arguments of system calls that a condition can look at: numbers, never what a pointer points to.
//!
//! Names are those of the man pages. `int` says that only the low 32 bits count: where the kernel takes an int, and
//! where it takes a long but ignores or refuses whatever stands above its flags (clone, unshare, mount, mmap).
//! A condition that looked at the upper half there would be passed by a call that sets a bit of it. `long` is looked
//! at whole: lengths, offsets, and the arguments of multiplexers whose type depends on the operation.
//!
//! A mode (of open, mkdir, mknod, …) counts with its low 16 bits only; compare it through a mask, as in
//! `mknod(mode & S_IFMT == S_IFBLK)`.

use super::Argument;
use crate::schema::sorted::sorted;

/// The calls with arguments, sorted.
pub(super) static ARGUMENTS: &[(&str, &[Argument])] = &sorted(UNSORTED);

/// Turns `fd: int, _, size: long` into arguments with their positions.
macro_rules! places {
    ([$($done:expr,)*] $at:expr;) => { &[$($done,)*] };
    ([$($done:expr,)*] $at:expr; _ $(, $($rest:tt)*)?) => { places!([$($done,)*] $at + 1; $($($rest)*)?) };
    ([$($done:expr,)*] $at:expr; $name:ident: $width:ident $(, $($rest:tt)*)?) => {
        places!(
            [$($done,)* Argument { name: stringify!($name), index: $at, dword: is_dword(stringify!($width)) },]
            $at + 1; $($($rest)*)?
        )
    };
}

macro_rules! calls {
    ($($call:ident($($arguments:tt)*);)*) => {
        const UNSORTED: [(&str, &[Argument]); [$(stringify!($call)),*].len()] =
            [$((stringify!($call), places!([] 0; $($arguments)*))),*];
    };
}

const fn is_dword(width: &str) -> bool {
    match width.as_bytes() {
        b"int" => true,
        b"long" => false,
        _ => panic!("an argument is int or long"),
    }
}

calls! {
    // Files.
    read(fd: int, _, count: long);
    write(fd: int, _, count: long);
    pread64(fd: int, _, count: long, offset: long);
    pwrite64(fd: int, _, count: long, offset: long);
    readv(fd: int, _, iovcnt: long);
    writev(fd: int, _, iovcnt: long);
    preadv(fd: int, _, iovcnt: long);
    pwritev(fd: int, _, iovcnt: long);
    preadv2(fd: int, _, iovcnt: long, _, _, flags: int);
    pwritev2(fd: int, _, iovcnt: long, _, _, flags: int);
    lseek(fd: int, offset: long, whence: int);
    open(_, flags: int, mode: int);
    openat(dirfd: int, _, flags: int, mode: int);
    openat2(dirfd: int, _, _, size: long);
    open_by_handle_at(mount_fd: int, _, flags: int);
    name_to_handle_at(dirfd: int, _, _, _, flags: int);
    creat(_, mode: int);
    close(fd: int);
    close_range(first: int, last: int, flags: int);
    dup(oldfd: int);
    dup2(oldfd: int, newfd: int);
    dup3(oldfd: int, newfd: int, flags: int);
    fcntl(fd: int, cmd: int, arg: long);
    ioctl(fd: int, request: int, arg: long);
    flock(fd: int, operation: int);
    fsync(fd: int);
    fdatasync(fd: int);
    syncfs(fd: int);
    sync_file_range(fd: int, offset: long, nbytes: long, flags: int);
    fadvise64(fd: int, offset: long, len: long, advice: int);
    fallocate(fd: int, mode: int, offset: long, len: long);
    truncate(_, length: long);
    ftruncate(fd: int, length: long);
    fstat(fd: int);
    newfstatat(dirfd: int, _, _, flags: int);
    statx(dirfd: int, _, flags: int, mask: int);
    fstatfs(fd: int);
    access(_, mode: int);
    faccessat(dirfd: int, _, mode: int);
    faccessat2(dirfd: int, _, mode: int, flags: int);
    chmod(_, mode: int);
    fchmod(fd: int, mode: int);
    fchmodat(dirfd: int, _, mode: int);
    fchmodat2(dirfd: int, _, mode: int, flags: int);
    chown(_, owner: int, group: int);
    lchown(_, owner: int, group: int);
    fchown(fd: int, owner: int, group: int);
    fchownat(dirfd: int, _, owner: int, group: int, flags: int);
    mkdir(_, mode: int);
    mkdirat(dirfd: int, _, mode: int);
    mknod(_, mode: int, dev: int);
    mknodat(dirfd: int, _, mode: int, dev: int);
    unlinkat(dirfd: int, _, flags: int);
    renameat(olddirfd: int, _, newdirfd: int);
    renameat2(olddirfd: int, _, newdirfd: int, _, flags: int);
    linkat(olddirfd: int, _, newdirfd: int, _, flags: int);
    symlinkat(_, newdirfd: int);
    readlinkat(dirfd: int, _, _, bufsiz: int);
    utimensat(dirfd: int, _, _, flags: int);
    futimesat(dirfd: int);
    umask(mask: int);
    fchdir(fd: int);
    getdents(fd: int, _, count: int);
    getdents64(fd: int, _, count: int);
    setxattr(_, _, _, size: long, flags: int);
    lsetxattr(_, _, _, size: long, flags: int);
    fsetxattr(fd: int, _, _, size: long, flags: int);
    fgetxattr(fd: int);
    flistxattr(fd: int);
    fremovexattr(fd: int);
    setxattrat(dirfd: int, _, flags: int);
    getxattrat(dirfd: int, _, flags: int);
    listxattrat(dirfd: int, _, flags: int);
    removexattrat(dirfd: int, _, flags: int);
    file_getattr(dirfd: int, _, _, size: long, flags: int);
    file_setattr(dirfd: int, _, _, size: long, flags: int);
    sendfile(out_fd: int, in_fd: int, _, count: long);
    copy_file_range(fd_in: int, _, fd_out: int, _, size: long, flags: int);
    splice(fd_in: int, _, fd_out: int, _, size: long, flags: int);
    tee(fd_in: int, fd_out: int, size: long, flags: int);
    vmsplice(fd: int, _, nr_segs: long, flags: int);
    pipe2(_, flags: int);
    memfd_create(_, flags: int);
    memfd_secret(flags: int);
    cachestat(fd: int, _, _, flags: int);
    readahead(fd: int, offset: long, count: long);
    inotify_init1(flags: int);
    inotify_add_watch(fd: int, _, mask: int);
    fanotify_init(flags: int, event_f_flags: int);
    fanotify_mark(fanotify_fd: int, flags: int, mask: long, dirfd: int);
    quotactl(op: int, _, id: int);
    quotactl_fd(fd: int, op: int, id: int);
    // Sockets.
    socket(family: int, type: int, protocol: int);
    socketpair(family: int, type: int, protocol: int);
    bind(sockfd: int, _, addrlen: int);
    connect(sockfd: int, _, addrlen: int);
    listen(sockfd: int, backlog: int);
    accept(sockfd: int);
    accept4(sockfd: int, _, _, flags: int);
    getsockname(sockfd: int);
    getpeername(sockfd: int);
    getsockopt(sockfd: int, level: int, optname: int);
    setsockopt(sockfd: int, level: int, optname: int, _, optlen: int);
    sendto(sockfd: int, _, len: long, flags: int, _, addrlen: int);
    recvfrom(sockfd: int, _, len: long, flags: int);
    sendmsg(sockfd: int, _, flags: int);
    recvmsg(sockfd: int, _, flags: int);
    sendmmsg(sockfd: int, _, vlen: int, flags: int);
    recvmmsg(sockfd: int, _, vlen: int, flags: int);
    shutdown(sockfd: int, how: int);
    // Processes, threads, namespaces.
    clone(flags: int);
    unshare(flags: int);
    setns(fd: int, nstype: int);
    execveat(dirfd: int, _, _, _, flags: int);
    exit(status: int);
    exit_group(status: int);
    wait4(pid: int, _, options: int);
    waitid(idtype: int, id: int, _, options: int);
    kill(pid: int, sig: int);
    tkill(tid: int, sig: int);
    tgkill(tgid: int, tid: int, sig: int);
    rt_sigqueueinfo(tgid: int, sig: int);
    rt_tgsigqueueinfo(tgid: int, tid: int, sig: int);
    pidfd_open(pid: int, flags: int);
    pidfd_getfd(pidfd: int, targetfd: int, flags: int);
    pidfd_send_signal(pidfd: int, sig: int, _, flags: int);
    process_madvise(pidfd: int, _, vlen: long, advice: int, flags: int);
    process_mrelease(pidfd: int, flags: int);
    process_vm_readv(pid: int, _, _, _, _, flags: long);
    process_vm_writev(pid: int, _, _, _, _, flags: long);
    ptrace(request: long, pid: int);
    kcmp(pid1: int, pid2: int, type: int, idx1: long, idx2: long);
    prctl(option: int, arg2: long, arg3: long, arg4: long, arg5: long);
    arch_prctl(code: int, addr: long);
    personality(persona: int);
    seccomp(operation: int, flags: int);
    landlock_create_ruleset(_, size: long, flags: int);
    landlock_add_rule(ruleset_fd: int, rule_type: int, _, flags: int);
    landlock_restrict_self(ruleset_fd: int, flags: int);
    getpgid(pid: int);
    setpgid(pid: int, pgid: int);
    getsid(pid: int);
    setuid(uid: int);
    setgid(gid: int);
    setreuid(ruid: int, euid: int);
    setregid(rgid: int, egid: int);
    setresuid(ruid: int, euid: int, suid: int);
    setresgid(rgid: int, egid: int, sgid: int);
    setfsuid(fsuid: int);
    setfsgid(fsgid: int);
    setgroups(size: int);
    getpriority(which: int, who: int);
    setpriority(which: int, who: int, prio: int);
    ioprio_get(which: int, who: int);
    ioprio_set(which: int, who: int, ioprio: int);
    getrlimit(resource: int);
    setrlimit(resource: int);
    prlimit64(pid: int, resource: int);
    getrusage(who: int);
    sched_setscheduler(pid: int, policy: int);
    sched_getscheduler(pid: int);
    sched_setparam(pid: int);
    sched_setattr(pid: int, _, flags: int);
    sched_getattr(pid: int, _, size: int, flags: int);
    sched_setaffinity(pid: int, cpusetsize: int);
    sched_getaffinity(pid: int, cpusetsize: int);
    futex(_, futex_op: int, val: int);
    futex_waitv(_, nr_futexes: int, flags: int, _, clockid: int);
    futex_wake(_, mask: long, nr: int, flags: int);
    futex_wait(_, val: long, mask: long, flags: int, _, clockid: int);
    membarrier(cmd: int, flags: int, cpu_id: int);
    rseq(_, rseq_len: int, flags: int, sig: int);
    rt_sigaction(signum: int);
    rt_sigprocmask(how: int);
    // Memory.
    mmap(addr: long, length: long, prot: int, flags: int, fd: int, offset: long);
    munmap(addr: long, length: long);
    mprotect(addr: long, len: long, prot: int);
    pkey_mprotect(addr: long, len: long, prot: int, pkey: int);
    pkey_alloc(flags: int, access_rights: int);
    mremap(old_address: long, old_size: long, new_size: long, flags: int);
    madvise(addr: long, length: long, advice: int);
    msync(addr: long, length: long, flags: int);
    mlock(addr: long, len: long);
    mlock2(addr: long, len: long, flags: int);
    mlockall(flags: int);
    mseal(addr: long, len: long, flags: long);
    map_shadow_stack(addr: long, size: long, flags: int);
    mbind(addr: long, len: long, mode: int, _, maxnode: long, flags: int);
    set_mempolicy(mode: int, _, maxnode: long);
    userfaultfd(flags: int);
    // System V and POSIX IPC.
    shmget(key: int, size: long, shmflg: int);
    shmat(shmid: int, _, shmflg: int);
    shmctl(shmid: int, op: int);
    semget(key: int, nsems: int, semflg: int);
    semctl(semid: int, semnum: int, op: int);
    msgget(key: int, msgflg: int);
    msgctl(msqid: int, op: int);
    mq_open(_, oflag: int, mode: int);
    // Time.
    clock_gettime(clockid: int);
    clock_settime(clockid: int);
    clock_getres(clockid: int);
    clock_adjtime(clockid: int);
    clock_nanosleep(clockid: int, flags: int);
    timer_create(clockid: int);
    timer_settime(_, flags: int);
    timerfd_create(clockid: int, flags: int);
    timerfd_settime(fd: int, flags: int);
    getitimer(which: int);
    setitimer(which: int);
    // Events.
    eventfd2(initval: int, flags: int);
    signalfd4(fd: int, _, sizemask: long, flags: int);
    epoll_create1(flags: int);
    epoll_ctl(epfd: int, op: int, fd: int);
    getrandom(_, buflen: long, flags: int);
    // Keys.
    keyctl(operation: int, arg2: long, arg3: long, arg4: long, arg5: long);
    add_key(_, _, _, plen: long, keyring: int);
    request_key(_, _, _, dest_keyring: int);
    // Mounts.
    mount(_, _, _, mountflags: int);
    umount2(_, flags: int);
    fsopen(_, flags: int);
    fsconfig(fd: int, cmd: int, _, _, aux: int);
    fsmount(fsfd: int, flags: int, attr_flags: int);
    fspick(dirfd: int, _, flags: int);
    open_tree(dirfd: int, _, flags: int);
    open_tree_attr(dirfd: int, _, flags: int, _, size: long);
    move_mount(from_dirfd: int, _, to_dirfd: int, _, flags: int);
    mount_setattr(dirfd: int, _, flags: int, _, size: long);
    // The machine.
    bpf(cmd: int, _, size: int);
    perf_event_open(_, pid: int, cpu: int, group_fd: int, flags: long);
    io_uring_setup(entries: int);
    io_uring_enter(fd: int, to_submit: int, min_complete: int, flags: int);
    io_uring_register(fd: int, op: int, _, nr_args: int);
    init_module(_, len: long);
    finit_module(fd: int, _, flags: int);
    delete_module(_, flags: int);
    kexec_load(_, nr_segments: long, _, flags: long);
    kexec_file_load(kernel_fd: int, initrd_fd: int, _, _, flags: long);
    reboot(magic: int, magic2: int, op: int);
    swapon(_, swapflags: int);
    syslog(type: int, _, len: int);
    iopl(level: int);
    ioperm(from: long, num: long, turn_on: int);
    lsm_get_self_attr(attr: int, _, _, flags: int);
    lsm_set_self_attr(attr: int, _, size: int, flags: int);
}
