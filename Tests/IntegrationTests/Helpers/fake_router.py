"""Somebody who is not the router, at its place: `fake_router.py KIND NAME` listens at the abstract NAME."""
import array
import os
import random
import socket
import struct
import sys
import time

MAGIC = 0x4D494C53
SO_NETNS_COOKIE = 71
namespace = struct.unpack("=Q", socket.socket().getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8))[0]


def greeting(version=1, magic=MAGIC):
    return struct.pack("=IHHII", magic, version, 1, 0, 0) + struct.pack("=QII", namespace, 8, 0) + os.urandom(160)


def reply(request, version=1, magic=MAGIC, verdict=0, extra=b""):
    operation, sequence = struct.unpack_from("=H", request, 6)[0], struct.unpack_from("=I", request, 8)[0]
    header = struct.pack("=IHHII", magic, version, operation, sequence, 0)
    return header + struct.pack("=IiQ", verdict, 0, 0) + bytes(64) + extra


def descriptors(count):
    control = array.array("i", [0] * count)
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, control)] if count else []


def garbage(link):
    """Messages of every length, with descriptors that nobody asked for."""
    while link.recv(4096):
        for _ in range(random.randrange(1, 5)):
            link.sendmsg([os.urandom(random.randrange(0, 300))], descriptors(random.randrange(0, 4)))


def almost(link):
    """A greeting, and answers that are nearly right: of another request, another version, too long, without descriptor."""
    link.send(greeting())
    while request := link.recv(4096):
        kind = random.randrange(6)
        if kind == 0:
            link.sendmsg([reply(request, magic=MAGIC ^ 1)], descriptors(1))
        elif kind == 1:
            link.sendmsg([reply(request, version=7)], descriptors(1))
        elif kind == 2:
            link.sendmsg([reply(request, extra=b"more")], descriptors(1))
        elif kind == 3:
            link.send(reply(request))
        elif kind == 4:
            link.send(reply(request, verdict=99))
        else:
            link.send(reply(request)[:40])


def version(link):
    """A router of another version: greets, and ends what it does not understand."""
    link.send(greeting(version=2))
    link.recv(4096)


def deaf(link):
    """Takes everything and says nothing."""
    while link.recv(4096):
        pass


def starting(link):
    """A router that has only just started: it has nothing to give yet."""
    link.send(greeting())
    while request := link.recv(4096):
        link.send(reply(request, verdict=1))


def rude(link):
    """Hangs up at once."""


kind, name = sys.argv[1:3]
random.seed(1)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == "stream" else socket.SOCK_SEQPACKET)
listener.bind("\0" + name)
listener.listen(0 if kind == "full" else 100)
if kind == "full":
    # Nobody accepts, and there is no room to wait.
    waiting = []
    while True:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.setblocking(False)
        waiting.append(client)
        try:
            client.connect("\0" + name)
        except BlockingIOError:
            break
print("ready", flush=True)
if kind in ("full", "stream"):
    time.sleep(1000)
while True:
    link, _ = listener.accept()
    if os.fork() == 0:
        listener.close()
        try:
            globals()[kind](link)
        except OSError:
            pass
        os._exit(0)
    link.close()
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
