"""Serves a port that is root's, to itself, from an address that only this network has."""
import fcntl, socket, struct, threading

def name_and(address):
    packed = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
    return struct.pack("16s16s8x", b"lo", packed)

control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(control, 0x8916, name_and("10.1.2.3"))  # SIOCSIFADDR

server = socket.create_server(("10.1.2.3", 80))
threading.Thread(target=lambda: server.accept()[0].sendall(b"hello from port 80\n")).start()
with socket.create_connection(("10.1.2.3", 80)) as client:
    print(client.getpeername(), client.recv(100).decode().strip())
