"""What every primary storage driver must do, real or simulated.

A driver's test file subclasses `PrimaryStorageContract` and gives the fixture ``site``.
"""

from __future__ import annotations

from typing import Protocol

import pytest

from zstack_appliance.cloud.primary_storage.driver import ImageFormat, ImageSource, PrimaryStorageDriver
from zstack_appliance.kernel.remote import HostCommandFailed

IMAGE = "1" * 32
OTHER_IMAGE = "2" * 32
VOLUME = "a" * 32
OTHER_VOLUME = "b" * 32
GIB = 2**30


class Site(Protocol):
    """A storage under test, and a backup storage beside it."""

    @property
    def driver(self) -> PrimaryStorageDriver: ...

    async def image(self, image_uuid: str, image_format: ImageFormat, virtual_size: int) -> ImageSource:
        """Have an image in the backup storage."""


class PrimaryStorageContract:
    """The suite. Nothing in it knows which driver it tests."""

    async def test_connecting_measures_and_may_be_repeated(self, site: Site) -> None:
        first = await site.driver.connect()
        again = await site.driver.connect()
        assert 0 < first.available <= first.total
        assert again.total == first.total == (await site.driver.capacity()).total

    @pytest.mark.parametrize("image_format", ["qcow2", "raw", "iso"])
    async def test_a_filled_cache_answers_the_image(self, site: Site, image_format: ImageFormat) -> None:
        source = await site.image(IMAGE, image_format, 4 * 2**20)
        cached = await site.driver.fill_cache(source)
        assert (cached.image_uuid, cached.format, cached.virtual_size, cached.sha256) == (
            IMAGE,
            image_format,
            4 * 2**20,
            source.sha256,
        )
        assert cached.install_path.endswith(f"/imagecache/{IMAGE}/{IMAGE}.{image_format}")
        assert cached.actual_size > 0

    async def test_filling_again_answers_the_same_without_the_source(self, site: Site) -> None:
        source = await site.image(IMAGE, "qcow2", GIB)
        cached = await site.driver.fill_cache(source)
        gone = ImageSource(
            image_uuid=IMAGE,
            format="qcow2",
            path="/nowhere",
            virtual_size=source.virtual_size,
            sha256=source.sha256,
        )
        assert await site.driver.fill_cache(gone) == cached

    async def test_another_content_under_a_cached_uuid_is_refused(self, site: Site) -> None:
        await site.driver.fill_cache(await site.image(IMAGE, "qcow2", GIB))
        other = await site.image(OTHER_IMAGE, "qcow2", 2 * GIB)
        impostor = ImageSource(
            image_uuid=IMAGE, format="qcow2", path=other.path, virtual_size=2 * GIB, sha256=other.sha256
        )
        with pytest.raises(HostCommandFailed, match="cached already"):
            await site.driver.fill_cache(impostor)

    async def test_a_source_with_another_checksum_leaves_nothing(self, site: Site) -> None:
        source = await site.image(IMAGE, "qcow2", GIB)
        wrong = ImageSource(image_uuid=IMAGE, format="qcow2", path=source.path, virtual_size=GIB, sha256="0" * 64)
        with pytest.raises(HostCommandFailed, match="is not image"):
            await site.driver.fill_cache(wrong)
        assert await site.driver.bits() == ()
        await site.driver.fill_cache(source)

    async def test_a_source_that_is_gone_is_named(self, site: Site) -> None:
        source = ImageSource(image_uuid=IMAGE, format="qcow2", path="/nowhere/x", virtual_size=GIB, sha256="0" * 64)
        with pytest.raises(HostCommandFailed, match="/nowhere/x"):
            await site.driver.fill_cache(source)
        assert await site.driver.bits() == ()

    @pytest.mark.parametrize("image_format", ["qcow2", "raw"])
    async def test_a_clone_has_its_images_size_and_stands_on_it(self, site: Site, image_format: ImageFormat) -> None:
        cached = await site.driver.fill_cache(await site.image(IMAGE, image_format, 8 * 2**20))
        volume = await site.driver.create_root_volume(VOLUME, IMAGE, None)
        assert (volume.volume_uuid, volume.kind, volume.format) == (VOLUME, "Root", "qcow2")
        assert (volume.virtual_size, volume.backing) == (8 * 2**20, cached.install_path)
        assert volume.install_path.endswith(f"/rootVolumes/{VOLUME}/{VOLUME}.qcow2")

    async def test_a_clone_may_be_larger_but_not_smaller_than_its_image(self, site: Site) -> None:
        await site.driver.fill_cache(await site.image(IMAGE, "qcow2", GIB))
        assert (await site.driver.create_root_volume(VOLUME, IMAGE, 3 * GIB)).virtual_size == 3 * GIB
        with pytest.raises(HostCommandFailed, match=f"at least {GIB}"):
            await site.driver.create_root_volume(OTHER_VOLUME, IMAGE, GIB - 512)

    async def test_an_iso_is_not_cloned(self, site: Site) -> None:
        await site.driver.fill_cache(await site.image(IMAGE, "iso", 2**20))
        with pytest.raises(HostCommandFailed, match="ISO"):
            await site.driver.create_root_volume(VOLUME, IMAGE, GIB)

    async def test_a_clone_needs_its_image_in_the_cache(self, site: Site) -> None:
        with pytest.raises(HostCommandFailed, match="not cached"):
            await site.driver.create_root_volume(VOLUME, IMAGE, None)

    async def test_cloning_again_answers_the_same(self, site: Site) -> None:
        await site.driver.fill_cache(await site.image(IMAGE, "qcow2", GIB))
        first = await site.driver.create_root_volume(VOLUME, IMAGE, 2 * GIB)
        assert await site.driver.create_root_volume(VOLUME, IMAGE, 2 * GIB) == first

    async def test_another_size_or_image_for_a_clone_that_exists_is_refused(self, site: Site) -> None:
        await site.driver.fill_cache(await site.image(IMAGE, "qcow2", GIB))
        await site.driver.fill_cache(await site.image(OTHER_IMAGE, "qcow2", GIB))
        await site.driver.create_root_volume(VOLUME, IMAGE, None)
        with pytest.raises(HostCommandFailed, match="exists already"):
            await site.driver.create_root_volume(VOLUME, IMAGE, 2 * GIB)
        with pytest.raises(HostCommandFailed, match="exists already"):
            await site.driver.create_root_volume(VOLUME, OTHER_IMAGE, None)

    async def test_an_empty_volume_has_whole_sectors_and_no_image(self, site: Site) -> None:
        volume = await site.driver.create_empty_volume(VOLUME, "Data", GIB + 1)
        assert (volume.virtual_size, volume.backing, volume.kind) == (GIB + 512, None, "Data")
        assert volume.install_path.endswith(f"/dataVolumes/{VOLUME}/{VOLUME}.qcow2")
        assert await site.driver.create_empty_volume(VOLUME, "Data", GIB + 1) == volume

    async def test_an_empty_root_volume_lies_with_the_root_volumes(self, site: Site) -> None:
        volume = await site.driver.create_empty_volume(VOLUME, "Root", GIB)
        assert f"/rootVolumes/{VOLUME}/" in volume.install_path

    @pytest.mark.parametrize("size", [0, -512])
    async def test_a_volume_without_size_is_refused(self, site: Site, size: int) -> None:
        with pytest.raises(HostCommandFailed, match="cannot have"):
            await site.driver.create_empty_volume(VOLUME, "Data", size)
        assert await site.driver.bits() == ()

    async def test_another_size_for_an_empty_volume_that_exists_is_refused(self, site: Site) -> None:
        await site.driver.create_empty_volume(VOLUME, "Data", GIB)
        with pytest.raises(HostCommandFailed, match="exists already"):
            await site.driver.create_empty_volume(VOLUME, "Data", 2 * GIB)

    async def test_deleting_may_be_repeated_and_makes_room_for_another(self, site: Site) -> None:
        await site.driver.create_empty_volume(VOLUME, "Data", GIB)
        await site.driver.delete_volume(VOLUME, "Data")
        await site.driver.delete_volume(VOLUME, "Data")
        assert await site.driver.bits() == ()
        assert (await site.driver.create_empty_volume(VOLUME, "Data", 2 * GIB)).virtual_size == 2 * GIB

    async def test_deleting_touches_no_volume_of_another_kind(self, site: Site) -> None:
        await site.driver.create_empty_volume(VOLUME, "Root", GIB)
        await site.driver.delete_volume(VOLUME, "Data")
        assert [bits.kind for bits in await site.driver.bits()] == ["Root"]

    async def test_an_image_is_not_evicted_while_something_stands_on_it(self, site: Site) -> None:
        await site.driver.fill_cache(await site.image(IMAGE, "qcow2", GIB))
        await site.driver.fill_cache(await site.image(OTHER_IMAGE, "qcow2", GIB))
        await site.driver.create_root_volume(VOLUME, IMAGE, None)
        await site.driver.evict(OTHER_IMAGE)
        with pytest.raises(HostCommandFailed, match="stays in the cache: 1"):
            await site.driver.evict(IMAGE)
        await site.driver.delete_volume(VOLUME, "Root")
        await site.driver.evict(IMAGE)
        await site.driver.evict(IMAGE)
        assert await site.driver.bits() == ()

    async def test_a_volume_is_measured_as_it_was_made(self, site: Site) -> None:
        await site.driver.fill_cache(await site.image(IMAGE, "qcow2", GIB))
        root = await site.driver.create_root_volume(VOLUME, IMAGE, None)
        data = await site.driver.create_empty_volume(OTHER_VOLUME, "Data", GIB)
        assert await site.driver.measure_volume(VOLUME, "Root") == root
        assert await site.driver.measure_volume(OTHER_VOLUME, "Data") == data
        assert root.actual_size > 0

    async def test_a_volume_that_is_gone_is_not_measured(self, site: Site) -> None:
        with pytest.raises(HostCommandFailed, match=f"volume {VOLUME} is not on this host"):
            await site.driver.measure_volume(VOLUME, "Root")

    async def test_everything_is_listed_images_first(self, site: Site) -> None:
        cached = await site.driver.fill_cache(await site.image(IMAGE, "raw", 2**20))
        second = await site.driver.create_empty_volume(OTHER_VOLUME, "Data", GIB)
        first = await site.driver.create_empty_volume(VOLUME, "Data", GIB)
        root = await site.driver.create_root_volume(VOLUME, IMAGE, None)
        found = await site.driver.bits()
        assert [(bits.kind, bits.uuid, bits.install_path) for bits in found] == [
            ("Image", IMAGE, cached.install_path),
            ("Root", VOLUME, root.install_path),
            ("Data", VOLUME, first.install_path),
            ("Data", OTHER_VOLUME, second.install_path),
        ]

    async def test_progress_ends_at_the_whole(self, site: Site) -> None:
        heard: list[float | None] = []
        source = await site.image(IMAGE, "raw", 8 * 2**20)
        await site.driver.fill_cache(source, report=lambda fraction, _: heard.append(fraction))
        assert heard
        assert heard[-1] == 1.0
