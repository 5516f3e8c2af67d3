"""A host's disks, simulated: what storage drivers' simulated halves keep instead of files.

Primitives: `SimulatedFile` (what is known of one file), `SimulatedFiles` (a host's files by path, and what
the web would serve it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.remote import HostCommandFailed


@dataclass(frozen=True, slots=True)
class SimulatedFile:
    """A disk image that has sizes and no content.

    Args:
        format: ``qcow2``, ``raw`` or ``iso``.
        virtual_size: bytes that a guest sees.
        actual_size: bytes that it takes.
        sha256: of the content that it would have; empty where nobody asks.
        md5: likewise.
        backing: path of the file that it is a linked clone of.
    """

    format: str
    virtual_size: int
    actual_size: int
    sha256: str = ""
    md5: str = ""
    backing: str | None = None


class SimulatedFiles:
    """The file system of one simulated host; shared storage is one value given to several hosts.

    Thousands of volumes are made in it while a benchmark runs, so nothing but `below` looks at all files.

    Args:
        total: bytes that it can hold.
        sources: what a URL serves, by URL.
        elsewhere: what every other URL serves, in the format asked for; None makes those unknown.
        mounts: file systems of others that are seen below certain folders, by folder.
    """

    def __init__(
        self,
        *,
        total: int = 2 * 2**40,
        sources: Mapping[str, SimulatedFile] | None = None,
        elsewhere: SimulatedFile | None = None,
        mounts: Mapping[str, SimulatedFiles] | None = None,
    ) -> None:
        self.sources = dict(sources or {})
        self.elsewhere = elsewhere
        self._total = total
        self._used = 0
        self._folders: dict[str, dict[str, SimulatedFile]] = {}
        self._mounts = dict(mounts or {})

    def space(self) -> Space:
        """Total and available bytes, as a real file system would answer them."""
        return Space(total=self._total, available=max(0, self._total - self._used))

    def get(self, path: str) -> SimulatedFile | None:
        """The file of that name."""
        home = self._home(path)
        return home.get(path) if home is not self else self._folders.get(_parent(path), {}).get(path)

    def put(self, path: str, file: SimulatedFile) -> None:
        """Write a file, or replace it.

        Raises:
            HostCommandFailed: there is no room.
        """
        home = self._home(path)
        if home is not self:
            home.put(path, file)
            return
        before = self.get(path)
        used = self._used + file.actual_size - (before.actual_size if before else 0)
        if used > self._total:
            raise HostCommandFailed(f"cannot write {path}: No space left on device")
        self._used = used
        self._folders.setdefault(_parent(path), {})[path] = file

    def inside(self, folder: str) -> list[tuple[str, SimulatedFile]]:
        """The files directly in a folder, ordered by path."""
        home = self._home(folder)
        return home.inside(folder) if home is not self else sorted(self._folders.get(folder, {}).items(), key=_path)

    def below(self, folder: str) -> list[tuple[str, SimulatedFile]]:
        """The files somewhere below a folder, ordered by path."""
        home = self._home(folder)
        if home is not self:
            return home.below(folder)
        found = (
            item
            for parent, files in self._folders.items()
            if f"{parent}/".startswith(f"{folder}/")
            for item in files.items()
        )
        return sorted(found, key=_path)

    def remove(self, folder: str) -> None:
        """Remove a folder with its files; one that is not there is no error."""
        home = self._home(folder)
        if home is not self:
            home.remove(folder)
            return
        self._used -= sum(file.actual_size for file in self._folders.pop(folder, {}).values())

    def _home(self, path: str) -> SimulatedFiles:
        """The file system that a path lies in: one that is mounted above it, or this one."""
        for folder, mounted in self._mounts.items():
            if f"{path}/".startswith(f"{folder}/"):
                return mounted
        return self


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _path(item: tuple[str, SimulatedFile]) -> str:
    return item[0]
