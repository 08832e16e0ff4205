"""Many connections at once on which random bytes go both ways under running checksums, until standard input ends.

serve PORT                        says "ready"
connect ADDRESS PORT COUNT        says "going" when every connection has carried bytes both ways, a dot now and then
                                  while all of them go on, and at the end "intact COUNT streams, N bytes"

Every frame carries the checksum of all bytes so far, and the last one the number of bytes too.
"""
import asyncio
import os
import struct
import sys
import zlib

FRAME = struct.Struct("!IIQ")
PAUSE = 0.1


class Stream:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.sent = self.received = 0
        self.sent_sum = self.received_sum = 0

    async def send(self, payload):
        self.sent += len(payload)
        self.sent_sum = zlib.crc32(payload, self.sent_sum)
        self.writer.write(FRAME.pack(len(payload), self.sent_sum, self.sent) + payload)
        await self.writer.drain()

    async def receive(self):
        """Returns the length of the next frame; 0 is the last."""
        length, total_sum, total = FRAME.unpack(await self.reader.readexactly(FRAME.size))
        payload = await self.reader.readexactly(length)
        self.received += length
        self.received_sum = zlib.crc32(payload, self.received_sum)
        if (self.received, self.received_sum) != (total, total_sum):
            raise ValueError(f"after {self.received} bytes the checksum is wrong, {total} were sent")
        return length

    async def send_until(self, done):
        while not done.is_set():
            await self.send(os.urandom(1 + os.urandom(1)[0] * 16))
            try:
                await asyncio.wait_for(done.wait(), PAUSE)
            except asyncio.TimeoutError:
                pass
        await self.send(b"")


async def serve(port):
    async def handle(reader, writer):
        stream = Stream(reader, writer)
        done = asyncio.Event()
        sender = asyncio.create_task(stream.send_until(done))
        try:
            while await stream.receive():
                pass
            done.set()
            await sender
            await reader.read()
        except Exception as error:
            print(f"broken after {stream.received} bytes: {error!r}", flush=True)
        finally:
            done.set()
            sender.cancel()
            writer.close()

    server = await asyncio.start_server(handle, "0.0.0.0", port, backlog=1000)
    print("ready", flush=True)
    await server.serve_forever()


async def connect(address, port, count):
    done = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, lambda: os.read(0, 1) or done.set())
    frames = [0] * count

    async def run(index):
        stream = Stream(*await asyncio.open_connection(address, port))
        sender = asyncio.create_task(stream.send_until(done))
        while await stream.receive():
            frames[index] += 1
        await sender
        stream.writer.close()
        return stream.sent + stream.received

    async def report():
        said = 0
        while True:
            await asyncio.sleep(0.02)
            if min(frames) > said:
                print("." if said else "going", end="" if said else "\n", flush=True)
                said = min(frames)

    reporter = asyncio.create_task(report())
    counts = await asyncio.gather(*(run(index) for index in range(count)))
    reporter.cancel()
    print(f"\nintact {len(counts)} streams, {sum(counts)} bytes", flush=True)


if sys.argv[1] == "serve":
    asyncio.run(serve(int(sys.argv[2])))
else:
    asyncio.run(connect(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
