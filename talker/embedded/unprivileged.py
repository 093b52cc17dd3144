"""Running a program as a user without privileges, since Postgres refuses to run as root."""

import ctypes
import os
import pwd
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAP_SETPCAP = 8
"""Numbers of Linux's <linux/prctl.h>, <linux/securebits.h> and <linux/capability.h>."""


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gid: int


def user_for(folder: Path) -> User | None:
    """Who a server over this folder runs as: the folder's owner, or a user of the system's.

    None where we are not root: then it runs as we do.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and (status := folder.stat()).st_uid != 0:
        # Perhaps made on another machine or in another image: the user may have no name here.
        return User(str(status.st_uid), status.st_uid, status.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(name, entry.pw_uid, entry.pw_gid)
    return User("nobody", 65534, 65534)


def closed_folder(path: Path, user: User) -> Path | None:
    """The first folder on the way to `path` that the user may not pass; None if there is none."""
    for folder in reversed((path, *path.parents)):
        status = folder.stat()
        if not stat.S_ISDIR(status.st_mode):
            continue
        if status.st_uid == user.uid:
            needed = stat.S_IXUSR
        else:
            needed = stat.S_IXGRP if status.st_gid == user.gid else stat.S_IXOTH
        if not status.st_mode & needed:
            return folder
    return None


def can_pass_closed_folders() -> bool:
    """Whether we could let a process of another user pass folders that are closed to it."""
    return sys.platform == "linux" and _passing_capability() is not None


def become(user: User, *, passing_closed_folders: bool) -> Callable[[], None]:
    """For `subprocess`'s `preexec_fn`: turn the child into the user, with no group but its own.

    Where folders above are closed to the user (as /root is), one capability of root's stays:
    to pass folders and read files, so that nobody's permissions need to be changed.
    """
    capability = _passing_capability() if passing_closed_folders else None

    def change() -> None:
        if capability is not None:
            # Or else changing the user drops every capability, and access(2), with which
            # Postgres looks for its own files, leaves them out of account.
            _check(_libc().prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
        if capability is not None:
            _keep_only(capability)

    return change


def _passing_capability() -> int | None:
    """The weaker one of the two that we have; a container's root often lacks the first."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    effective = int(line.split()[1], 16)
    if not effective & (1 << _CAP_SETPCAP):
        return None
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if effective & (1 << capability):
            return capability
    return None


def _keep_only(capability: int) -> None:
    """Drop every capability but one, and keep that over the coming exec (ambient, Linux 4.3)."""
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # Two words each of effective, permitted and inheritable: see capset(2).
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    _check(_libc().capset(header, sets))
    _check(_libc().prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
