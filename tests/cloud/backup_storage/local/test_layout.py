"""Paths of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from zstack_appliance.cloud.backup_storage.local import layout
from zstack_appliance.kernel.remote import HostCommandFailed

IMAGE = "0123456789abcdef" * 2


def test_an_image_lies_in_a_folder_of_its_own() -> None:
    assert layout.image_file("/data/backup", IMAGE, "iso") == Path(f"/data/backup/images/{IMAGE}/{IMAGE}.iso")


@pytest.mark.parametrize("uuid", ["..", "", "x", IMAGE.upper(), f"{IMAGE}/../x", f"{IMAGE}\n", IMAGE[:-1]])
def test_only_uuids_become_paths(uuid: str) -> None:
    with pytest.raises(HostCommandFailed, match="is not a uuid"):
        layout.image_folder("/data/backup", uuid)
