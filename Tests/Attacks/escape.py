"""A container that wants more than its connection: escape.py SERVER PORT SECRET-PORT [wait]

Connects to a server in the overlay, and then tries to use the socket for the loopback of the host. Says what came of it. With `wait` it
waits for a line before. System
calls are made without the C library, in which Slim would see them.
"""
import ctypes, errno, platform, socket, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
CONNECT = {"x86_64": 42, "aarch64": 203}[platform.machine()]


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    return 0 if result >= 0 else ctypes.get_errno()


def address(host, port):
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))


connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
connection.settimeout(None)
print("connected from", "%s:%d" % connection.getsockname()[:2], flush=True)
if "wait" in sys.argv:
    sys.stdin.readline()
call(CONNECT, connection.fileno(), address("0.0.0.0", 0).replace(b"\x02\x00", b"\x00\x00", 1), 16)
code = call(CONNECT, connection.fileno(), address("127.0.0.1", int(sys.argv[3])), 16)
if code:
    print("reconnect refused:", errno.errorcode[code])
else:
    print("reconnect read:", connection.recv(100).decode())
