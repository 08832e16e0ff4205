"""One connection on which bytes go to and fro until it is ended; says so as it goes."""
import socket
import sys
import time

connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
print("going", flush=True)
while True:
    connection.sendall(b"x")
    assert connection.recv(1) == b"x", "the other end has ended"
    print(".", end="", flush=True)
    time.sleep(0.02)
