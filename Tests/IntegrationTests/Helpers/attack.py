"""A hostile container: talks to the router's socket as no library does. One attack per run, named by the first argument."""
import array
import os
import random
import select
import socket
import struct
import sys
import time

MAGIC = 0x4D494C53
GREETING, CONNECT, LISTEN, LOOKUP, ORIGINAL, REAP = range(1, 7)


def dial():
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link.settimeout(10)
    link.connect("\0slim")
    return link


def greeted():
    link = dial()
    assert len(link.recv(4096)) == 192, "no greeting"
    return link


def request(operation, flags=0, sequence=1, destination=None, magic=MAGIC, version=1):
    address = bytes(24)
    if destination:
        address = struct.pack("=HHI", 2, destination[1], 0) + socket.inet_aton(destination[0]) + bytes(12)
    return struct.pack("=IHHII", magic, version, operation, sequence, flags) + address + bytes(24)


def send(link, data, descriptors=()):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    try:
        link.sendmsg([data], control)
    except OSError:
        pass


def answer(link):
    """The verdict, or None when the router has hung up."""
    try:
        data, control, _, _ = link.recvmsg(4096, 1024)
    except OSError:
        return None
    for _, _, passed in control:
        descriptors = array.array("i")
        descriptors.frombytes(passed[: len(passed) // 4 * 4])
        for each in descriptors:
            os.close(each)
    return struct.unpack_from("=I", data, 16)[0] if len(data) == 96 else None


def odd_descriptors():
    """Everything that is no fresh TCP socket of this container."""
    made = [open("/dev/null"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX)]
    made += [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)]
    numbers = [each.fileno() for each in made]
    ends = os.pipe()
    made.append(ends)
    poller = select.epoll()
    made.append(poller)
    return made, numbers + list(ends) + [poller.fileno(), os.memfd_create("x"), os.open("/", os.O_RDONLY)]


def garbage(seed):
    """Messages of every length with 0 to 20 descriptors of every wrong kind."""
    random.seed(int(seed))
    made, odd = odd_descriptors()
    tcp = socket.socket()
    for round in range(400):
        link = dial()
        for _ in range(random.randrange(1, 4)):
            kind = random.randrange(6)
            data = request(random.randrange(0, 9), random.getrandbits(32), random.getrandbits(32))
            if kind == 0:
                data = random.randbytes(random.randrange(0, 300))
            elif kind == 1:
                data = data[: random.randrange(0, 64)]
            elif kind == 2:
                data += bytes(random.choice([1, 100, 60000]))
            elif kind == 3:
                data = request(CONNECT, magic=random.getrandbits(32))
            elif kind == 4:
                data = request(CONNECT, version=random.randrange(2, 65536))
            count = random.choice([0, 1, 1, 1, 2, 3, 8, 9, 20])
            send(link, data, [random.choice(odd + [tcp.fileno()]) for _ in range(count)])
        link.close()
    print("done")


def kinds(_):
    """Well-formed requests with descriptors of the wrong kind: never answered with a descriptor."""
    made, odd = odd_descriptors()
    for operation in (CONNECT, LISTEN, LOOKUP, ORIGINAL, REAP):
        for descriptor in odd:
            link = greeted()
            send(link, request(operation, destination=("10.32.2.2", 80)), [descriptor])
            assert answer(link) in (None, 1), (operation, descriptor)
            link.close()
    print("done")


def versions(version):
    """A library of another version: it is hung up on; one of this version is served as before."""
    link = greeted()
    tcp = socket.socket()
    send(link, request(CONNECT, version=int(version)), [tcp.fileno()])
    assert answer(link) is None, "was answered"
    link = greeted()
    send(link, request(CONNECT, destination=("10.32.2.2", 9)), [tcp.fileno()])
    assert answer(link) == 1, "the next one was not served"
    print("done")


def foreign(paths):
    """Sockets of another namespace, in the name of this container. Run outside of both."""
    own, other = paths.split(",")
    with open(other) as namespace:
        setns(namespace.fileno())
    fresh = socket.socket()
    listening = socket.socket()
    listening.bind(("0.0.0.0", 0))
    listening.listen()
    with open(own) as namespace:
        setns(namespace.fileno())
    link = greeted()
    send(link, request(CONNECT, destination=("10.32.2.2", 80)), [fresh.fileno()])
    assert answer(link) is None, "connect"
    link = greeted()
    send(link, request(LISTEN), [listening.fileno()])
    assert answer(link) is None, "listen"
    print("done")


def setns(descriptor):
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


def silent(count):
    """Connections that say nothing, or half of something, and stay."""
    made = []
    for index in range(int(count)):
        try:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            link.settimeout(2)
            link.connect("\0slim")
            if index % 2:
                send(link, request(CONNECT)[:32])
            made.append(link)
        except OSError:
            time.sleep(0.001)
    print(f"holding {len(made)}", flush=True)
    sys.stdin.read()


def halves(count):
    """Requests that end in the middle, on a connection each: every one is hung up on."""
    for index in range(int(count)):
        link = dial()
        send(link, request(index % 7)[: 1 + index % 63])
        assert len(link.recv(4096)) == 192, "no greeting"
        assert answer(link) is None, "half a request was answered"
        link.close()
    print("done")


def gone(count):
    """Asks and goes away: the router's answer, or what was given, finds nobody."""
    for index in range(int(count)):
        link = dial()
        tcp = socket.socket()
        if index % 3 == 0:
            send(link, request(CONNECT, flags=index % 64, destination=("10.32.2.2", 80)), [tcp.fileno()])
        elif index % 3 == 1:
            tcp.listen()
            send(link, request(LISTEN), [tcp.fileno()])
        else:
            one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            one.close()
            send(link, request(2 + index % 5, destination=("10.32.2.2", 80)), [other.fileno()])
        link.close()
    print("done")


def flood(seconds):
    """Asks as fast as it can on several connections, and reads no answer. Who is hung up on begins anew, until its container is
    shut out: more has to be closed than is closed meanwhile."""
    tcp = socket.socket()
    wanted = [request(CONNECT, destination=("10.32.2.2", 80)), request(LOOKUP), request(ORIGINAL), request(CONNECT, flags=33)]
    end, links, sent = time.monotonic() + float(seconds), [], 0
    while time.monotonic() < end:
        try:
            while len(links) < 50:
                links.append(dial())
                links[-1].setblocking(False)
        except ConnectionRefusedError:
            break
        for link in list(links):
            try:
                for each in wanted:
                    link.sendmsg([each], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [tcp.fileno()]))])
                    sent += 1
            except BlockingIOError:
                pass
            except OSError:
                links.remove(link)
    assert sent > 1000, sent
    print("done")


