"""Detaches a pinned BPF link, as somebody with the rights might: detach.py PATH"""
import ctypes, os, platform, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
OBJ_GET, LINK_DETACH = 7, 34


def bpf(command, attributes):
    result = libc.syscall(BPF, command, attributes, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


path = ctypes.create_string_buffer(sys.argv[1].encode())
link = bpf(OBJ_GET, struct.pack("QII", ctypes.addressof(path), 0, 0))
bpf(LINK_DETACH, struct.pack("I", link))
