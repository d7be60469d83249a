"""Somebody else's program: reads what it is given, writes what it is asked for, and reports what it can see."""

import os
import socket
import sys

print("arguments:", sys.argv[1:])
print("user and group:", os.getuid(), os.getgid())
print("host name:", socket.gethostname())
print("processes:", sorted(int(name) for name in os.listdir("/proc") if name.isdigit()))

try:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM)
except OSError as error:
    print("no internet:", error.strerror)

with open("/job/out/result.txt", "w") as result:
    result.write("done\n")
print("wrote /job/out/result.txt")
