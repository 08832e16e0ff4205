"""Programs that connect to one destination again and again (with the library), and containers that misuse what is prepared
for them (without). One per run: `prepared.py NAME ADDRESS PORT [MORE]`. The server is many.py, which says whom it saw."""
import array
import collections
import ctypes
import errno
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time

MAGIC = 0x4D494C53
CONNECT, PREPARED = 2, 7
PRISTINE, QUEUE = 1, 32
UNDERLAY_PORTS = range(4800, 4804)


def one(target):
    """One connection: 'ok' when the server saw whom the client is."""
    with socket.socket() as sock:
        sock.settimeout(20)
        try:
            sock.connect(target)
        except OSError as error:
            return "refused" if isinstance(error, ConnectionRefusedError) else f"connect: {error}"
        try:
            text = sock.makefile().readline().split()
        except OSError as error:
            return "reset" if isinstance(error, ConnectionResetError) else f"read: {error}"
        try:
            own, peer = sock.getsockname(), sock.getpeername()
        except OSError:
            # A policy has cut it meanwhile.
            return "reset"
        if not text:
            return "ended"
        return "ok" if text == [own[0], str(own[1])] and peer == target else f"mixed {text} {own} {peer}"


def loop(target):
    """Connects all the time. On SIGUSR1 it says what became of the next twenty, and of those since it was asked last."""
    asked = []
    signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
    before = collections.Counter(one(target) for _ in range(30))
    assert before == {"ok": 30}, before
    print("going", flush=True)
    between, rounds = collections.Counter(), 0
    while True:
        if asked:
            asked.pop()
            rounds += 1
            now = collections.Counter(one(target) for _ in range(20))
            text = " ".join(f"{what}={count}" for what, count in sorted(now.items()))
            bad = sum(count for what, count in between.items() if what != "ok")
            print(f"round {rounds}: {text}; {bad} bad of {sum(between.values())}; {dict(between)}.", flush=True)
            between.clear()
        else:
            between[one(target)] += 1
            time.sleep(0.004)


