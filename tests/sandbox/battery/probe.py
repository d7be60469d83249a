# The attack battery: tries to get out of the sandbox that it runs in, or to look out, and says of every attempt what came of it, one line each:
# the name, `held` or `BROKEN`, and a detail. Arguments: what outside.py says, with the numbers of the system calls, and the names of
# what is to be tried; without any, everything.
#
# Arguments of system calls are such that no attempt changes anything outside, whoever runs it: they are invalid, so that what the kernel
# says of them (EINVAL, EFAULT, EBADF) tells that nobody has stood in the way.
import ctypes, errno, fcntl, json, mmap, os, resource, signal, socket, struct, sys, termios, time

F = json.loads(sys.argv[1])
FDS = sorted(int(it) for it in os.listdir("/proc/self/fd"))[:-1]
libc = ctypes.CDLL(None, use_errno=True)
CHECKS = {}
WALL = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EROFS, errno.EAFNOSUPPORT, errno.ENOSPC}

class Broken(Exception):
    pass

def check(name):
    def add(function):
        CHECKS[name] = function
        return function
    return add

def nr(name):
    number = F["nr"].get(name)
    if number is None:
        raise LookupError(f"this machine has no {name}")
    return number

def call(name, *args):
    """A system call's result and errno."""
    number = nr(name) if isinstance(name, str) else name
    ctypes.set_errno(0)
    plain = [it if isinstance(it, (bytes, ctypes.Array)) else ctypes.c_long(it) for it in args]
    result = libc.syscall(ctypes.c_long(number), *plain)
    return result, ctypes.get_errno() if result == -1 else 0

def code(number):
    return errno.errorcode.get(number, str(number))

def refused(name, *args):
    """The call is refused by a wall, and not by what the kernel thinks of its arguments."""
    result, number = call(name, *args)
    if number not in WALL:
        raise Broken(f"{name} gives {result} {code(number)}")
    return code(number)

def fails(action, *more):
    """The action ends with an error that a wall gives, or with one of `more`."""
    try:
        result = action()
    except OSError as error:
        if error.errno in WALL | set(more):
            return code(error.errno)
        raise Broken(code(error.errno))
    raise Broken(f"done: {str(result)[:60]}")

def opened(path, flags):
    fd = os.open(path, flags)
    os.close(fd)
    return "opened " + path

def closed(path, flags=os.O_RDONLY):
    return fails(lambda: opened(path, flags), errno.ENOENT, errno.ENXIO, errno.ESRCH)

def silent(path):
    """What is masked is not there, cannot be opened, or is empty."""
    def read():
        fd = os.open(path, os.O_RDONLY)
        if os.read(fd, 64):
            return "read " + path
        raise OSError(errno.ENOENT, "empty")
    return fails(read, errno.ENOENT, errno.EISDIR, errno.EIO)

def status(field):
    return [line.split(":", 1)[1].strip() for line in open("/proc/self/status") if line.startswith(field + ":")][0]

def expect(good, detail):
    if not good:
        raise Broken(str(detail))
    return str(detail)

# --- namespaces ---------------------------------------------------------------------------------------------------------

for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]:
    check("ns-" + kind)(lambda kind=kind: expect(os.readlink("/proc/self/ns/" + kind) != F["ns"][kind], F["ns"][kind]))

for name in ["NEWUSER", "NEWNET", "NEWNS", "NEWPID", "NEWIPC", "NEWUTS", "NEWCGROUP"]:
    flag = {"NEWNS": 0x20000, "NEWCGROUP": 0x2000000, "NEWUTS": 0x4000000, "NEWIPC": 0x8000000, "NEWUSER": 0x10000000,
            "NEWPID": 0x20000000, "NEWNET": 0x40000000}[name]
    check("unshare-" + name)(lambda flag=flag: refused("unshare", flag))

