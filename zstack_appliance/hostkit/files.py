"""Folders that survive a crash whole or not at all.

Primitives: `building` (a folder that appears under its name complete), `discard` (a folder that goes at
once), `sweep` (removes what a crash left half done), `ensure_folder`, `own_root` (marks a storage as one
appliance's), `storage_root` and `uuid_part` (the only ingredients of a path), `space` (what a file system
has), `explained` (an `OSError` in words).

Everything unfinished lies in a folder named ``<name>.part`` that its maker holds by a file lock. The lock
goes with its process: what is locked is being worked on, and what is not was left by a crash. Blocking
work runs in threads.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import trio

from zstack_appliance.kernel.remote import HostCommandFailed

UNFINISHED = ".part"
"""Ends the name of a folder that nobody may rely on."""

OWNER = ".zstack-appliance"
"""The file in a storage's root that holds the instance id of the appliance that it belongs to."""

_ATTEMPTS = 10
"""How often a folder may vanish under our hands before we call it busy."""

_UUID = re.compile(r"[0-9a-f]{32}")


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """A file system's size, and what an unprivileged writer may still take of it, in bytes."""

    total: int
    available: int


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn an `OSError` inside into a `HostCommandFailed` that begins with `doing`."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise HostCommandFailed(f"{doing}: {error.strerror or error}{where}") from error


@asynccontextmanager
async def building(final: Path) -> AsyncIterator[Path]:
    """Fill a folder that appears under its name complete, or not at all.

    Leaving the block without an error makes the files in it durable and gives the folder its name; any
    error or cancel removes it. Missing parents are made.

    Yields:
        An empty folder beside `final`, ours alone.

    Raises:
        HostCommandFailed: another command is working on `final` now, it exists already, or the file
            system refused.
    """
    claim = await trio.to_thread.run_sync(_claim, final)
    try:
        yield claim.part
        await trio.to_thread.run_sync(_publish, claim, final)
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(_release, claim)


async def discard(final: Path) -> bool:
    """Remove a folder so that no crash leaves a half of it under its name.

    Returns:
        Whether it was there.

    Raises:
        HostCommandFailed: another command is working on it now, or the file system refused.
    """
    return await trio.to_thread.run_sync(_discard, final)


async def sweep(parent: Path) -> tuple[str, ...]:
    """Remove every unfinished folder in `parent` that no living command holds, and return their names."""
    return await trio.to_thread.run_sync(_sweep, parent)


async def space(folder: Path) -> Space:
    """What the file system of a folder has.

    Raises:
        HostCommandFailed: the folder is gone or does not answer.
    """
    with explained("cannot measure the file system"):
        found = await trio.to_thread.run_sync(os.statvfs, folder)
    return Space(total=found.f_blocks * found.f_frsize, available=found.f_bavail * found.f_frsize)


def storage_root(text: str) -> Path:
    """The folder that a storage is told to live in.

    Raises:
        HostCommandFailed: it is not an absolute path in its plain form, or the root of all.
    """
    plain = text.startswith("/") and not text.startswith("//") and os.path.normpath(text) == text
    if not plain or text == "/" or "\0" in text:
        raise HostCommandFailed(f"{text!r} cannot hold a storage: give an absolute path such as /srv/storage")
    return Path(text)


def uuid_part(uuid: str) -> str:
    """A uuid as a part of a path: files are named by uuids only, so a resource's name never becomes one.

    Raises:
        HostCommandFailed: it is not 32 lower-case hexadecimal digits.
    """
    if not _UUID.fullmatch(uuid):
        raise HostCommandFailed(f"{uuid!r} is not a uuid: give 32 lower-case hexadecimal digits")
    return uuid