def listeners(count):
    """One listening socket given away again and again, and every channel kept: no more than the limit are taken."""
    listener = socket.socket()
    listener.listen()
    link, kept, verdicts = greeted(), [], {}
    for _ in range(int(count)):
        send(link, request(LISTEN), [listener.fileno()])
        data, control, _, _ = link.recvmsg(4096, 1024)
        verdict = struct.unpack_from("=I", data, 16)[0]
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
        kept += control
    assert set(verdicts) == {0, 1}, verdicts
    print(f"taken {verdicts[0]}", flush=True)
    print("done")


def linger(arguments):
    """Connections that cannot be closed for a long time, left to the router to close."""
    operation, address, port, count = arguments.split(",")
    for _ in range(int(count)):
        child = os.fork()
        if child == 0:
            leave_behind(operation, address, int(port))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the router does not answer"
    print("done", flush=True)


def leave_behind(operation, address, port):
    stuck = socket.create_connection((address, port))
    stuck.setblocking(False)
    try:
        while True:
            stuck.send(bytes(65536))
    except BlockingIOError:
        pass
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    link = greeted()
    if operation == "unread":
        send(link, request(CONNECT)[:10])
        send(link, request(REAP), [stuck.fileno()])
    elif operation == "many":
        send(link, request(CONNECT, destination=("10.32.2.2", 80)), [stuck.fileno()] * 20)
    elif operation == "nowhere":
        send(link, request(CONNECT), [stuck.fileno()])
    else:
        send(link, request(int(operation), destination=("10.32.2.2", 80)), [stuck.fileno()])
    # A process that ends does not wait for its sockets, as one that closes them does.
    os._exit(0)


def sink(port):
    """Accepts and never reads."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", int(port)))
    listener.listen(1000)
    print("ready", flush=True)
    held = []
    while True:
        held.append(listener.accept())


def revoked(port):
    """Gives a listener away and then shuts it down by a descriptor of its own."""
    listener = socket.socket()
    listener.bind(("0.0.0.0", int(port)))
    listener.listen()
    link = greeted()
    send(link, request(LISTEN), [listener.fileno()])
    data, control, _, _ = link.recvmsg(4096, 1024)
    assert struct.unpack_from("=I", data, 16)[0] == 0, "listener not taken"
    listener.shutdown(socket.SHUT_RDWR)
    print("ready", flush=True)
    sys.stdin.read()


def borrowed(arguments):
    """Claims another container's address as its own, by binding to it and by asking for it."""
    address, destination, port = arguments.split(",")
    claimed = socket.socket()
    claimed.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
    claimed.bind((address, 0))
    link = greeted()
    send(link, request(CONNECT, destination=(destination, int(port))), [claimed.fileno()])
    assert answer(link) == 1, "an address that is not its own was accepted"
    listener = socket.socket()
    listener.setsockopt(socket.IPPROTO_IP, 15, 1)
    listener.bind((address, 7777))
    listener.listen()
    send(link, request(LISTEN), [listener.fileno()])
    assert answer(link) == 1, "a listener on an address that is not its own was accepted"
    print("done")


globals()[sys.argv[1]](sys.argv[2] if len(sys.argv) > 2 else "")
