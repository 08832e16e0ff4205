"""Many connections: `many.py serve PORT`, `many.py short ADDRESS PORT COUNT`, `many.py hold ADDRESS PORT COUNT`.

The server tells each client which address it saw; the client compares it with its own.
"""
import asyncio, resource, socket, sys
from concurrent.futures import ThreadPoolExecutor

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))


async def answer(reader, writer):
    host, port = writer.get_extra_info('peername')[:2]
    writer.write(f'{host} {port}\n'.encode())
    try:
        await writer.drain()
        await reader.read()
    except ConnectionError: pass
    writer.close()


async def serve(port):
    server = await asyncio.start_server(answer, '0.0.0.0', port, backlog=4096)
    print('ready', flush=True)
    await server.serve_forever()


def one(target):
    with socket.create_connection(target, timeout=20) as sock:
        text = sock.makefile().readline().split()
        host, port = sock.getsockname()
        if text != [host, str(port)]: raise SystemExit(f'the server saw {text}, the client is {host} {port}')


def short(target, count):
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda _: one(target), range(count)): pass


async def hold(target, count):
    gate = asyncio.Semaphore(64)

    async def connect():
        async with gate:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(*target), 20)
            text = (await asyncio.wait_for(reader.readline(), 20)).decode().split()
        host, port = writer.get_extra_info('sockname')[:2]
        if text != [host, str(port)]: raise SystemExit(f'the server saw {text}, the client is {host} {port}')
        return writer

    writers = await asyncio.gather(*(connect() for _ in range(count)))
    seen = {w.get_extra_info('sockname')[:2] for w in writers}
    if len(seen) != count: raise SystemExit(f'{len(seen)} different addresses for {count} connections')
    for writer in writers: writer.close()


if sys.argv[1] == 'serve': asyncio.run(serve(int(sys.argv[2])))
else:
    target, count = (sys.argv[2], int(sys.argv[3])), int(sys.argv[4])
    if sys.argv[1] == 'short': short(target, count)
    else: asyncio.run(hold(target, count))
    print('ok', count)
