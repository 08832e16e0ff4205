"""Kills a router at the Nth moment of a connection: `die_at.py PID AFTER N`.

The moments are the ends of the system calls that its connection thread makes from a successful AFTER on (accept4: a connection
has arrived, other than a router's probe; recvmsg: a program has asked), until it waits for events again. Prints "ready" when it
watches, then "killed after" and the call, or "past" when there are fewer."""
import ctypes
import os
import signal
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
SEIZE, INTERRUPT, SYSCALL, GET_SYSCALL_INFO = 0x4206, 0x4207, 24, 0x420E
TRACESYSGOOD = 1
PIDFD_GETFD = 438
ENTRY, EXIT = 1, 2
NUMBERS = {
    "x86_64": {43: "accept", 288: "accept4", 47: "recvmsg", 232: "epoll_wait", 281: "epoll_pwait", 441: "epoll_pwait2"},
    "aarch64": {202: "accept", 242: "accept4", 212: "recvmsg", 22: "epoll_pwait", 441: "epoll_pwait2"},
}[os.uname().machine]


class Info(ctypes.Structure):
    _fields_ = [("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32), ("ip", ctypes.c_uint64),
                ("sp", ctypes.c_uint64), ("data", ctypes.c_uint64 * 8)]


def ptrace(request, thread, address=0, data=0):
    result = libc.ptrace(request, thread, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def engine(process):
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/comm") as name:
            if name.read().strip() == "slim-engine":
                return int(thread)
    sys.exit(f"process {process} has no connection thread")


def calls(thread):
    """The ends of system calls, one after the other: name and result."""
    ptrace(SEIZE, thread, 0, TRACESYSGOOD)
    ptrace(INTERRUPT, thread)
    number = 0
    while True:
        _, status = os.waitpid(thread, 0x40000000)
        if not os.WIFSTOPPED(status):
            sys.exit("the router has ended by itself")
        if os.WSTOPSIG(status) == signal.SIGTRAP | 0x80:
            info = Info()
            ptrace(GET_SYSCALL_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
            if info.op == ENTRY:
                number = info.data[0]
                if NUMBERS.get(number, "").startswith("epoll"):
                    yield "wait", 0
            elif info.op == EXIT:
                yield NUMBERS.get(number, str(number)), ctypes.c_int64(info.data[0]).value
        elif status >> 16 == 0:
            # A signal of its own is none of ours.
            ptrace(SYSCALL, thread, 0, os.WSTOPSIG(status))
            continue
        if not watching:
            watching.append(True)
            print("ready", flush=True)
        ptrace(SYSCALL, thread)


def is_application(fd):
    """Whether what was accepted is a connection between applications."""
    copy = libc.syscall(PIDFD_GETFD, os.pidfd_open(process), fd, 0)
    if copy < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    with socket.socket(fileno=copy) as connection:
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        try:
            start = connection.recv(6, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        return not (start[:5] == b"SLIM\1" and start[5] & 1)


process, after, left = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
watching = []
begun = False
for name, result in calls(engine(process)):
    if not begun:
        begun = name == after and result > 0 and (after != "accept4" or is_application(result))
    elif name == "wait":
        print("past", flush=True)
        sys.exit()
    if begun:
        if left == 0:
            os.kill(process, signal.SIGKILL)
            print(f"killed after {name}", flush=True)
            sys.exit()
        left -= 1
