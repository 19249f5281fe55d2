"""The cache on disk: what it gives back is what was put in by this user, whole, or nothing."""

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from wengert.compiler import cache
from wengert.compiler.cache import Cache, digest

ROOT = Path(__file__).parents[2]
NAME, CODE = digest(["a kernel"]), bytes(range(256)) * 5
posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes of POSIX")


@pytest.fixture(autouse=True)
def unwarned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_WARNED", [])


@pytest.fixture
def kept(tmp_path: Path) -> Cache:
    """A cache with one entry."""
    made = Cache(tmp_path / "kept")
    made.put(NAME, CODE)
    assert made.get(NAME) == CODE
    return made


def entry(kept: Cache) -> Path:
    return kept.folder / NAME


# -- names ---------------------------------------------------------------------------------------------------------


def test_a_name_is_a_digest_of_all_parts() -> None:
    parts = [["a", "b"], ["ab"], ["ab", ""], ["", "ab"], ["b", "a"], ["a", "b", ""], ["é"], ["e"]]
    assert len({digest(part) for part in parts}) == len(parts)
    assert digest(["a", "b"]) == digest(["a", "b"])
    assert len(NAME) == 64


# -- entries -------------------------------------------------------------------------------------------------------


def test_another_process_finds_the_entry(kept: Cache) -> None:
    again = Cache(kept.folder)
    assert again.get(NAME) == CODE
    assert again.get(digest(["another"])) is None


def test_code_may_be_empty(kept: Cache) -> None:
    kept.put(NAME, b"")
    assert kept.get(NAME) == b""


def flip(place: int) -> Callable[[bytes], bytes]:
    return lambda old: (
        old[:place] + bytes([old[place] ^ 1]) + old[place + 1 :] if place >= 0 else flip(len(old) - 1)(old)
    )


@pytest.mark.parametrize(
    "damage",
    [
        *(flip(place) for place in (0, 16, 17, 48, 49, 700, -1)),
        *(lambda old, n=n: old[:n] for n in (0, 1, 17, 30, 49, 500)),
        lambda old: old[:-1],
        lambda old: old + b"\0",
        lambda old: b"\0" * len(old),
        lambda old: b"\x7fELF" + old,
    ],
)
def test_a_damaged_entry_is_missing_and_is_written_again(kept: Cache, damage: Callable[[bytes], bytes]) -> None:
    whole = entry(kept).read_bytes()
    entry(kept).write_bytes(damage(whole))
    assert kept.get(NAME) is None
    kept.put(NAME, CODE)
    assert kept.get(NAME) == CODE
    assert entry(kept).read_bytes() == whole


def test_an_entry_is_not_taken_for_another(kept: Cache) -> None:
    other = digest(["another"])
    os.rename(entry(kept), kept.folder / other)
    assert kept.get(other) is None


# -- whose it is ---------------------------------------------------------------------------------------------------


@posix
def test_folder_and_entry_are_for_this_user_only(kept: Cache) -> None:
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert entry(kept).stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_an_entry_others_may_write_is_not_executed(kept: Cache, mode: int) -> None:
    entry(kept).chmod(mode)
    assert kept.get(NAME) is None
    kept.put(NAME, CODE)
    assert kept.get(NAME) == CODE


