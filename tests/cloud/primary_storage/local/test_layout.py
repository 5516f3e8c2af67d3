"""Paths of volumes and cached images."""

from __future__ import annotations

from pathlib import Path

import pytest

from zstack_appliance.cloud.primary_storage.local import layout
from zstack_appliance.kernel.remote import HostCommandFailed

IMAGE = "0123456789abcdef" * 2


def test_everything_lies_in_a_folder_of_its_own() -> None:
    assert layout.cached_file("/p", IMAGE, "raw") == Path(f"/p/imagecache/{IMAGE}/{IMAGE}.raw")
    assert layout.volume_file("/p", IMAGE, "Root") == Path(f"/p/rootVolumes/{IMAGE}/{IMAGE}.qcow2")
    assert layout.volume_file("/p", IMAGE, "Data") == Path(f"/p/dataVolumes/{IMAGE}/{IMAGE}.qcow2")


@pytest.mark.parametrize("uuid", ["..", "", "x", IMAGE.upper(), f"{IMAGE}/../x", f"{IMAGE}\n", IMAGE[:-1]])
def test_only_uuids_become_paths(uuid: str) -> None:
    with pytest.raises(HostCommandFailed, match="is not a uuid"):
        layout.cached_folder("/p", uuid)
    with pytest.raises(HostCommandFailed, match="is not a uuid"):
        layout.volume_folder("/p", uuid, "Data")
