"""One connect(): prints what became of it and after how many seconds.

ADDRESS PORT [PATIENCE]   PATIENCE in seconds makes it wait no longer, by poll(), as programs do that set a time-out.
"""
import errno
import os
import select
import socket
import sys
import time

address, port = sys.argv[1], int(sys.argv[2])
patience = float(sys.argv[3]) if len(sys.argv) > 3 else None
connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
start = time.monotonic()
connection.setblocking(patience is None)
code = connection.connect_ex((address, port))
if code == errno.EINPROGRESS:
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    ready = poll.poll(patience * 1000)
    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if ready else "pending"
name = "connected" if code == 0 else errno.errorcode.get(code, code)
print(name, round(time.monotonic() - start, 2), flush=True)
if code == 0 and len(sys.argv) > 4:
    connection.setblocking(True)
    connection.sendall(b"x")
    print("echoed" if connection.recv(1) == b"x" else "ended", flush=True)
