"""What a local primary storage says no to."""

from __future__ import annotations

import msgspec
import pytest

from zstack_appliance.cloud.primary_storage.driver import CachedImage, ImageSource, VolumeBits
from zstack_appliance.cloud.primary_storage.local import rules

IMAGE = CachedImage(
    image_uuid="1" * 32, format="qcow2", install_path="/i", virtual_size=4096, actual_size=10, sha256="s"
)
SOURCE = ImageSource(image_uuid="1" * 32, format="qcow2", path="/b", virtual_size=4096, sha256="s")
VOLUME = VolumeBits(
    volume_uuid="a" * 32, kind="Root", install_path="/v", virtual_size=8192, actual_size=1, backing="/i"
)


@pytest.mark.parametrize(("size", "whole"), [(0, 0), (1, 512), (512, 512), (513, 1024), (2**40, 2**40)])
def test_sizes_are_rounded_up(size: int, whole: int) -> None:
    assert rules.whole_sectors(size) == whole


def test_a_volume_has_a_size() -> None:
    assert rules.size_fault(1) is None
    assert "at least 512" in (rules.size_fault(0) or "")


def test_a_clone_holds_its_image() -> None:
    assert rules.clone_fault(IMAGE, 4096) is None
    assert "at least 4096" in (rules.clone_fault(IMAGE, 4095) or "")
    assert "ISO" in (rules.clone_fault(msgspec.structs.replace(IMAGE, format="iso"), 4096) or "")


def test_a_cached_image_is_its_source() -> None:
    assert rules.cached_fault(IMAGE, SOURCE) is None
    assert rules.cached_fault(IMAGE, msgspec.structs.replace(SOURCE, sha256="t")) is not None
    assert rules.cached_fault(IMAGE, msgspec.structs.replace(SOURCE, format="raw")) is not None


def test_a_volume_is_what_is_asked_for() -> None:
    assert rules.volume_fault(VOLUME, 8192, "/i") is None
    assert "8192 bytes on /i, not with 4096" in (rules.volume_fault(VOLUME, 4096, "/i") or "")
    assert "no image" in (rules.volume_fault(VOLUME, 8192, None) or "")


def test_an_image_in_use_stays() -> None:
    assert rules.eviction_fault("1" * 32, 0) is None
    assert "3 files" in (rules.eviction_fault("1" * 32, 3) or "")
