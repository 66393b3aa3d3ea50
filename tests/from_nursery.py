"""Has a process forked by the nursery of tests/side_by_side.py, with the pipes of this one, and goes when that one goes.

Begun by the dozen without the libraries: it uses the standard library alone, and nothing of the house.
"""

import os
import socket
import sys

if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as nursery:
        nursery.connect(sys.argv[1])
        socket.send_fds(nursery, [b"?"], [0, 1, 2])
        for pipe in (0, 1):  # what is written and read there is the other's
            os.close(pipe)
        nursery.recv(1)
