"""An event-driven program and its peer, for connections within a host: `joined.py serve PORT [dual]`, `joined.py CASE ADDRESS PORT`.

Sockets have a timeout: to the kernel they are non-blocking, and are waited for by poll().
"""
import hashlib, os, select, socket, struct, sys, threading, time

socket.setdefaulttimeout(30)
CHUNK = os.urandom(1 << 20)


def check(condition, what):
    if not condition: sys.exit(f'{sys.argv[1]}: {what}')


def line(sock):
    text = b''
    while not text.endswith(b'\n'):
        byte = sock.recv(1)
        if not byte: break
        text += byte
    return text.decode().strip()


def dial(case):
    sock = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    # At once, as programs do: it is there before the two ends are joined.
    sock.sendall(case.encode() + b'\n')
    return sock


def send(sock, megabytes, digest):
    for index in range(megabytes):
        block = struct.pack('!I', index) + CHUNK[4:]
        digest.update(block)
        view = memoryview(block)
        while view:
            count = sock.send(view[:1 + (index * 7919 + len(view)) % 300000])
            view = view[count:]
    sock.shutdown(socket.SHUT_WR)


def receive(sock, digest):
    count, buffer = 0, bytearray(1 << 18)
    while n := sock.recv_into(buffer, 1 + (count * 31) % len(buffer)):
        digest.update(memoryview(buffer)[:n])
        count += n
    return count


def exchange(sock, megabytes):
    """Both directions at the same time, each ended by itself."""
    sent, got = hashlib.sha256(), hashlib.sha256()
    writer = threading.Thread(target=send, args=(sock, megabytes, sent))
    writer.start()
    count = receive(sock, got)
    writer.join()
    return sent.hexdigest(), got.hexdigest(), count


def tcp_bytes(sock):
    """What TCP has sent (tcpi_bytes_acked counts the SYN, too)."""
    return struct.unpack_from('=Q', sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 120)[0]


def control(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b'\0').decode()


def serve_one(sock):
    case, *arguments = line(sock).split()
    if case == 'exchange':
        sent, got, count = exchange(sock, int(arguments[0]))
        print('exchanged', sent, got, count, flush=True)
    elif case == 'echo':
        while data := sock.recv(65536): sock.sendall(data)
    elif case == 'control':
        sock.sendall(control(sock).encode() + b'\n')
    elif case == 'slow':
        time.sleep(0.5)
        digest = hashlib.sha256()
        count = receive(sock, digest)
        sock.sendall(f'{digest.hexdigest()} {count}\n'.encode())
    elif case == 'last':
        sock.sendall(b'x' * 100000)
        sock.close()
    elif case == 'reset':
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


def serve(port, dual):
    family = socket.AF_INET6 if dual else socket.AF_INET
    listener = socket.create_server(('', port), family=family, backlog=4096, dualstack_ipv6=dual)
    print('ready', flush=True)
    while True:
        try: sock, _ = listener.accept()
        except TimeoutError: continue
        threading.Thread(target=serve_one, args=(sock,), daemon=True).start()


def echo(sock, data):
    sock.sendall(data)
    got = b''
    while len(got) < len(data):
        more = sock.recv(len(data) - len(got))
        check(more, 'the connection has ended')
        got += more
    check(got == data, 'other bytes came back')


def sums():
    sock = dial('exchange 64')
    sent, got, count = exchange(sock, 64)
    check(count == 64 << 20, f'{count} bytes')
    print('exchanged', got, sent, count)


def skips():
    sock = dial('echo')
    for _ in range(100): echo(sock, b'x' * 10000)
    check(tcp_bytes(sock) < 500_000, f'TCP has carried {tcp_bytes(sock)} of 1000000 bytes')


def by_tcp():
    sock = dial('echo')
    for _ in range(100): echo(sock, b'x' * 10000)
    check(tcp_bytes(sock) >= 1_000_000, f'TCP has carried {tcp_bytes(sock)} of 1000000 bytes')