def race(target):
    """Threads and forked children that take from the same queue, or from their own, at once."""
    problems = []

    def work(count):
        for _ in range(count):
            result = one(target)
            if result != "ok":
                problems.append(result)

    def crowd():
        threads = [threading.Thread(target=work, args=(150,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        return threads

    work(10)
    threads = crowd()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            problems.clear()
            for thread in crowd():
                thread.join()
            os._exit(len(problems) and 1)
        children.append(child)
    for thread in threads:
        thread.join()
    codes = [os.waitpid(child, 0)[1] for child in children]
    assert not problems and not any(codes), (problems[:5], codes)
    print("done", flush=True)


def options(target):
    """Sockets whose options were set before they connect, of either family, blocking or not: all are there afterwards."""
    tcp, sol = socket.IPPROTO_TCP, socket.SOL_SOCKET
    user_timeout, notsent_lowat = 18, 25
    for index in range(200):
        is_v6, blocks = index % 2 == 1, index % 3 > 0
        sock = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET)
        wanted = {
            (tcp, socket.TCP_NODELAY): struct.pack("i", 1),
            (tcp, socket.TCP_KEEPIDLE): struct.pack("i", 100 + index),
            (tcp, socket.TCP_KEEPINTVL): struct.pack("i", 10 + index),
            (tcp, socket.TCP_KEEPCNT): struct.pack("i", 1 + index % 100),
            (tcp, socket.TCP_LINGER2): struct.pack("i", 1 + index % 50),
            (tcp, user_timeout): struct.pack("i", 10_000 + index),
            (tcp, notsent_lowat): struct.pack("i", 20_000 + index),
            (sol, socket.SO_KEEPALIVE): struct.pack("i", 1),
            (sol, socket.SO_OOBINLINE): struct.pack("i", 1),
            (sol, socket.SO_RCVTIMEO): struct.pack("ll", 20 + index, 0),
            (sol, socket.SO_SNDTIMEO): struct.pack("ll", 30 + index, 0),
            (sol, socket.SO_LINGER): struct.pack("ii", 1, 5 + index),
        }
        # One that the library does not carry over: the router copies it, and all others.
        if index % 50 == 49:
            wanted[sol, socket.SO_RCVLOWAT] = struct.pack("i", 3)
        # And of some sockets only some.
        wanted = {name: value for at, (name, value) in enumerate(wanted.items()) if index < 20 or at % 4 != index % 4}
        if is_v6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(sol, socket.SO_REUSEADDR, 1)
        for (level, name), value in wanted.items():
            sock.setsockopt(level, name, value)
        sock.setblocking(blocks)
        there = ("::ffff:" + target[0], target[1]) if is_v6 else target
        try:
            sock.connect(there)
        except BlockingIOError:
            assert not blocks and select.select([], [sock], [], 20)[1], index
        assert sock.getsockopt(sol, socket.SO_ERROR) == 0 and sock.getpeername()[:2] == there, (index, sock)
        for (level, name), value in wanted.items():
            assert sock.getsockopt(level, name, len(value)) == value, (index, level, name, value)
        sock.setblocking(True)
        seen, own = sock.makefile().readline().split(), sock.getsockname()
        assert seen == [own[0].removeprefix("::ffff:"), str(own[1])], (index, seen, own)
        sock.close()
    only = socket.socket(socket.AF_INET6)
    only.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        only.connect(("::ffff:" + target[0], target[1]))
        raise AssertionError("an IPv6-only socket has reached an IPv4 address")
    except OSError as error:
        assert error.errno == errno.ENETUNREACH, error
    print("done", flush=True)


# Without the library.


def received(sock, flags=0):
    data, control, _, _ = sock.recvmsg(4096, 1024, flags)
    descriptors = array.array("i")
    for _, _, passed in control:
        descriptors.frombytes(passed[: len(passed) // 4 * 4])
    return data, list(descriptors)


def queue(target):
    """Asks the router twice in a row: it gives a queue then."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link.settimeout(10)
    link.connect("\0slim")
    received(link)
    address = struct.pack("=HHI", 2, target[1], 0) + socket.inet_aton(target[0]) + bytes(12)
    for sequence in (1, 2):
        with socket.socket() as original:
            request = struct.pack("=IHHII", MAGIC, 1, CONNECT, sequence, PRISTINE | QUEUE) + address + bytes(24)
            link.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [original.fileno()]))])
            data, descriptors = received(link)
        assert len(data) == 96 and struct.unpack_from("=I", data, 16)[0] == 0, "not handed over"
        os.close(descriptors[0])
    assert len(descriptors) == 2, "no queue"
    return link, socket.socket(fileno=descriptors[1])


def take(source, flags=0):
    """One prepared connection: its preamble and its socket."""
    data, descriptors = received(source, flags)
    assert len(data) == 168 and struct.unpack_from("=H", data, 6)[0] == PREPARED and len(descriptors) == 1, data
    return data[80:168], socket.socket(fileno=descriptors[0])


def afresh(sock, preamble, host):
    """Uses a preamble with a socket that was made unconnected again, or never was used."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(sock.fileno(), bytes(16), 16):  # AF_UNSPEC
        return "refused"
    sock.settimeout(5)
    try:
        sock.connect((host, UNDERLAY_PORTS[0]))
        sock.sendall(preamble)
    except OSError:
        return "refused"
    return heard(sock)


def begin(sock, preamble):
    sock.settimeout(5)
    try:
        sock.send(preamble)
    except OSError:
        return "refused"
    return heard(sock)


def heard(sock):
    """Whether a server has said something."""
    try:
        return "served" if sock.recv(100) else "refused"
    except OSError:
        return "refused"


def replay(target, host):
    """What was used once is worth nothing."""
    link, source = queue(target)
    first, second = take(source), take(source)
    assert begin(first[1], first[0]) == "served", "first use"
    assert afresh(second[1], first[0], host) == "refused", "the same preamble again"
    third = take(source)
    altered = bytearray(third[0])
    altered[41] ^= 1
    assert begin(third[1], bytes(altered)) == "refused", "an altered one"
    print("done", flush=True)


def expired(target, host):
    """What was kept for too long is worth nothing."""
    link, source = queue(target)
    kept = [take(source) for _ in range(2)]
    time.sleep(8)
    assert begin(kept[0][1], kept[0][0]) == "refused", "with its socket"
    assert afresh(kept[1][1], kept[1][0], host) == "refused", "with another"
    print("done", flush=True)


def denied(target, host):
    """What was prepared before a policy denied it is worth nothing afterwards, taken or only looked at."""
    link, source = queue(target)
    taken = [take(source) for _ in range(2)]
    seen = [take(source, socket.MSG_PEEK)]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    print("ready", flush=True)
    signal.sigwait([signal.SIGUSR1])
    assert begin(taken[0][1], taken[0][0]) == "refused", "with its socket"
    assert afresh(taken[1][1], taken[1][0], host) == "refused", "with another"
    assert begin(seen[0][1], seen[0][0]) == "refused", "what was only seen"
    source.setblocking(False)
    try:
        data = source.recv(1000)
        assert not data, "the queue holds something still"
    except OSError:
        pass
    print("done", flush=True)


def hoard(target, count=10_000):
    """Takes what is prepared, for some seconds, and uses none of it."""
    limit = count + 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    link, source = queue(target)
    held, deadline = [], time.monotonic() + 4
    while len(held) < int(count) and time.monotonic() < deadline:
        if not select.select([source], [], [], 0.5)[0]:
            break
        try:
            held.append(take(source))
        except (OSError, AssertionError):
            break
    print(f"holding {len(held)}.", flush=True)
    signal.pause()


def stuff(target):
    """Sends into queues what nobody reads, with descriptors; asks for far more of them than there are."""
    libc = ctypes.CDLL(None, use_errno=True)
    held = []
    for _ in range(100):
        try:
            held.append(queue(target))
        except (OSError, AssertionError):
            break
    for _, source in held:
        source.setblocking(False)
        source.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        with socket.socket() as passed:
            for length in (0, 1, 16, 168, 4000):
                try:
                    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [passed.fileno()] * 3))]
                    source.sendmsg([os.urandom(length)], rights)
                except OSError:
                    pass
        libc.shutdown(source.fileno(), 2)
    assert len(held) > 8, len(held)
    print("done", flush=True)


name, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
globals()[name]((address, port), *sys.argv[4:])
