"""The first thing every child of a town runs, before it becomes the program it is for.

    python -I -S launch.py PARENT_PID IDENTITY FOLDER PROGRAM [ARGUMENT ...]

It ties the child to the town's process, takes the identity asked for, and then *becomes* the program (same process id).
A script of its own, not a `preexec_fn`: the town has threads, and Python code between fork and exec can then deadlock.

IDENTITY  `same`; `namespace:UID`, a user namespace in which we are UID while our files stay ours; `user:UID:GID`.
FOLDER    a folder that must be writable under that identity, or `-`.

It imports the standard library only and nothing of ours: it runs without the site-packages folder.
"""

import ctypes
import os
import signal
import sys

CANNOT_TAKE_IDENTITY = 90
CANNOT_REACH_FOLDER = 91
PARENT_IS_GONE = 92

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_OWNER_ONLY = 0o077


def enter_namespace(uid: int) -> None:
    """Become `uid` in a new user namespace; outside we stay who we are, so every file we make stays ours.

    Raises:
        OSError: this machine does not allow it (containers, hardened kernels, root without CAP_SETFCAP).
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        raise OSError("this system has no user namespaces")
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {outer_uid} 1"), ("gid_map", f"{uid} {outer_gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 20 ms per child
            file.write(text)


def take_identity(identity: str) -> None:
    """Become who the child is to be; see the head of this file for the three forms."""
    kind, *numbers = identity.split(":")
    if kind == "namespace":
        enter_namespace(int(numbers[0]))
    elif kind == "user":
        uid, gid = (int(number) for number in numbers)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def die_with(parent: int) -> None:
    """Ask Linux to kill us when the town's process dies; elsewhere the next start clears what is left.

    After the change of identity, because that change clears the request.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(PARENT_IS_GONE)


def main() -> None:
    """Tie, change, check, become."""
    parent, identity, folder, program, *arguments = sys.argv[1:]
    os.umask(_OWNER_ONLY)
    try:
        take_identity(identity)
    except OSError as error:
        print(f"cannot become {identity}: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(CANNOT_TAKE_IDENTITY)
    if folder != "-" and not os.access(folder, os.W_OK | os.X_OK):
        print(f"cannot write in {folder} as {identity}", file=sys.stderr)  # noqa: T201
        sys.exit(CANNOT_REACH_FOLDER)
    die_with(int(parent))
    try:
        os.execv(program, [program, *arguments])  # noqa: S606 - becoming the program is the point
    except OSError as error:
        print(f"cannot run {program}: {error.strerror}", file=sys.stderr)  # noqa: T201
        sys.exit(CANNOT_TAKE_IDENTITY)


if __name__ == "__main__":
    main()