@posix
def test_an_entry_of_somebody_else_is_not_executed(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    assert kept.get(NAME) is None


@posix
def test_an_entry_that_is_a_link_or_a_pipe_is_not_read(kept: Cache) -> None:
    elsewhere = kept.folder.parent / "elsewhere"
    os.rename(entry(kept), elsewhere)
    entry(kept).symlink_to(elsewhere)
    assert kept.get(NAME) is None
    entry(kept).unlink()
    os.mkfifo(entry(kept), 0o600)
    assert kept.get(NAME) is None


@posix
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_others_may_write_is_not_used(kept: Cache, mode: int) -> None:
    kept.folder.chmod(mode)
    with pytest.warns(RuntimeWarning, match="others own it or may write to it"):
        open_to_all = Cache(kept.folder)
    assert open_to_all.get(NAME) is None
    open_to_all.put(digest(["new"]), CODE)
    assert [path.name for path in kept.folder.iterdir()] == [NAME]


@posix
def test_a_folder_of_somebody_else_is_not_used(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    with pytest.warns(RuntimeWarning, match="others own it"):
        assert Cache(kept.folder).get(NAME) is None


# -- when it cannot be written -------------------------------------------------------------------------------------


def test_no_folder_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(
        RuntimeWarning, match=r"Compiled code is not kept in .*WENGERT_CACHE_DIR.*WENGERT_CACHE=0"
    ) as seen:
        without = Cache(tmp_path / "file" / "folder")
        without.put(NAME, CODE)
        without.put(NAME, CODE)
        Cache(tmp_path / "file").put(NAME, CODE)
    assert len(seen) == 1
    assert without.get(NAME) is None


@pytest.mark.parametrize("call", ["open", "replace"])
def test_a_full_disk_is_one_warning_and_reading_goes_on(
    kept: Cache, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    attempts = []

    def full(*_: object, **__: object) -> int:
        attempts.append(call)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.warns(RuntimeWarning, match="No space left on device") as seen:
        patch.setattr(os, call, full)
        for k in range(3):
            kept.put(digest([str(k)]), CODE)
    assert len(seen) == len(attempts) == 1
    assert kept.get(NAME) == CODE
    assert [path.name for path in kept.folder.iterdir()] == [NAME]  # nothing half written


@posix
@pytest.mark.skipif(os.name == "posix" and os.getuid() == 0, reason="the superuser writes everywhere")
def test_a_folder_without_permission(kept: Cache) -> None:
    kept.folder.chmod(0o500)
    try:
        reader = Cache(kept.folder)
        with pytest.warns(RuntimeWarning, match="not kept"):
            reader.put(digest(["new"]), CODE)
        assert reader.get(NAME) == CODE
    finally:
        kept.folder.chmod(0o700)


def test_an_interruption_leaves_nothing(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            kept.put(digest(["new"]), CODE)
    assert [path.name for path in kept.folder.iterdir()] == [NAME]


# -- off, and where ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "on"), [("0", False), ("off", False), ("OFF", False), ("1", True), ("", True)])
def test_the_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, on: bool) -> None:
    monkeypatch.setenv("WENGERT_CACHE", value)
    monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path / "named"))
    kept = cache.the_cache.__wrapped__()
    kept.put(NAME, CODE)
    assert kept.get(NAME) == (CODE if on else None)
    assert (tmp_path / "named").exists() is on


@pytest.mark.parametrize(
    ("system", "environment", "place"),
    [
        ("linux", {"WENGERT_CACHE_DIR": "/x/y", "XDG_CACHE_HOME": "/z"}, "/x/y"),
        ("linux", {"XDG_CACHE_HOME": "/z"}, "/z/wengert"),
        ("linux", {}, "/home/me/.cache/wengert"),
        ("darwin", {"XDG_CACHE_HOME": "/z"}, "/home/me/Library/Caches/wengert"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/wengert"),
        ("win32", {}, "/home/me/AppData/Local/wengert"),
        ("linux", {"WENGERT_CACHE_DIR": "~/mine"}, "/home/me/mine"),
    ],
)
def test_the_folder_of_each_system(
    monkeypatch: pytest.MonkeyPatch, system: str, environment: dict[str, str], place: str
) -> None:
    for name in ("WENGERT_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", "USERPROFILE": "/home/me", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cache.sys, "platform", system)
    assert cache.default_folder() == Path(place)


# -- size ----------------------------------------------------------------------------------------------------------


def test_the_entries_unused_longest_go(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    now, names = time.time(), [digest([str(k)]) for k in range(20)]
    for k, name in enumerate(names):
        kept.put(name, CODE)
        os.utime(kept.folder / name, (now, now - 1000 * (20 - k)))
    size = entry(kept).stat().st_size
    monkeypatch.setattr(cache, "LIMIT", 21 * size)
    kept.prune()
    assert len(list(kept.folder.iterdir())) == 21
    monkeypatch.setattr(cache, "LIMIT", 20 * size)
    kept.prune()
    left = {path.name for path in kept.folder.iterdir()}
    assert left == {*names[6:], NAME}


def test_it_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Cache(tmp_path)
    monkeypatch.setattr(cache, "LIMIT", 10_000)
    for k in range(300):
        kept.put(digest([str(k)]), CODE)
    most = 10_000 + cache.PRUNE_EVERY * (len(CODE) + 100)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < most < 300 * len(CODE)


def test_reading_an_old_entry_keeps_it(kept: Cache) -> None:
    old = time.time() - 10 * cache.DAY
    os.utime(entry(kept), (old, old))
    assert kept.get(NAME) == CODE
    assert entry(kept).stat().st_mtime > time.time() - 60


def test_files_of_others_are_left_alone(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    (kept.folder / "notes.txt").write_text("mine")
    (kept.folder / ("d" * 64)).mkdir()
    monkeypatch.setattr(cache, "LIMIT", 0)
    kept.prune()
    assert {path.name for path in kept.folder.iterdir()} == {"notes.txt", "d" * 64}


# -- processes -----------------------------------------------------------------------------------------------------


def python(program: str, *args: str) -> subprocess.Popen[str]:
    head = "import os, signal, sys; from pathlib import Path; from wengert.compiler.cache import Cache, digest\n"
    return subprocess.Popen([sys.executable, "-c", head + program, *args], cwd=ROOT, text=True, stderr=subprocess.PIPE)


@posix
@pytest.mark.parametrize(
    "at",
    ["os.replace = die", "import wengert.compiler.cache as c; c.open = die"],
    ids=["before renaming", "before writing"],
)
def test_a_process_killed_while_writing_leaves_no_broken_entry(kept: Cache, at: str) -> None:
    name = digest(["killed"])
    done = python(
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        + at
        + "\nCache(Path(sys.argv[1])).put(sys.argv[2], b'x' * 9999)",
        str(kept.folder),
        name,
    )
    done.communicate(timeout=60)
    assert done.returncode == -9
    (left,) = (path for path in kept.folder.iterdir() if path.name != NAME)
    assert left.name.startswith("new-")
    assert kept.get(name) is None
    kept.put(name, CODE)
    assert kept.get(name) == CODE
    kept.prune()
    assert left.exists()  # it could be being written
    os.utime(left, (0, time.time() - 2 * cache.HOUR))
    kept.prune()
    assert not left.exists()


def test_many_processes_at_once(tmp_path: Path) -> None:
    program = """
kept, own = Cache(Path(sys.argv[1])), int(sys.argv[2])
import wengert.compiler.cache as c
c.LIMIT, c.PRUNE_EVERY = 40_000, 5
for k in range(400):
    name = digest([str((k * own) % 17)])
    code = name.encode() * 100
    found = kept.get(name)
    assert found in (None, code), found
    kept.put(name, code)
assert kept.writes
"""
    running = [python(program, str(tmp_path / "shared"), str(own)) for own in (1, 2, 3, 5)]
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in running] == [("", 0)] * 4
    assert not [path for path in (tmp_path / "shared").iterdir() if path.name.startswith("new-")]


def test_a_cache_in_use_gives_no_warnings(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = Cache(tmp_path / "a" / "b" / "c")
        for k in range(100):
            kept.put(digest([str(k)]), CODE)
