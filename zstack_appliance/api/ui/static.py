"""Scripts, styles and symbols: `Static` serves them under addresses that change with their content.

One hash stands for all of them, so that files which name each other by relative paths, as ES modules do, always
come from one version. An address with that hash may be kept for ever; one with another hash is answered as
well, but not kept.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOLDERS = ("static", "vendor")
"""Ours, and what npm brings; see ``webui/collect.mjs``."""

MODULES = "app/"
"""Where the parts of ``app.js`` are, each with one reason to change."""

_PACKED = (".js", ".mjs", ".css", ".svg", ".json")
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css"}


class Static:
    """Serves the files below `FOLDERS`.

    Args:
        root: the folder ``webui``, or the same inside an archive.
        prefix: where it is served.
    """

    def __init__(self, root: Traversable, prefix: str) -> None:
        self._root = root
        self._prefix = prefix

    @functools.cached_property
    def _files(self) -> dict[str, Traversable]:
        found: dict[str, Traversable] = {}
        for folder in FOLDERS:
            top = self._root / folder
            if top.is_dir():
                found |= dict(_walk(top, "" if folder == "static" else f"{folder}/"))
        return found

    @functools.cached_property
    def version(self) -> str:
        """The hash of everything, in twelve hexadecimal digits."""
        digest = hashlib.blake2b(digest_size=6)
        for path, file in sorted(self._files.items()):
            digest.update(path.encode())
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def url(self, path: str) -> str:
        """The address of a file, such as ``app.css`` or ``vendor/htmx/htmx.min.js``.

        Raises:
            KeyError: there is no such file.
        """
        if path not in self._files:
            raise KeyError(f"webui has no file {path}; run `make setup` to have what npm brings")
        return f"{self._prefix}/{self.version}/{path}"

    @functools.cached_property
    def modules(self) -> tuple[str, ...]:
        """The addresses of what ``app.js`` imports, so that a browser asks for all of it at once."""
        return tuple(self.url(path) for path in sorted(self._files) if path.startswith(MODULES))

    async def serve(self, request: Request) -> Response:
        """Answer a request for a file."""
        path: str = request.path_params["path"]
        if path not in self._files:
            return PlainTextResponse("there is no such file\n", 404)
        kept = request.path_params["version"] == self.version
        headers = {
            "cache-control": "public, max-age=31536000, immutable" if kept else "no-cache",
            "vary": "accept-encoding",
        }
        ending = path[path.rfind(".") :]
        body, packed = self._body(path)
        if packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["content-encoding"] = packed, "gzip"
        kind = _TYPES.get(ending) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        return Response(body, 200, headers, media_type=kind)

    @functools.cache  # noqa: B019 — lives as long as the process
    def _body(self, path: str) -> tuple[bytes, bytes | None]:
        """A file and, where that is worth it, the same packed; made once."""
        body = self._files[path].read_bytes()
        return body, gzip.compress(body, 9, mtime=0) if path.endswith(_PACKED) else None


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif not entry.name.startswith("."):
            yield f"{prefix}{entry.name}", entry