def peek():
    sock = dial('echo')
    echo(sock, b'joined by now')
    sock.sendall(b'twice')
    while len(sock.recv(5, socket.MSG_PEEK)) < 5: pass
    check(sock.recv(5) == b'twice', 'recv after MSG_PEEK')


def slow():
    """Nobody reads for half a second: the kernel takes some megabytes, and no more."""
    sock = dial('slow')
    time.sleep(0.2)
    sock.setblocking(False)
    digest, taken = hashlib.sha256(), 0
    try:
        while taken < 256 << 20:
            count = sock.send(CHUNK[:100000])
            digest.update(CHUNK[:count])
            taken += count
    except BlockingIOError: pass
    check(taken < 64 << 20, f'the kernel has taken {taken} bytes')
    check(not select.select([], [sock], [], 0)[1], 'it is said to be writable')
    check(select.select([], [sock], [], 10)[1], 'it does not become writable')
    sock.settimeout(30)
    for _ in range(100):
        sock.sendall(CHUNK[:100000])
        digest.update(CHUNK[:100000])
        taken += 100000
    sock.shutdown(socket.SHUT_WR)
    check(line(sock) == f'{digest.hexdigest()} {taken}', 'what was sent is not what arrived')


def last():
    sock = dial('last')
    time.sleep(0.1)
    check(receive(sock, hashlib.sha256()) == 100000, 'what was sent before the end is lost')


def reset():
    sock = dial('reset')
    try: check(sock.recv(1) is None, 'no reset was received')
    except ConnectionResetError: pass


def many(count):
    socks = []
    for index in range(count):
        socks.append(dial('echo'))
        echo(socks[-1], str(index).encode())
    for index, sock in enumerate(socks): echo(sock, f'once more {index}'.encode())


def hold():
    """Waits on a connection with something under way until its input ends; then it is to be whole, or to have ended."""
    sock = dial('echo')
    echo(sock, b'joined by now')
    sock.sendall(b'under way')
    time.sleep(0.2)
    print('going', flush=True)
    sys.stdin.read()
    try:
        got = b''
        while len(got) < 9:
            more = sock.recv(9 - len(got))
            if not more: break
            got += more
        check(got == b'under way', f'{got} was under way')
        for _ in range(10): echo(sock, b'y' * 100000)
        print('whole', flush=True)
    except OSError as error: print('ended', type(error).__name__, flush=True)


def waiting():
    """Has a connection whose router does nothing until its input ends, and waits in the kernel for the first byte meanwhile."""
    # From the second one on they are prepared.
    for _ in range(4): echo(dial('echo'), b'x')
    print('going', flush=True)
    sys.stdin.readline()
    sock = dial('echo')
    sock.settimeout(None)
    sock.sendall(b'first')
    print('waiting', flush=True)
    got = b''
    while len(got) < 5:
        more = sock.recv(5 - len(got))
        check(more, 'the connection has ended')
        got += more
    check(got == b'first', 'other bytes came back')
    for _ in range(100): echo(sock, b'x' * 10000)
    check(tcp_bytes(sock) < 500_000, f'TCP has carried {tcp_bytes(sock)} of 1000000 bytes')
    print('served', flush=True)


def controls():
    """What all of a few connections have, prepared ones among them."""
    found = set()
    for _ in range(10):
        sock = dial('control')
        found.add(f'{control(sock)} {line(sock)}')
    print(*sorted(found))


CASES = {
    'control': controls,
    'exchange': sums, 'skips': skips, 'tcp': by_tcp, 'peek': peek, 'slow': slow, 'last': last, 'reset': reset,
    'many': lambda: many(int(sys.argv[4])), 'hold': hold, 'waiting': waiting,
}

if sys.argv[1] == 'serve': serve(int(sys.argv[2]), sys.argv[3:] == ['dual'])
else:
    CASES[sys.argv[1]]()
    print('ok')
