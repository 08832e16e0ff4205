"""A stranger on the underlay: what it sends to a router's ports. One attack per run, named by the first argument."""
import random
import resource
import select
import socket
import struct
import sys
import time

PREAMBLE = 88


def outcome(connection):
    """What the router does with a connection: 'reset', 'closed', 'data', or 'open' after a while."""
    connection.settimeout(8)
    try:
        return "data" if connection.recv(1) else "closed"
    except ConnectionError:
        return "reset"
    except TimeoutError:
        return "open"


def garbage(address, ports):
    """Whole, half and too long garbage on the data ports: all of it is reset."""
    random.seed(7)
    answers = {}
    for index in range(300):
        data = random.randbytes(random.choice([88, 88, 89, 500, 70000]))
        if index % 3 == 0:
            data = b"SLIM\1" + data[5:]
        connection = socket.create_connection((address, random.choice(ports)))
        try:
            connection.sendall(data)
        except OSError:
            pass
        answer = outcome(connection)
        answers[answer] = answers.get(answer, 0) + 1
        connection.close()
    assert set(answers) <= {"reset", "closed"}, answers
    for length in (0, 1, 44, 87):
        connection = socket.create_connection((address, random.choice(ports)))
        connection.sendall(b"SLIM\1" + bytes(83) if length == 88 else (b"SLIM\1" + bytes(83))[:length])
        connection.shutdown(socket.SHUT_WR)
        assert outcome(connection) in ("reset", "closed"), length
    print("done", flush=True)


def silent(address, ports, count=10_000):
    """Connections that say nothing or half of a preamble, and stay. They are let go after some seconds."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 1000, count + 1000))
    held = []
    for index in range(count):
        try:
            connection = socket.create_connection((address, random.choice(ports)), timeout=5)
        except OSError:
            continue
        if index % 2:
            connection.send(b"SLIM\1" + bytes(30))
        held.append(connection)
    print(f"holding {len(held)}", flush=True)
    deadline = time.monotonic() + 20
    open_ones = list(held)
    while open_ones and time.monotonic() < deadline:
        still = []
        for connection in open_ones:
            connection.setblocking(False)
            try:
                connection.recv(1)
            except BlockingIOError:
                still.append(connection)
            except OSError:
                pass
        open_ones = still
        time.sleep(0.2)
    assert not open_ones, f"{len(open_ones)} are open still"
    print("done", flush=True)


def slow(address, ports, count=300):
    """Something like a preamble, byte by byte: whoever keeps on talking is let go no later than who says nothing."""
    held = [socket.create_connection((address, random.choice(ports))) for _ in range(count)]
    text, started = b"SLIM\1" + bytes(83), time.monotonic()
    for position in range(len(text) - 1):
        still = []
        for connection in held:
            try:
                connection.send(text[position : position + 1])
                still.append(connection)
            except OSError:
                pass
        held = still
        if not held:
            break
        time.sleep(0.2)
    assert not held, f"{len(held)} are open after {time.monotonic() - started:.0f} seconds"
    print("done", flush=True)


def replay(address, ports):
    """Catches preambles of others' connections on the wire, and sends them again: whole, altered, cut off, and slowly."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # ETH_P_ALL: what this host sends, too
    wire.settimeout(20)
    print("ready", flush=True)
    caught = set()
    while len(caught) < 5:
        packet = wire.recv(65536)
        if packet[0] >> 4 != 4 or packet[9] != 6:
            continue
        header = (packet[0] & 15) * 4
        payload = packet[header + (packet[header + 12] >> 4) * 4 : struct.unpack_from("!H", packet, 2)[0]]
        # Probes are for nobody; those for applications are what an attacker wants.
        if payload[:5] == b"SLIM\1" and len(payload) >= PREAMBLE and payload[5] != 1:
            caught.add(payload[:PREAMBLE])
    attempts = 0
    for preamble in caught:
        variants = [preamble, preamble + b"hello", preamble]
        for position in (5, 8, 16, 23, 24, 27, 47, 56, 59, 71, 72, 87):
            altered = bytearray(preamble)
            altered[position] ^= 1
            variants.append(bytes(altered))
        for variant in variants:
            connection = socket.create_connection((address, random.choice(ports)))
            connection.sendall(variant)
            answer = outcome(connection)
            assert answer in ("reset", "closed"), answer
            attempts += 1
            connection.close()
        for length in (1, 16, 72, 87):
            connection = socket.create_connection((address, random.choice(ports)))
            connection.sendall(preamble[:length])
            connection.shutdown(socket.SHUT_WR)
            assert outcome(connection) in ("reset", "closed"), length
            attempts += 1
            connection.close()
    connection = socket.create_connection((address, random.choice(ports)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for position in range(PREAMBLE):
        connection.sendall(preamble[position : position + 1])
        time.sleep(0.01)
    assert outcome(connection) in ("reset", "closed")
    print(f"done {attempts + 1}", flush=True)


def control(address, ports):
    """Garbage, half a TLS greeting and silence on the control port."""
    random.seed(3)
    held = []
    for index in range(200):
        try:
            connection = socket.create_connection((address, ports[0]), timeout=5)
            connection.sendall([random.randbytes(300), b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b""][index % 4])
        except OSError:
            continue
        held.append(connection)
    deadline = time.monotonic() + 30
    for connection in held:
        connection.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            while connection.recv(4096):
                pass
        except ConnectionError:
            pass
        assert time.monotonic() < deadline, "the router holds on to a connection that says nothing"
    print("done", flush=True)


def crowd(address, ports, count=10_000):
    """Thousands of silent connections to the control port. The router lets go of all of them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 1000, count + 1000))
    held, poll = [], select.epoll()
    for _ in range(count):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex((address, ports[0]))
        poll.register(connection, select.EPOLLRDHUP | select.EPOLLERR)
        held.append(connection)
        if len(held) % 100 == 0:
            time.sleep(0.01)
    print("holding", flush=True)
    ended, deadline = set(), time.monotonic() + 45
    while len(ended) < count:
        assert time.monotonic() < deadline, f"the router holds on to {count - len(ended)} connections that say nothing"
        for descriptor, _ in poll.poll(1):
            poll.unregister(descriptor)
            ended.add(descriptor)
    print("done", flush=True)


first, last = (int(number) for number in sys.argv[3].split("-"))
globals()[sys.argv[1]](sys.argv[2], list(range(first, last + 1)))