def ensure_folder(folder: Path) -> None:
    """Make a folder that other users may pass through but not list, and its parents; blocks.

    QEMU runs as a user of its own and must reach the disks that it is given by name.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)


def own_root(root: Path, instance: str) -> None:
    """Make a storage's root folder and mark it as this appliance's; blocks.

    Raises:
        HostCommandFailed: it is marked as another's, whose disks must not mix with ours, or the file system
            refused.
    """
    with explained(f"cannot use {root} as a storage"):
        ensure_folder(root)
        mark = root / OWNER
        with mark.open("a+") as opened:
            opened.seek(0)
            owner = opened.read().strip()
            # Empty: new, or a crash came before the id was written.
            if not owner:
                opened.write(f"{instance}\n")
                opened.flush()
                os.fsync(opened.fileno())
    if owner not in ("", instance):
        raise HostCommandFailed(
            f"{root} belongs to another appliance (instance {owner}): choose another folder, or remove "
            f"{mark} if that appliance is gone for good"
        )


@dataclass(slots=True)
class _Claim:
    """An unfinished folder, held by the lock on `fd`; `ours` until it was renamed or replaced."""

    part: Path
    fd: int
    ours: bool = True


def _claim(final: Path) -> _Claim:
    with explained(f"cannot prepare {final}"):
        ensure_folder(final.parent)
        part = final.with_name(final.name + UNFINISHED)
        part.mkdir(exist_ok=True)
        fd = _hold_again(part)
        if fd is None:
            raise _busy(final)
        os.fchmod(fd, 0o711)
        _empty(part)
        return _Claim(part, fd)


def _hold_again(part: Path) -> int | None:
    """`_hold` for a folder that its former holder may rename or remove just before we get the lock."""
    for _ in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            return _hold(part)
        part.mkdir(exist_ok=True)
    return None


def _busy(final: Path) -> HostCommandFailed:
    return HostCommandFailed(f"{final} is being worked on by another command; try again when that has ended")


def _hold(folder: Path) -> int | None:
    """Lock a folder for this command; None when another one holds it.

    Raises:
        FileNotFoundError: the folder is not, or no longer, under that name.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(fd), folder.stat(follow_symlinks=False)):
            return fd
    except BlockingIOError:
        os.close(fd)
        return None
    except OSError:
        os.close(fd)
        raise
    os.close(fd)
    raise FileNotFoundError(folder)


def _empty(folder: Path) -> None:
    for entry in list(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _publish(claim: _Claim, final: Path) -> None:
    with explained(f"cannot finish {final}"):
        for entry in claim.part.iterdir():
            _sync(entry)
        os.fsync(claim.fd)
        # Renaming onto a folder that holds something fails, so nothing that exists is ever replaced.
        claim.part.rename(final)
        claim.ours = False
        _sync(final.parent)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _release(claim: _Claim) -> None:
    try:
        if claim.ours:
            with explained(f"cannot remove {claim.part}"):
                shutil.rmtree(claim.part)
    finally:
        os.close(claim.fd)


def _discard(final: Path) -> bool:
    claim = _claim(final)
    try:
        with explained(f"cannot remove {final}"):
            return _trash(final, claim)
    finally:
        _release(claim)


def _trash(final: Path, claim: _Claim) -> bool:
    """Move a folder over the empty unfinished one, which is atomic, and then remove it there."""
    try:
        # Held as well, so that nobody takes the moved folder for a crash's and works in it.
        held = _hold(final)
    except FileNotFoundError:
        return False
    if held is None:
        raise _busy(final)
    try:
        final.rename(claim.part)
        claim.ours = False
        _sync(final.parent)
        shutil.rmtree(claim.part)
    finally:
        os.close(held)
    return True


def _sweep(parent: Path) -> tuple[str, ...]:
    removed = []
    with explained(f"cannot clean {parent}"):
        for part in sorted(parent.glob(f"*{UNFINISHED}")):
            # Finished or removed meanwhile, or a stranger's plain file: not ours to touch.
            with suppress(FileNotFoundError, NotADirectoryError):
                fd = _hold(part)
                if fd is not None:
                    removed.append(part.name)
                    _release(_Claim(part, fd))
    return tuple(removed)
