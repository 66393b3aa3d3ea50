"""Has a process forked by a nursery (tests/nursery.py), with the pipes of this one.

    from_nursery.py WHERE RUN [WORD...]

It goes when that one goes, with its exit code, and hands on what it is to end by; when it is killed itself, so is the other.
Begun by the dozen without the libraries: it uses the standard library alone, and nothing of the house.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

if __name__ == "__main__":
    where, run, *words = sys.argv[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as nursery:
        nursery.connect(where)
        told = {"run": run, "told": words, "environment": dict(os.environ), "folder": str(Path.cwd())}
        socket.send_fds(nursery, [json.dumps(told).encode()], [0, 1, 2])
        pid = int(nursery.recv(16))
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda given, _: os.kill(pid, given))
        for pipe in (0, 1):  # what is written and read there is the other's
            os.close(pipe)
        code = int(nursery.recv(16) or 1)
        sys.exit(code if code >= 0 else 128 - code)
