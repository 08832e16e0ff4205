"""Sends the keeper of the host that this runs on a signal, and waits until it is gone: `keeper.py KILL`; or stands still: STOP."""
import os
import signal
import sys
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


def runs(process):
    try:
        return open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[0] != "T"
    except OSError:
        return False


number = signal.Signals["SIG" + sys.argv[1]]
found = list(keepers())
assert found, "there is no keeper"
for keeper in found:
    os.kill(keeper, number)
while list(keepers()) if number == signal.SIGKILL else any(map(runs, found)):
    time.sleep(0.01)
