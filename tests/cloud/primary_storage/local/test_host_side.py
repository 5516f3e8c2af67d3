"""The real local primary storage keeps the contract, and what only real files can show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from tests.contracts.disks import create_qcow2, describe_qcow2, mode, sha256, sizes
from tests.contracts.loopback import Loopback, RealRuntime
from tests.contracts.primary_storage import GIB, IMAGE, OTHER_VOLUME, VOLUME, PrimaryStorageContract
from zstack_appliance.cloud.primary_storage.driver import ImageFormat, ImageSource
from zstack_appliance.cloud.primary_storage.local.host_side import HOST_SIDE
from zstack_appliance.cloud.primary_storage.local.management import LocalPrimaryStorage
from zstack_appliance.kernel.remote import HostCommandFailed


@dataclass
class RealSite:
    """A storage in a temporary folder."""

    driver: LocalPrimaryStorage
    folder: Path
    runtime: RealRuntime

    @property
    def root(self) -> Path:
        return Path(self.driver.root)

    async def image(self, image_uuid: str, image_format: ImageFormat, virtual_size: int) -> ImageSource:
        path = self.folder / f"{image_uuid}.{image_format}"
        if image_format == "qcow2":
            create_qcow2(path, virtual_size)
        else:
            path.write_bytes(image_uuid.encode().ljust(virtual_size, b"."))
        return ImageSource(
            image_uuid=image_uuid,
            format=image_format,
            path=str(path),
            virtual_size=virtual_size,
            sha256=sha256(path),
        )


@pytest.fixture
async def site(tmp_path: Path) -> RealSite:
    runtime = RealRuntime(tmp_path)
    driver = LocalPrimaryStorage(Loopback(HOST_SIDE.real, runtime), str(tmp_path / "primary"))
    await driver.connect()
    return RealSite(driver, tmp_path, runtime)


class TestContract(PrimaryStorageContract):
    pass


async def test_every_use_of_qemu_img_names_its_formats(site: RealSite) -> None:
    await site.driver.fill_cache(await site.image(IMAGE, "raw", 2**20))
    await site.driver.create_root_volume(VOLUME, IMAGE, None)
    await site.driver.create_empty_volume(VOLUME, "Data", GIB)
    await site.driver.measure_volume(VOLUME, "Root")
    assert len(site.runtime.ran) == 3
    for argv in site.runtime.ran:
        assert argv[argv.index("-f") + 1] == "qcow2"
        assert ("-b" in argv) == ("-F" in argv)
    assert site.runtime.ran[0][site.runtime.ran[0].index("-F") + 1] == "raw"


async def test_a_clone_of_a_raw_image_that_looks_like_qcow2_reads_it_as_raw(site: RealSite) -> None:
    inner = create_qcow2(site.folder / "inner.qcow2", "64G")
    source = ImageSource(
        image_uuid=IMAGE,
        format="raw",
        path=str(inner),
        virtual_size=inner.stat().st_size,
        sha256=sha256(inner),
    )
    await site.driver.fill_cache(source)
    volume = await site.driver.create_root_volume(VOLUME, IMAGE, None)
    assert describe_qcow2(volume.install_path)["backing-filename-format"] == "raw"
    assert volume.virtual_size == inner.stat().st_size


async def test_cached_images_are_read_only_and_volumes_closed_to_other_users(site: RealSite) -> None:
    cached = await site.driver.fill_cache(await site.image(IMAGE, "qcow2", GIB))
    volume = await site.driver.create_root_volume(VOLUME, IMAGE, None)
    assert mode(cached.install_path) == 0o444
    assert mode(volume.install_path) == 0o600
    assert mode(site.root / "rootVolumes" / VOLUME) == 0o711
    assert mode(site.root) == 0o711


async def test_a_link_is_not_cached(site: RealSite) -> None:
    source = await site.image(IMAGE, "raw", 2**20)
    link = site.folder / "link"
    link.symlink_to(source.path)
    linked = ImageSource(image_uuid=IMAGE, format="raw", path=str(link), virtual_size=2**20, sha256=source.sha256)
    with pytest.raises(HostCommandFailed, match="cannot open"):
        await site.driver.fill_cache(linked)


async def test_holes_stay_holes_in_the_cache(site: RealSite) -> None:
    sparse = site.folder / "sparse"
    with sparse.open("wb") as opened:
        opened.truncate(64 * 2**20)
    source = ImageSource(
        image_uuid=IMAGE,
        format="raw",
        path=str(sparse),
        virtual_size=64 * 2**20,
        sha256=sha256(sparse),
    )
    cached = await site.driver.fill_cache(source)
    length, taken = sizes(cached.install_path)
    assert length == cached.actual_size == 64 * 2**20
    assert taken < 2**20


async def test_connecting_removes_what_a_crash_left_and_nothing_else(site: RealSite) -> None:
    await site.driver.create_empty_volume(VOLUME, "Data", GIB)
    for folder in ("imagecache", "rootVolumes", "dataVolumes"):
        half = site.root / folder / f"{OTHER_VOLUME}.part"
        half.mkdir()
        (half / "half").write_text("done")
    stranger = site.root / "dataVolumes" / "notes.part"
    stranger.write_text("a plain file")
    await site.driver.connect()
    assert {entry.name for entry in site.root.glob("*/*")} == {VOLUME, "notes.part"}


async def test_a_half_made_volume_is_not_listed_and_does_not_hinder(site: RealSite) -> None:
    half = site.root / "dataVolumes" / f"{VOLUME}.part"
    half.mkdir()
    (half / f"{VOLUME}.qcow2").write_text("half")
    assert await site.driver.bits() == ()
    await site.driver.create_empty_volume(VOLUME, "Data", GIB)
    assert not half.exists()


async def test_a_failing_qemu_img_leaves_nothing(site: RealSite) -> None:
    with pytest.raises(HostCommandFailed, match="qemu-img"):
        await site.driver.create_empty_volume(VOLUME, "Data", 2**62)
    assert list((site.root / "dataVolumes").iterdir()) == []


async def test_a_cancelled_fill_leaves_nothing(site: RealSite) -> None:
    source = await site.image(IMAGE, "raw", 32 * 2**20)
    with trio.CancelScope() as scope:
        await site.driver.fill_cache(source, report=lambda *_: scope.cancel())
    assert scope.cancelled_caught
    assert list((site.root / "imagecache").iterdir()) == []


async def test_a_storage_of_another_appliance_is_left_alone(site: RealSite) -> None:
    stranger = RealRuntime(site.folder, instance="fedcba")
    other = LocalPrimaryStorage(Loopback(HOST_SIDE.real, stranger), site.driver.root)
    with pytest.raises(HostCommandFailed, match=r"another appliance \(instance abc123"):
        await other.connect()


@pytest.mark.parametrize("root", ["relative", "/", "/a/../etc", "//srv", "/srv/", ""])
async def test_a_root_that_is_no_plain_path_is_refused(site: RealSite, root: str) -> None:
    driver = LocalPrimaryStorage(Loopback(HOST_SIDE.real, site.runtime), root)
    with pytest.raises(HostCommandFailed, match="cannot hold a storage"):
        await driver.connect()


async def test_damaged_facts_are_named(site: RealSite) -> None:
    await site.driver.fill_cache(await site.image(IMAGE, "qcow2", GIB))
    (site.root / "imagecache" / IMAGE / "image.json").write_text("{")
    with pytest.raises(HostCommandFailed, match=r"image\.json is damaged"):
        await site.driver.create_root_volume(OTHER_VOLUME, IMAGE, None)


async def test_a_damaged_volume_is_named(site: RealSite) -> None:
    await site.driver.create_empty_volume(VOLUME, "Data", GIB)
    (site.root / "dataVolumes" / VOLUME / f"{VOLUME}.qcow2").write_text("not qcow2")
    with pytest.raises(HostCommandFailed, match="qemu-img"):
        await site.driver.measure_volume(VOLUME, "Data")
