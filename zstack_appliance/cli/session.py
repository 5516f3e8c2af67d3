"""The session that ``login`` keeps for later commands: one small file per user, readable by that user alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec


class KeptSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session, and the appliance that it is of."""

    url: str
    uuid: str
    account: str


def session_file(environment: Mapping[str, str]) -> Path:
    """Where it is kept: ``$XDG_STATE_HOME`` or ``~/.local/state``, below ``zstack-appliance``."""
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "zstack-appliance" / "session"


def read_session(file: Path) -> KeptSession | None:
    """What is kept; None when there is nothing, or nothing that can be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=KeptSession)
    except (OSError, msgspec.MsgspecError):
        return None


def write_session(file: Path, session: KeptSession) -> None:
    """Keep a session in place of the one before, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(msgspec.json.encode(session))
    part.replace(file)


def forget_session(file: Path) -> None:
    """Keep none any more."""
    file.unlink(missing_ok=True)
