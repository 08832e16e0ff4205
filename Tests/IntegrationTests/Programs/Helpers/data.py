"""Both ends of what TCP promises: `data.py serve PORT` and `data.py CASE ADDRESS PORT`.

The client's first line says what the server is to do with the connection.
"""
import hashlib, os, select, socket, struct, sys, threading

CHUNK = os.urandom(1 << 20)


def send_sum(sock, count):
    digest = hashlib.sha256()
    for index in range(count >> 20):
        block = struct.pack('!I', index) + CHUNK[4:]
        digest.update(block)
        sock.sendall(block)
    return digest.hexdigest()


def receive_sum(sock):
    digest, count, buffer = hashlib.sha256(), 0, bytearray(1 << 20)
    while n := sock.recv_into(buffer):
        digest.update(memoryview(buffer)[:n])
        count += n
    return digest.hexdigest(), count


def line(sock):
    text = b''
    while not text.endswith(b'\n'):
        byte = sock.recv(1)
        if not byte: return text.decode()
        text += byte
    return text.decode().strip()


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


def serve_one(sock, peer):
    case, *arguments = line(sock).split()
    if case == 'sink':
        digest, count = receive_sum(sock)
        sock.sendall(f'{digest} {count}\n'.encode())
    elif case == 'source':
        digest = send_sum(sock, int(arguments[0]))
        sock.shutdown(socket.SHUT_WR)
        # The other direction still works: it tells what arrived.
        got = line(sock)
        print('source', 'same' if got == digest else f'differs: {got} {digest}', flush=True)
    elif case == 'echo':
        while data := sock.recv(65536): sock.sendall(data)
    elif case == 'reset':
        return reset(sock)
    elif case == 'expect-reset':
        sock.sendall(b'ready\n')
        try:
            while sock.recv(100): pass
            print('expect-reset end of file', flush=True)
        except ConnectionResetError: print('expect-reset reset', flush=True)
    elif case == 'urgent':
        sock.sendall(b'ready\n')
        poll = select.poll()
        poll.register(sock, select.POLLPRI)
        events = poll.poll(5000)
        urgent = sock.recv(1, socket.MSG_OOB) if events else b'nothing'
        rest = sock.recv(100)
        sock.sendall(urgent + b' ' + rest + b'\n')
    elif case == 'rdhup':
        epoll = select.epoll()
        epoll.register(sock, select.EPOLLRDHUP | select.EPOLLET)
        sock.sendall(b'ready\n')
        for _ in range(50):
            events = epoll.poll(1)
            if any(e & select.EPOLLRDHUP for _, e in events): break
        sock.sendall(b'hung up\n' if events and events[0][1] & select.EPOLLRDHUP else b'nothing\n')
    elif case == 'peer':
        sock.sendall(f'{peer[0]} {peer[1]}\n'.encode())
        sock.recv(1)
    sock.close()


def serve(port):
    listener = socket.create_server(('', port), backlog=1024)
    print('ready', flush=True)
    while True:
        sock, peer = listener.accept()
        threading.Thread(target=serve_one, args=(sock, peer), daemon=True).start()


def dial(case):
    sock = socket.create_connection((sys.argv[2], int(sys.argv[3])), timeout=60)
    sock.settimeout(None)
    sock.sendall(case.encode() + b'\n')
    return sock


def check(condition, what):
    if not condition: sys.exit(f'{sys.argv[1]}: {what}')


def sums(count):
    sock = dial('sink')
    digest = send_sum(sock, count)
    sock.shutdown(socket.SHUT_WR)
    check(line(sock) == f'{digest} {count}', 'what was sent is not what arrived')
    check(sock.recv(1) == b'', 'no end of file')
    sock = dial(f'source {count}')
    digest, received = receive_sum(sock)
    check(received == count, f'{received} of {count} bytes')
    sock.sendall(digest.encode() + b'\n')
    check(sock.recv(1) == b'', 'no end of file')


def resets():
    sock = dial('reset')
    try: check(sock.recv(1) is None, 'no reset was received')
    except ConnectionResetError: pass
    sock = dial('expect-reset')
    check(line(sock) == 'ready', 'no answer')
    reset(sock)


def urgent():
    sock = dial('urgent')
    check(line(sock) == 'ready', 'no answer')
    sock.send(b'!', socket.MSG_OOB)
    sock.send(b'rest')
    check(line(sock) == '! rest', 'out-of-band data')


def hang_up():
    sock = dial('rdhup')
    check(line(sock) == 'ready', 'no answer')
    sock.shutdown(socket.SHUT_WR)
    check(line(sock) == 'hung up', 'EPOLLRDHUP')


def peek():
    sock = dial('echo')
    sock.sendall(b'twice')
    check(sock.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL) == b'twice', 'MSG_PEEK')
    check(sock.recv(5, socket.MSG_WAITALL) == b'twice', 'recv after MSG_PEEK')


def copied(move):
    """Sends a file by a way that the data does not leave the kernel on, and compares what comes back."""
    size = 32 << 20
    path = f'/tmp/slim-data-{os.getpid()}'
    with open(path, 'w+b', buffering=0) as file:
        os.unlink(path)
        content = os.urandom(1 << 20) * (size >> 20)
        file.write(content)
        file.seek(0)
        sock = dial('sink')
        move(file, sock, size)
        sock.shutdown(socket.SHUT_WR)
        check(line(sock) == f'{hashlib.sha256(content).hexdigest()} {size}', 'what was sent is not what arrived')


def sendfile(file, sock, size):
    sent = 0
    while sent < size: sent += os.sendfile(sock.fileno(), file.fileno(), sent, size - sent)


def splice(file, sock, size):
    read_end, write_end = os.pipe()
    left = size
    while left:
        count = os.splice(file.fileno(), write_end, min(left, 65536))
        left -= count
        while count: count -= os.splice(read_end, sock.fileno(), count)


def zero_copy(file, sock, size):
    SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
    sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    content, sent, calls = file.read(size), 0, 0
    while sent < size:
        sent += sock.send(memoryview(content)[sent:sent + (1 << 18)], MSG_ZEROCOPY)
        calls += 1
    poll = select.poll()
    poll.register(sock, 0)
    done = 0
    while done < calls:
        check(poll.poll(5000), 'no completion of MSG_ZEROCOPY')
        _, messages, _, _ = sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
        for level, kind, data in messages:
            # struct sock_extended_err: ee_data is the last of the range of calls that are complete.
            done = max(done, struct.unpack_from('=I', data, 12)[0] + 1)


CASES = {
    'sums': lambda: sums(int(sys.argv[4]) << 20), 'resets': resets, 'urgent': urgent, 'rdhup': hang_up, 'peek': peek,
    'sendfile': lambda: copied(sendfile), 'splice': lambda: copied(splice), 'zerocopy': lambda: copied(zero_copy),
}

if sys.argv[1] == 'serve': serve(int(sys.argv[2]))
else:
    CASES[sys.argv[1]]()
    print('ok')
