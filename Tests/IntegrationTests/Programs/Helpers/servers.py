"""Echo servers in the ways that Python offers: `servers.py KIND PORT [CERTIFICATE KEY]`; `servers.py ask ADDRESS PORT COUNT [tls]`."""
import asyncio, multiprocessing, os, signal, socket, socketserver, ssl, sys, threading


async def echo(reader, writer):
    while data := await reader.readline():
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve_asyncio(port, context=None, announce=True):
    server = await asyncio.start_server(echo, '0.0.0.0', port, reuse_port=True, ssl=context)
    if announce: print('ready', flush=True)
    await server.serve_forever()


def worker(port):
    asyncio.run(serve_asyncio(port, announce=False))


def reuse_port(port):
    """Several processes, each with a listener of its own on the same port."""
    children = [multiprocessing.get_context('fork').Process(target=worker, args=(port,), daemon=True) for _ in range(2)]
    for child in children: child.start()
    asyncio.run(serve_asyncio(port))


def accept_loop(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(65536): connection.sendall(data)


def processes(method, port):
    """Several processes that share one listener, forked or spawned (which sends them the descriptor)."""
    listener = socket.create_server(('', port), backlog=256)
    context = multiprocessing.get_context(method)
    children = [context.Process(target=accept_loop, args=(listener,), daemon=True) for _ in range(4)]
    for child in children: child.start()
    print('ready', flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    for child in children: child.join()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for text in self.rfile: self.wfile.write(text)


def framework(kind, port):
    kind.allow_reuse_address = True
    kind.request_queue_size = 128
    with kind(('', port), Handler) as server:
        print('ready', flush=True)
        server.serve_forever()


def tls(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    asyncio.run(serve_asyncio(port, context))


async def ask(address, port, count, context):
    gate = asyncio.Semaphore(16)

    async def one(index):
        async with gate:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port, ssl=context), 10)
            for text in (f'{index}\n'.encode(), b'x' * 50000 + b'\n'):
                writer.write(text)
                async with asyncio.timeout(10): answer = await reader.readline()
                if answer != text: sys.exit(f'{index}: {len(answer)} bytes instead of {len(text)}')
            writer.close()

    await asyncio.gather(*(one(index) for index in range(count)))
    # Nothing comes unasked: the time-out must end the wait.
    reader, writer = await asyncio.open_connection(address, port, ssl=context)
    try:
        await asyncio.wait_for(reader.read(1), 0.05)
        sys.exit('an answer without a question')
    except TimeoutError: pass
    writer.close()
    print('ok', count)


if __name__ == '__main__':
    kind, port = sys.argv[1], 0 if sys.argv[1] == 'ask' else int(sys.argv[2])
    if kind == 'ask':
        context = None
        if len(sys.argv) > 5:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        asyncio.run(ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), context), debug=False)
    elif kind == 'asyncio': asyncio.run(serve_asyncio(port))
    elif kind == 'reuse_port': reuse_port(port)
    elif kind in ('fork', 'spawn', 'forkserver'): processes(kind, port)
    elif kind == 'threading': framework(socketserver.ThreadingTCPServer, port)
    elif kind == 'forking': framework(socketserver.ForkingTCPServer, port)
    elif kind == 'tls': tls(port)
