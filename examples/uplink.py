"""Asks the one server that it may reach, and tries another."""

import socket
import sys


def ask(address, port):
    try:
        with socket.create_connection((address, port), timeout=10) as connection:
            return connection.recv(100).decode()
    except OSError as error:
        return error.strerror


server, port = sys.argv[1], int(sys.argv[2].split("/")[0])
print("the server says:", ask(server, port))
print("its neighbour:", ask(server, port + 1))
