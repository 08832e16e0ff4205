"""Listeners of odd kinds: `listeners.py KIND ARGUMENTS`; each tells `ready` and runs until it is ended."""
import os, selectors, socket, sys, time


def hundred(first):
    """A hundred listeners of one program, each saying its own port."""
    selector = selectors.DefaultSelector()
    for port in range(first, first + 100):
        selector.register(socket.create_server(('', port)), selectors.EVENT_READ, port)
    print('ready', flush=True)
    while True:
        for key, _ in selector.select():
            connection, _ = key.fileobj.accept()
            connection.sendall(f'{key.data}\n'.encode())
            connection.close()


def two_addresses(port, *addresses):
    """The same port on several addresses of a container."""
    selector = selectors.DefaultSelector()
    for address in addresses:
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        selector.register(socket.create_server((address, int(port)), family=family), selectors.EVENT_READ, address)
    print('ready', flush=True)
    while True:
        for key, _ in selector.select():
            connection, _ = key.fileobj.accept()
            connection.sendall(f'{key.data} {connection.getsockname()[0]}\n'.encode())
            connection.close()


def deaf(port):
    """A server that listens and never accepts."""
    listener = socket.create_server(('', port), backlog=16)
    print('ready', flush=True)
    while True: time.sleep(100)


def activated(port):
    """Socket activation: a listener that is made here and inherited over exec."""
    listener = socket.create_server(('', port))
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    program = ("import socket\n"
               "s = socket.socket(fileno=3); print('ready', s.getsockname()[1], flush=True)\n"
               "while True: c, a = s.accept(); c.sendall(f'{a[0]} {c.getsockname()[0]}\\n'.encode()); c.close()\n")
    os.execv(sys.executable, [sys.executable, '-c', program])


def ask(address, *ports):
    """A client: prints what each port says."""
    for port in ports:
        with socket.create_connection((address, int(port)), timeout=10) as sock:
            print(sock.makefile().readline().strip())


def crowd(address, port, count):
    """Connects to a server that does not accept, without waiting for anything; tells how many were established."""
    import select
    socks, poll = [], select.poll()
    for _ in range(int(count)):
        sock = socket.socket()
        sock.setblocking(False)
        code = sock.connect_ex((address, int(port)))
        if code not in (0, 115): sys.exit(f'connect: {os.strerror(code)}')
        socks.append(sock)
    time.sleep(0.3)
    for sock in socks: poll.register(sock, select.POLLOUT)
    established = sum(1 for _, events in poll.poll(0) if events == select.POLLOUT)
    print('established', established)


KINDS = {'hundred': lambda a: hundred(int(a[0])), 'addresses': lambda a: two_addresses(*a), 'deaf': lambda a: deaf(int(a[0])),
         'activated': lambda a: activated(int(a[0])), 'ask': lambda a: ask(*a), 'crowd': lambda a: crowd(*a)}
KINDS[sys.argv[1]](sys.argv[2:])