@check("clone-NEWUSER")
def clone_user():
    result, number = call("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if result == 0:
        os._exit(0)
    if result > 0:
        os.waitpid(result, 0)
    return expect(number in WALL, f"{result} {code(number)}")

@check("clone3")
def clone3():
    # libc falls back to clone, whose flags a filter can see, on ENOSYS alone.
    _, number = call("clone3", 0, 0)
    return expect(number in WALL, code(number))

check("setns")(lambda: refused("setns", -1, 0))
check("setns-of-init")(lambda: closed("/proc/1/ns/mnt"))

# --- processes outside ----------------------------------------------------------------------------------------------------

def victim(name):
    return f"/proc/{F['pid']}/{name}"

def is_another():
    """Processes outside have other numbers inside: whatever has this one is not it, unless it has its name."""
    try:
        return F["token"].encode() not in open(victim("cmdline"), "rb").read()
    except OSError:
        return False

def on_victim(name):
    def add(function):
        check(name)(lambda: "a process of the sandbox's own" if is_another() else function())
        return function
    return add

on_victim("host-process-visible")(lambda: closed(victim("cmdline")))
on_victim("host-process-signal")(lambda: fails(lambda: os.kill(F["pid"], 0), errno.ESRCH))
on_victim("host-process-environ")(lambda: fails(lambda: open(victim("environ"), "rb").read(), errno.ENOENT))
on_victim("host-process-memory")(lambda: closed(victim("mem")))
on_victim("host-process-root")(lambda: fails(lambda: os.listdir(victim("root")), errno.ENOENT))
on_victim("host-process-fds")(lambda: fails(lambda: os.listdir(victim("fd")), errno.ENOENT))

@on_victim("host-process-ptrace")
def ptrace_host():
    _, number = call("ptrace", 0x4206, F["pid"], 0, 0)
    return expect(number in WALL | {errno.ESRCH}, code(number))

def vector(address):
    return (ctypes.c_ulong * 2)(address, 1)

@on_victim("host-process-read")
def read_host():
    own = ctypes.create_string_buffer(1)
    _, number = call("process_vm_readv", F["pid"], vector(ctypes.addressof(own)), 1, vector(1), 1, 0)
    return expect(number in WALL | {errno.ESRCH}, code(number))

@on_victim("host-process-pidfd")
def pidfd_host():
    pidfd, number = call("pidfd_open", F["pid"], 0)
    if number == 0:
        return refused("pidfd_getfd", pidfd, 0, 0)
    return expect(number in WALL | {errno.ESRCH}, code(number))

# --- the init of the sandbox, which was a copy of nsl once ------------------------------------------------------------------

check("init-memory")(lambda: closed("/proc/1/mem"))
check("init-environ")(lambda: fails(lambda: open("/proc/1/environ", "rb").read()))
check("init-root")(lambda: fails(lambda: os.listdir("/proc/1/root")))
check("init-cwd")(lambda: fails(lambda: os.listdir("/proc/1/cwd")))
check("init-fds")(lambda: fails(lambda: os.listdir("/proc/1/fd")))
check("init-program")(lambda: closed("/proc/1/exe"))
check("init-oom-score")(lambda: closed("/proc/1/oom_score_adj", os.O_WRONLY))

@check("init-ptrace")
def ptrace_init():
    _, number = call("ptrace", 0x4206, 1, 0, 0)
    return expect(number in WALL, code(number))

@check("runtime-program")
def runtime():
    """No process has nsl's own file as its program, where it could be overwritten from inside: CVE-2019-5736."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.path.basename(os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")) == "nsl":
                found.append(pid)
        except OSError:
            pass
    return expect(not found, found)

# --- files ----------------------------------------------------------------------------------------------------------------

@check("write-tree")
def write_tree():
    path = os.path.join(F["dir"], "written")
    return fails(lambda: opened(path, os.O_WRONLY | os.O_CREAT), errno.ENOENT)

check("read-hidden")(lambda: fails(lambda: open(F["hidden"]).read(), errno.ENOENT))

def mounts():
    """Target, flags, type of everything that is mounted."""
    for line in open("/proc/self/mountinfo"):
        left, right = line.split(" - ", 1)
        fields = left.split()
        yield fields[4], set(fields[5].split(",")), right.split()[0]

def is_node(path):
    try:
        return not (os.path.isdir(path) or os.path.isfile(path))
    except OSError:
        return False

check("mounts-nosuid")(lambda: expect(not [it for it in mounts() if "nosuid" not in it[1]], [it for it in mounts() if "nosuid" not in it[1]]))

@check("mounts-nodev")
def nodev():
    with_devices = [it for it in mounts() if "nodev" not in it[1] and it[2] != "devpts" and not is_node(it[0])]
    return expect(not with_devices, with_devices)

@check("mounts-read-only")
def read_only():
    own = {"tmpfs", "ramfs", "devpts", "mqueue", "proc"}
    writable = [it for it in mounts() if "ro" not in it[1] and it[2] not in own and not it[0].startswith(tuple(F["writable"])) and not is_node(it[0])]
    return expect(not writable, writable)

@check("tmp-noexec")
def tmp_noexec():
    path = "/tmp/program"
    with open(path, "wb") as out, open("/usr/bin/true", "rb") as program:
        out.write(program.read())
    os.chmod(path, 0o755)
    return fails(lambda: os.posix_spawn(path, [path], {}))

@check("tmp-bounded")
def tmp_bounded():
    of = os.statvfs("/tmp")
    return expect(of.f_blocks * of.f_frsize <= 1 << 30, of.f_blocks * of.f_frsize)

check("device-made")(lambda: fails(lambda: os.mknod("/tmp/mem", 0o20600, os.makedev(1, 1))))

DEVICES = {"core", "console", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"}
check("devices")(lambda: expect(set(os.listdir("/dev")) <= DEVICES, sorted(set(os.listdir("/dev")) - DEVICES)))
check("device-disk")(lambda: [closed("/dev/" + it) for it in ["vda", "sda", "nvme0n1", "mem", "kmsg"]] and "none")

@check("by-handle")
def by_handle():
    """A handle of the root directory, whichever file system it is of: open_by_handle_at(2) needs no path to it."""
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + b"\0" * 128)
    mount = (ctypes.c_int * 1)()
    call("name_to_handle_at", -100, b"/usr", handle, mount, 0)
    fd = os.open("/usr", os.O_RDONLY)
    return refused("open_by_handle_at", fd, handle, os.O_RDONLY)

@check("chroot-escape")
def chroot_escape():
    """The old way out of a chroot: a second one, with a working directory outside of it."""
    before = os.stat("/")
    outside = os.open("/", os.O_RDONLY)
    try:
        os.chroot("/tmp")
    except OSError as error:
        return code(error.errno)
    os.fchdir(outside)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    after = os.stat("/")
    return expect((before.st_dev, before.st_ino) == (after.st_dev, after.st_ino), "another root")

check("working-directory")(lambda: expect(os.getcwd().startswith("/"), os.getcwd()))
check("descriptors")(lambda: expect(FDS == [0, 1, 2], FDS))
check("repository-hooks")(lambda: fails(lambda: opened(F["work"] + "/.git/hooks/post-commit", os.O_WRONLY | os.O_CREAT), errno.ENOENT))
check("repository-secrets")(lambda: silent(F["work"] + "/.env"))

# --- /proc, /sys, cgroups -----------------------------------------------------------------------------------------------------

for name in ["kcore", "keys", "kmsg", "timer_list", "sched_debug", "latency_stats", "interrupts", "mtrr", "vmcore"]:
    check("proc-" + name)(lambda name=name: silent("/proc/" + name))
for name in ["acpi", "asound", "scsi"]:
    check("proc-" + name)(lambda name=name: fails(lambda: os.listdir("/proc/" + name) or (_ for _ in ()).throw(OSError(errno.ENOENT, "empty")), errno.ENOENT, errno.ENOTDIR))
for name in ["sysrq-trigger", "sys/kernel/core_pattern", "sys/kernel/modprobe", "sys/vm/drop_caches", "sys/net/ipv4/ip_forward", "irq/default_smp_affinity"]:
    check("proc-write-" + name.replace("/", "-"))(lambda name=name: closed("/proc/" + name, os.O_WRONLY))

check("sys-write")(lambda: [closed("/sys/" + it, os.O_WRONLY) for it in ["power/state", "kernel/profiling", "kernel/mm/ksm/run", "kernel/uevent_helper"]] and "none")
check("sys-firmware")(lambda: fails(lambda: os.listdir("/sys/firmware") or (_ for _ in ()).throw(OSError(errno.ENOENT, "empty")), errno.ENOENT, errno.ENOTDIR))

@check("cgroup-write")
def cgroup_write():
    for top, _, files in os.walk("/sys/fs/cgroup"):
        for name in {"cgroup.procs", "release_agent"} & set(files):
            closed(os.path.join(top, name), os.O_WRONLY)
        if top.count("/") > 5:
            break
    return "none"

# --- identity -------------------------------------------------------------------------------------------------------------------

check("outer-root")(lambda: expect(all(int(line.split()[1]) != 0 for line in open("/proc/self/uid_map")), open("/proc/self/uid_map").read().split()))
check("become-root")(lambda: fails(lambda: os.setuid(0), errno.EINVAL))
check("become-another")(lambda: fails(lambda: os.setresuid(1, 1, 1), errno.EINVAL))
check("gain-groups")(lambda: fails(lambda: os.setgroups([0]), errno.EINVAL))
check("groups-of-the-caller")(lambda: expect(set(os.getgroups()) <= {os.getgid()} | ({65534} if F["groups"] else set()), os.getgroups()))
for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]:
    check(name)(lambda name=name: expect(int(status(name), 16) == 0, status(name)))
check("no-new-privs")(lambda: expect(status("NoNewPrivs") == "1", status("NoNewPrivs")))
check("filter")(lambda: expect(status("Seccomp") == "2", status("Seccomp")))

# --- mounts -----------------------------------------------------------------------------------------------------------------------

@check("mount")
def mount():
    result, number = call("mount", b"none", b"/tmp", b"tmpfs", 0, 0)
    if result == 0:
        call("umount2", b"/tmp", 2)
    return expect(number in WALL, code(number))

def remount(path):
    """Only the flags of the mount, never those of the file system."""
    _, number = call("mount", b"none", path, b"none", 32 | 4096 | 2 | 4, 0)
    return expect(number in WALL, code(number))

check("remount")(lambda: remount(b"/"))
check("bind-mount")(lambda: refused("mount", b"/usr", b"/tmp", b"", 4096, 0))
check("umount")(lambda: refused("umount2", b"/no/such/place", 2))
check("uncover")(lambda: refused("umount2", b"/proc/sysrq-trigger", 2))
check("pivot_root")(lambda: refused("pivot_root", b"/", b"/"))
check("chroot")(lambda: fails(lambda: os.chroot("/")))
check("open_tree")(lambda: refused("open_tree", -1, b"", 1))
check("move_mount")(lambda: refused("move_mount", -1, b"", -1, b"", 0x4))
check("fsopen")(lambda: refused("fsopen", b"no such type", 0))
check("fspick")(lambda: refused("fspick", -1, b"", 0x8))
check("fsconfig")(lambda: refused("fsconfig", -1, 99, 0, 0, 0))
check("fsmount")(lambda: refused("fsmount", -1, 0, 0))
check("mount_setattr")(lambda: refused("mount_setattr", -1, b"/", 0, (ctypes.c_ulong * 4)(1, 0, 0, 0), 32))

# --- other doors of the kernel -----------------------------------------------------------------------------------------------------

buffer = ctypes.create_string_buffer(256)
check("keyctl")(lambda: refused("keyctl", 9999, 0, 0, 0))
check("add_key")(lambda: refused("add_key", 1, 1, 0, 0, 0))
check("request_key")(lambda: refused("request_key", 1, 1, 0, 0))
check("bpf")(lambda: refused("bpf", 9999, buffer, 8))
check("perf_event_open")(lambda: refused("perf_event_open", buffer, 0, 0, -1, 0xffff))
check("userfaultfd")(lambda: refused("userfaultfd", 1))
check("io_uring_setup")(lambda: refused("io_uring_setup", 0, buffer))
check("io_uring_enter")(lambda: refused("io_uring_enter", -1, 0, 0, 0, 0))
check("io_uring_register")(lambda: refused("io_uring_register", -1, 99, 0, 0))
check("init_module")(lambda: refused("init_module", 0, 0, b""))
check("finit_module")(lambda: refused("finit_module", -1, b"", 0))
check("delete_module")(lambda: refused("delete_module", b"nsl_no_such_module", os.O_NONBLOCK))
check("kexec_load")(lambda: refused("kexec_load", 0, 0, 0, 0xff))
check("kexec_file_load")(lambda: refused("kexec_file_load", -1, -1, 0, 0, 0xff))
check("reboot")(lambda: refused("reboot", 1, 2, 3, 0))
check("swapon")(lambda: refused("swapon", 1, 0))
check("swapoff")(lambda: refused("swapoff", 1))
check("acct")(lambda: refused("acct", 1))
check("settimeofday")(lambda: refused("settimeofday", 0, 0))
check("clock_settime")(lambda: refused("clock_settime", 0, (ctypes.c_long * 2)(0, 2_000_000_000)))
check("clock_adjtime")(lambda: refused("clock_adjtime", 0, buffer))
check("adjtimex")(lambda: refused("adjtimex", buffer))
check("sethostname")(lambda: refused("sethostname", b"x", 9999))
check("setdomainname")(lambda: refused("setdomainname", b"x", 9999))
check("kernel-log")(lambda: refused("syslog", 10, 0, 0))
check("vhangup")(lambda: os.setsid() and refused("vhangup"))
check("quotactl")(lambda: refused("quotactl", 0xffff09, 0, 0, 0))
check("iopl")(lambda: refused("iopl", 9))
check("modify_ldt")(lambda: refused("modify_ldt", 0, buffer, 0))
check("fanotify_init")(lambda: refused("fanotify_init", 0x200, 0))
check("kcmp")(lambda: refused("kcmp", os.getpid(), os.getpid(), 99, 0, 0))
check("pidfd_getfd")(lambda: refused("pidfd_getfd", -1, -1, 0))
check("personality")(lambda: refused("personality", 0x0040000))
check("ptrace")(lambda: refused("ptrace", 9999, 0, 0, 0))
check("process_vm_readv")(lambda: refused("process_vm_readv", os.getpid(), vector(1), 1, vector(1), 1, 99))
check("process_vm_writev")(lambda: refused("process_vm_writev", os.getpid(), vector(1), 1, vector(1), 1, 99))
check("open_by_handle_at")(lambda: refused("open_by_handle_at", -1, 0, 0))

@check("caller-keyring")
def caller_keyring():
    result, number = call("keyctl", 0, -3, 0)
    return expect(result != F["keyring"], f"{result} {code(number)}")

# --- other instruction sets ----------------------------------------------------------------------------------------------------------

@check("abi-i386")
def i386():
    if os.uname().machine != "x86_64":
        return "no such ABI"
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")    # mov eax, 20 (getpid); int 0x80; ret
    result = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    return expect(result < 0, result)

@check("abi-x32")
def x32():
    if os.uname().machine != "x86_64":
        return "no such ABI"
    result, number = call(0x40000000 | 39)
    return expect(result < 0, f"{result} {code(number)}")

# --- the terminal -----------------------------------------------------------------------------------------------------------------------

def at_terminal(request, argument):
    _, slave = os.openpty()
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    return fails(lambda: fcntl.ioctl(slave, request, argument))

check("TIOCSTI")(lambda: at_terminal(termios.TIOCSTI, b"x"))
check("TIOCLINUX")(lambda: at_terminal(0x541c, b"\xff"))
check("controlling-terminal")(lambda: closed("/dev/tty", os.O_RDWR))

# --- the network and other ways to talk ---------------------------------------------------------------------------------------------------

def connect(family, address):
    it = socket.socket(family)
    it.settimeout(2)
    it.connect(address)
    return "connected"

check("host-loopback")(lambda: fails(lambda: connect(socket.AF_INET, ("127.0.0.1", F["port"])), errno.ECONNREFUSED, errno.ENETUNREACH))
check("abstract-socket")(lambda: fails(lambda: connect(socket.AF_UNIX, "\0" + F["token"]), errno.ECONNREFUSED))

@check("interfaces")
def interfaces():
    names = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
    # What every new namespace has where these drivers are built in.
    return expect(set(names) <= {"lo", "sit0", "ip6tnl0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6gre0"}, names)

for name, args in {
    "packet-socket": (17, socket.SOCK_RAW, 0), "raw-socket": (socket.AF_INET, socket.SOCK_RAW, 1),
    "raw-socket-6": (socket.AF_INET6, socket.SOCK_RAW, 58), "netlink-audit": (16, socket.SOCK_RAW, 9), "netlink-uevent": (16, socket.SOCK_DGRAM, 15),
    "netlink-netfilter": (16, socket.SOCK_RAW, 12), "vsock": (40, socket.SOCK_STREAM, 0), "alg-socket": (38, socket.SOCK_SEQPACKET, 0),
    "key-socket": (15, socket.SOCK_RAW, 2), "bluetooth-socket": (31, socket.SOCK_RAW, 1), "xdp-socket": (44, socket.SOCK_RAW, 0),
}.items():
    # A family that this kernel lacks is refused by its absence; so is one that a filter says is not there.
    check(name)(lambda args=args: fails(lambda: socket.socket(*args) and "a socket", errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT))

def absent(result, number):
    return expect(result < 0 and number in WALL | {errno.ENOENT}, f"{result} {code(number)}")

check("sysv-shared-memory")(lambda: absent(*call("shmget", F["key"], 0, 0)))
check("sysv-messages")(lambda: absent(*call("msgget", F["key"], 0)))
check("sysv-semaphores")(lambda: absent(*call("semget", F["key"], 0, 0)))
check("posix-queue")(lambda: absent(*call("mq_open", F["token"].encode(), os.O_RDWR, 0, 0)))
check("posix-shared-memory")(lambda: expect(not os.path.exists("/dev/shm/" + F["token"]), F["token"]))

# --- what it was given ----------------------------------------------------------------------------------------------------------------------

check("environment")(lambda: expect("NSL_SECRET" not in os.environ, sorted(os.environ)))

@check("secret-of-others")
def secret_of_others():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ["environ", "cmdline"]:
            try:
                # Not in one word: this text is in a command line too.
                if b"-".join([b"correct", b"horse"]) in open(f"/proc/{pid}/{name}", "rb").read():
                    found.append(f"{pid}/{name}")
            except OSError:
                pass
    return expect(not found, found)

@check("fork-bomb")
def fork_bomb():
    children = []
    try:
        for _ in range(F["tasks"] + 8):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
        return expect(False, f"{len(children)} processes")
    except BlockingIOError:
        return f"{len(children)} processes"
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

# --------------------------------------------------------------------------------------------------------------------------------------------

def attempt(function):
    """In a process of its own, so that no attempt helps or hinders the next, and a filter may kill it."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            word, detail = "held", function()
        except Broken as broken:
            word, detail = "BROKEN", broken
        except LookupError as missing:
            word, detail = "held", missing
        except OSError as error:
            word, detail = "held" if error.errno in WALL else "ERROR", error
        except BaseException as error:
            word, detail = "ERROR", repr(error)
        os.write(write, f"{word}\t{str(detail)[:200]}".encode())
        os._exit(0)
    os.close(write)
    said = b""
    while piece := os.read(read, 4096):
        said += piece
    os.close(read)
    _, ended = os.waitpid(pid, 0)
    if os.WIFSIGNALED(ended):
        number = os.WTERMSIG(ended)
        # SIGSEGV is what an instruction gets that this kernel does not have.
        return f"held\tkilled by {signal.Signals(number).name}" if number in (signal.SIGSYS, signal.SIGSEGV) else f"ERROR\tkilled by {number}"
    return said.decode().replace("\n", " ")

if sys.argv[2:] == ["list"]:
    print("\n".join(CHECKS))
else:
    for name in sys.argv[2:] or CHECKS:
        print(f"{name}\t{attempt(CHECKS[name])}", flush=True)
