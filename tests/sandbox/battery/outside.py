# What the battery looks for from inside: run by the caller, on the host. It says what it has made and where, as one line of JSON, and
# takes it away again when its input ends. Arguments: a name that nobody else uses, a directory that everybody may write to, and a file that is hidden.
import ctypes, json, os, signal, socket, sys

libc = ctypes.CDLL(None, use_errno=True)
token, open_dir, hidden, keyctl = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
key = int.from_bytes(os.urandom(3), "big") | 0x51000000
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\0" + token)
abstract.listen()
shm = libc.shmget(key, 4096, 0o1666)
msg = libc.msgget(key, 0o1666)
sem = libc.semget(key, 1, 0o1666)
with open("/dev/shm/" + token, "w") as file:
    file.write("of the host")
os.umask(0)
queue = libc.mq_open(b"/" + token.encode(), os.O_RDWR | os.O_CREAT, 0o666, None)
facts = {
    "token": token, "pid": os.getpid(), "dir": open_dir, "hidden": hidden,
    "port": listener.getsockname()[1], "key": key, "made": [shm >= 0, msg >= 0, sem >= 0, queue >= 0],
    "ns": {kind: os.readlink("/proc/self/ns/" + kind) for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]},
    "keyring": libc.syscall(ctypes.c_long(keyctl), ctypes.c_long(0), ctypes.c_long(-3), ctypes.c_long(0)),
    "groups": os.getgroups(),
}
print(json.dumps(facts), flush=True)
sys.stdin.read()
os.unlink("/dev/shm/" + token)
libc.mq_unlink(b"/" + token.encode())
libc.shmctl(shm, 0, None)
libc.msgctl(msg, 0, None)
libc.semctl(sem, 0, 0)
