"""Many connections: `many.py serve PORT`, `many.py short|hold|keep|repeat ADDRESS PORT COUNT`.

`keep` holds its connections until it is ended; `repeat` makes connections one after the other, a fifth of them first.

The server tells each client which address it saw; the client compares it with its own.
"""
import asyncio, os, resource, signal, socket, sys
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


def repeat(target, count):
    def round(count):
        for _ in range(count): one(target)
        pages = int(open('/proc/self/statm').read().split()[1])
        return len(os.listdir('/proc/self/fd')), pages * 4096

    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    before = round(count // 5)
    print('warm', flush=True)
    signal.sigwait([signal.SIGUSR1])
    after = round(count)
    print('grown', after[0] - before[0], after[1] - before[1], flush=True)
    signal.sigwait([signal.SIGUSR1])


async def hold(target, count, keep=False):
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
    if keep:
        print('holding', flush=True)
        await asyncio.sleep(1000)
    for writer in writers: writer.close()


if sys.argv[1] == 'serve': asyncio.run(serve(int(sys.argv[2])))
else:
    target, count = (sys.argv[2], int(sys.argv[3])), int(sys.argv[4])
    if sys.argv[1] == 'short': short(target, count)
    elif sys.argv[1] == 'repeat': repeat(target, count)
    else: asyncio.run(hold(target, count, keep=sys.argv[1] == 'keep'))
    print('ok', count)
