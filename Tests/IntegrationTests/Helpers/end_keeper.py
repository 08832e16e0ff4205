"""Ends the keeper of the host that this runs on, and waits until it is gone."""
import os
import signal
import time


def keepers():
    own = os.readlink("/proc/self/ns/net")
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            arguments = open(f"/proc/{process}/cmdline", "rb").read().split(b"\0")
            if b"--keeper" in arguments and os.readlink(f"/proc/{process}/ns/net") == own:
                yield int(process)
        except OSError:
            pass


for keeper in keepers():
    os.kill(keeper, signal.SIGKILL)
while list(keepers()):
    time.sleep(0.01)
