"""One connection, which stays: `echo_once.py ADDRESS PORT`. Prints "host" or "overlay", for what carries it, when its bytes are
back."""
import socket
import sys
import time

NETNS_COOKIE = 71


def namespace(sock):
    return sock.getsockopt(socket.SOL_SOCKET, NETNS_COOKIE, 8)


with socket.socket() as sock:
    own = namespace(sock)
    sock.settimeout(30)
    sock.connect((sys.argv[1], int(sys.argv[2])))
    sent = bytes(range(250)) * 8
    sock.sendall(sent)
    back = b""
    while len(back) < len(sent):
        more = sock.recv(len(sent) - len(back))
        assert more, "it ended"
        back += more
    assert back == sent
    print("overlay" if namespace(sock) == own else "host", flush=True)
    time.sleep(60)
