"""Can QEMU reach the data folder? On most hosts it runs as a user of its own, not as root."""

from __future__ import annotations

import stat
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class QemuUser:
    """The user that libvirt runs guests as."""

    uid: int
    gid: int


def qemu_user(capabilities: str) -> QemuUser:
    """Who runs guests, from libvirt's capabilities; root when libvirt changes no user."""
    for model in ET.fromstring(capabilities).iterfind("host/secmodel"):  # noqa: S314 - libvirtd wrote it
        if model.findtext("model") == "dac":
            uid, gid = (model.findtext("baselabel") or "+0:+0").split(":")
            return QemuUser(uid=int(uid), gid=int(gid))
    return QemuUser(uid=0, gid=0)


def closed_folder(data: Path, user: QemuUser) -> Path | None:
    """The first folder on the way to `data`, itself included, that the user may not pass through. Blocks."""
    if user.uid == 0:
        return None
    for folder in (*reversed(data.parents), data):
        status = folder.stat()
        if status.st_uid == user.uid:
            passes = status.st_mode & stat.S_IXUSR
        elif status.st_gid == user.gid:
            passes = status.st_mode & stat.S_IXGRP
        else:
            passes = status.st_mode & stat.S_IXOTH
        if not passes:
            return folder
    return None
