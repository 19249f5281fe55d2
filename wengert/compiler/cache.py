"""Object code kept on disk, so that a kernel is compiled once on a machine and not once in every process.

An entry's name is a digest of all that decides the machine code: the module's text, the processor and its features,
and the versions of LLVM and of this library. Its content is a digest of the rest of the file, and the object code.
Code is taken from an entry only if the digest fits and nobody but this user can have written it. An entry that is
damaged counts as missing, and is written again. Entries appear by renaming, so processes never see half of one.

Environment: WENGERT_CACHE=0 turns the cache off, WENGERT_CACHE_DIR names another folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

MAGIC = b"wengert object 1\n"
DIGEST = hashlib.sha256().digest_size
LIMIT = 256 * 2**20  # bytes of all entries; beyond it the ones longest unused go
DAY, HOUR = 86400.0, 3600.0
PRUNE_EVERY = 64  # entries written between two looks at the size


def digest(parts: Sequence[str]) -> str:
    """Return the name of the entry that these parts decide."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode()
        hashed.update(len(data).to_bytes(8, "little"))
        hashed.update(data)
    return hashed.hexdigest()


def default_folder() -> Path:
    """Return the folder named by WENGERT_CACHE_DIR, else `wengert` in the folder this system keeps caches in."""
    named = os.environ.get("WENGERT_CACHE_DIR")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "wengert"


def _foreign(info: os.stat_result) -> bool:
    """Whether somebody else owns a file or folder or may write to it; only asked where files have such owners."""
    return hasattr(os, "getuid") and (info.st_uid != os.getuid() or bool(info.st_mode & 0o022))


class Cache:
    """A folder of entries. When it cannot be used it says so once and from then on keeps nothing."""

    def __init__(self, folder: Path, on: bool = True):
        self.folder, self._written = folder, 0
        self.reads = self.writes = on
        if on:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._check(folder)
            except (OSError, RuntimeError) as error:
                self.reads = False
                self._give_up(error)

    def _check(self, folder: Path) -> None:
        if _foreign(folder.stat()):
            raise PermissionError(
                "others own it or may write to it; machine code is only taken from a folder of mode 700"
            )

    def _give_up(self, error: Exception) -> None:
        """Stop writing, and warn the first time in this process."""
        self.writes = False
        if not _WARNED:
            _WARNED.append(True)
            warnings.warn(
                f"Compiled code is not kept in {self.folder}: {error}. Programs work but compile again each time; "
                "name a folder of yours with WENGERT_CACHE_DIR, or turn the cache off with WENGERT_CACHE=0.",
                RuntimeWarning,
                stacklevel=2,
            )

    def get(self, name: str) -> bytes | None:
        """Return the object code of an entry, or None if there is no sound one."""
        if not self.reads:
            return None
        path = self.folder / name
        try:
            # Never through a link, and never waiting for the other end of a pipe.
            number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | _BINARY)
            with open(number, "rb") as file:
                info = os.fstat(number)
                if not stat.S_ISREG(info.st_mode) or _foreign(info):
                    return None
                content = file.read()
        except OSError:
            return None
        head = len(MAGIC) + DIGEST
        code = content[head:]
        if content[:head] != MAGIC + _sealed(name, code):
            return None
        if info.st_mtime < time.time() - DAY:  # in use: pruning takes what was not read for long
            with contextlib.suppress(OSError):
                os.utime(path)
        return code

    def put(self, name: str, code: bytes) -> None:
        """Keep object code."""
        if not self.writes:
            return
        try:
            temporary = self.folder / f"new-{os.getpid()}-{threading.get_ident()}-{time.time_ns()}"
            number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
            try:
                with open(number, "wb") as file:
                    file.write(MAGIC + _sealed(name, code) + code)
                self._replace(temporary, self.folder / name)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
            if self._written % PRUNE_EVERY == 0:
                self.prune()
            self._written += 1
        except OSError as error:
            self._give_up(error)

    def _replace(self, temporary: Path, path: Path) -> None:
        try:
            os.replace(temporary, path)
        except PermissionError:
            # Windows does not replace a file that another process is reading; that one is as good.
            if os.name != "nt":
                raise
            os.unlink(temporary)

    def prune(self) -> None:
        """Remove what killed processes left, and, above the limit, the entries unused longest, to three quarters."""
        entries, now = [], time.time()
        with os.scandir(self.folder) as found:
            for entry in found:
                with contextlib.suppress(OSError):  # another process may be pruning too
                    info = entry.stat(follow_symlinks=False)
                    if not stat.S_ISREG(info.st_mode):
                        continue
                    if entry.name.startswith("new-"):
                        if info.st_mtime < now - HOUR:
                            os.unlink(entry.path)
                    elif len(entry.name) == 2 * DIGEST:
                        entries.append((info.st_mtime, info.st_size, entry.path))
        total = sum(size for _, size, _ in entries)
        if total <= LIMIT:
            return
        for _, size, path in sorted(entries):
            if total <= LIMIT * 3 // 4:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size


_BINARY = getattr(os, "O_BINARY", 0)
_WARNED: list[bool] = []


def _sealed(name: str, code: bytes) -> bytes:
    """Return the digest that ties object code to the name of its entry."""
    return hashlib.sha256(name.encode() + b"\n" + code).digest()


@cache
def the_cache() -> Cache:
    """Return the cache of this process, as the environment wants it at the first call."""
    return Cache(default_folder(), os.environ.get("WENGERT_CACHE", "").strip().lower() not in ("0", "off"))
