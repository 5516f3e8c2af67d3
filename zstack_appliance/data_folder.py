"""The data folder: what has to be there before the database is opened.

Primitives: `DataFolder` (where things are), `prepare` (makes them at the first start, reads them later) and
`KeySealer` (encrypts with the folder's key).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zstack_appliance.kernel.errors import Conflict, Internal
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.world import Entropy

_NONCE_BYTES = 12
"""What AES-GCM wants (NIST SP 800-38D, section 8.2)."""


@dataclass(frozen=True)
class DataFolder:
    """A data folder that is ready.

    Args:
        path: absolute.
        instance: which appliance it is of.
        sealer: encrypts with its key.
        metrics_token: with which ``/metrics`` is read from elsewhere.
    """

    path: Path
    instance: Instance
    sealer: KeySealer
    metrics_token: str

    @property
    def run(self) -> Path:
        """What belongs to the running process: its pid, its socket."""
        return self.path / "run"

    @property
    def images(self) -> Path:
        """Where images may be put for ``file:`` URLs."""
        return self.path / "images"

    @property
    def primary(self) -> Path:
        """The first primary storage."""
        return self.path / "primary"

    @property
    def backup(self) -> Path:
        """The first backup storage."""
        return self.path / "backup"


class KeySealer:
    """AES-256-GCM with one key, hex on the outside."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes) -> str:
        """Encrypt; no two results are alike."""
        nonce = os.urandom(_NONCE_BYTES)
        return (nonce + self._cipher.encrypt(nonce, plain, None)).hex()

    def unseal(self, sealed: str) -> bytes:
        """Decrypt.

        Raises:
            Internal: it was sealed with another key, or has been changed.
        """
        raw = bytes.fromhex(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None)
        except InvalidTag:
            raise Internal("a secret cannot be read: the data folder's key is not the one it was sealed with") from None


def prepare(path: Path, entropy: Entropy) -> DataFolder:
    """Have the data folder, with the appliance's id and key in it; a second call changes nothing.

    Raises:
        Conflict: it cannot be made or read, or its files are damaged.
    """
    path = path.resolve()
    try:
        for folder in (path, path / "run", path / "log", path / "images"):
            folder.mkdir(parents=True, exist_ok=True)
        instance = _read_or_write(path / "instance", entropy.hex(6))
        key = _read_or_write(path / "key", AESGCM.generate_key(256).hex())
        token = _read_or_write(path / "metrics-token", AESGCM.generate_key(256).hex())
    except OSError as error:
        text = f"the data folder {path} cannot be used: {error.strerror} ({error.filename}); choose another --data"
        raise Conflict(text) from error
    if not re.fullmatch(r"[0-9a-f]{6}", instance) or not re.fullmatch(r"[0-9a-f]{64}", key):
        raise Conflict(f"{path}/instance or {path}/key is damaged; restore it from a backup")
    return DataFolder(path, Instance(instance), KeySealer(bytes.fromhex(key)), token)


def _read_or_write(path: Path, fresh: str) -> str:
    """What the file holds, written with `fresh` if it is not there; durable, and for its owner alone."""
    if not path.exists():
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{fresh}\n")
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    return path.read_text().strip()
