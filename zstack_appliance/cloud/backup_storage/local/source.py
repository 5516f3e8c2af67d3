"""What an image's URL may look like, before anything is opened: `Source` and `parse`, both pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from zstack_appliance.kernel.remote import HostCommandFailed


@dataclass(frozen=True, slots=True)
class WebSource:
    """An ``http:`` or ``https:`` URL.

    Args:
        url: as it was given.
        shown: scheme, host and port only. The rest may hold a password or a signature.
    """

    url: str
    shown: str


@dataclass(frozen=True, slots=True)
class FileSource:
    """A ``file:`` URL below an allowed directory.

    Args:
        directory: the allowed one.
        names: the components below it, at least one, none of them ``.`` or ``..``.
    """

    directory: PurePosixPath
    names: tuple[str, ...]


def parse(url: str, directories: tuple[str, ...]) -> WebSource | FileSource:
    """What a URL names.

    Args:
        url: of an image.
        directories: below which ``file:`` URLs may point.

    Raises:
        HostCommandFailed: another scheme, no host, or a path outside the directories.
    """
    if any(not character.isprintable() for character in url):
        raise HostCommandFailed("the image's URL holds a control character: percent-encode or remove it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise HostCommandFailed(f"the image's URL is malformed: {error}") from error
    if parts.scheme == "file":
        return _file(parts, directories)
    if parts.scheme not in ("http", "https"):
        raise HostCommandFailed(
            f"images are not fetched by {parts.scheme or 'a URL without a scheme'}: use http://, https:// or file:///"
        )
    if not parts.hostname:
        raise HostCommandFailed("the image's URL names no host: use the form https://host/path")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return WebSource(url, f"{parts.scheme}://{host}{f':{port}' if port else ''}")


def _file(parts: SplitResult, directories: tuple[str, ...]) -> FileSource:
    if parts.netloc not in ("", "localhost"):
        raise HostCommandFailed(
            f"file:// reads from the backup storage's host, not from {parts.netloc}: use file:///path"
        )
    if parts.query or parts.fragment:
        raise HostCommandFailed("a file: URL has no ? or # part: write %3F or %23 for one in a file's name")
    path = PurePosixPath(unquote(parts.path))
    if "\0" in str(path) or ".." in path.parts:
        raise HostCommandFailed(f"{str(path)!r} is refused: give the file's plain path, without '..'")
    for directory in map(PurePosixPath, directories):
        if directory.is_absolute() and directory in path.parents:
            return FileSource(directory, path.relative_to(directory).parts)
    allowed = ", ".join(directories) or "none so far"
    raise HostCommandFailed(
        f"{path} is not below a directory that images may come from ({allowed}); an administrator can allow one"
    )
