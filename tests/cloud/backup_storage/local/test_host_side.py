"""The real local backup storage keeps the contract, and what only real files can show."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from tests.cloud.backup_storage.local.origin import origin
from tests.contracts.backup_storage import IMAGE, MIB, BackupStorageContract
from tests.contracts.disks import content, create_qcow2, mode
from tests.contracts.loopback import Loopback, RealRuntime
from zstack_appliance.cloud.backup_storage.driver import FetchPolicy, ImageFormat
from zstack_appliance.cloud.backup_storage.local.host_side import HOST_SIDE
from zstack_appliance.cloud.backup_storage.local.management import LocalBackupStorage
from zstack_appliance.kernel.remote import HostCommandFailed


@dataclass
class RealSite:
    """A storage in a temporary folder, and an allowed directory beside it."""

    driver: LocalBackupStorage
    folder: Path

    @property
    def root(self) -> Path:
        return Path(self.driver.root)

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def policy(self) -> FetchPolicy:
        return FetchPolicy(directories=(str(self.source),))

    async def offer(self, image_format: ImageFormat, virtual_size: int) -> str:
        file = self.source / f"{len(list(self.source.iterdir()))}.{image_format}"
        if image_format == "qcow2":
            create_qcow2(file, virtual_size)
        else:
            mark = b"CD001" if image_format == "iso" else b"....."
            file.write_bytes((bytes(32769) + mark).ljust(virtual_size, b"x"))
        return f"file://{file}"


@pytest.fixture
async def site(tmp_path: Path) -> RealSite:
    driver = LocalBackupStorage(Loopback(HOST_SIDE.real, RealRuntime(tmp_path)), str(tmp_path / "backup"))
    await driver.connect()
    (tmp_path / "source").mkdir()
    return RealSite(driver, tmp_path)


class TestContract(BackupStorageContract):
    pass


async def test_what_is_stored_is_what_was_offered_and_read_only(site: RealSite) -> None:
    url = await site.offer("raw", MIB)
    stored = await site.driver.fetch(IMAGE, url, "raw", policy=site.policy)
    offered = content(url)
    assert content(stored.install_path) == offered
    assert stored.md5 == hashlib.md5(offered).hexdigest()
    assert stored.sha256 == hashlib.sha256(offered).hexdigest()
    assert mode(stored.install_path) == 0o444


async def test_an_image_comes_from_the_web(site: RealSite) -> None:
    url = await site.offer("qcow2", MIB)
    async with origin() as server:
        server.serve("/x", content(url))
        web = f"http://127.0.0.1:{server.port}/x"
        stored = await site.driver.fetch(IMAGE, web, "qcow2", policy=FetchPolicy(allowed=("127.0.0.1",)))
    assert stored.virtual_size == MIB


async def test_a_link_in_the_allowed_directory_leads_nowhere(site: RealSite) -> None:
    (site.source / "x").symlink_to("/etc/shadow")
    with pytest.raises(HostCommandFailed, match="symbolic link"):
        await site.driver.fetch(IMAGE, f"file://{site.source}/x", "raw", policy=site.policy)
    assert await site.driver.images() == ()


@pytest.mark.parametrize("options", [("-u", "-F", "raw", "-b", "/etc/shadow"), ("-o", "data_file={}/data.raw")])
async def test_an_image_that_names_another_file_leaves_nothing(site: RealSite, options: tuple[str, ...]) -> None:
    filled = [option.format(site.source) for option in options]
    file = create_qcow2(site.source / "trap.qcow2", "1M", *filled)
    with pytest.raises(HostCommandFailed, match="would be read from this host"):
        await site.driver.fetch(IMAGE, f"file://{file}", "qcow2", policy=site.policy)
    assert list((site.root / "images").iterdir()) == []


async def test_a_file_over_the_limit_leaves_nothing(site: RealSite) -> None:
    url = await site.offer("raw", MIB)
    small = FetchPolicy(directories=site.policy.directories, max_bytes=MIB - 1)
    with pytest.raises(HostCommandFailed, match=f"{MIB - 1} are allowed"):
        await site.driver.fetch(IMAGE, url, "raw", policy=small)
    assert list((site.root / "images").iterdir()) == []


async def test_a_cancelled_download_leaves_nothing(site: RealSite) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n" + bytes(4 * MIB)
    async with origin() as server:
        server.answers["/x"] = half
        with trio.CancelScope() as scope:
            await site.driver.fetch(
                IMAGE,
                f"http://127.0.0.1:{server.port}/x",
                "raw",
                policy=FetchPolicy(allowed=("127.0.0.1",)),
                report=lambda *_: scope.cancel(),
            )
    assert scope.cancelled_caught
    assert list((site.root / "images").iterdir()) == []


async def test_two_fetches_of_one_image_do_not_meet(site: RealSite) -> None:
    url = await site.offer("raw", 16 * MIB)
    refused: list[str] = []

    async def again() -> None:
        with pytest.raises(HostCommandFailed, match="being worked on"):
            await site.driver.fetch(IMAGE, url, "raw", policy=site.policy)
        with pytest.raises(HostCommandFailed, match="being worked on"):
            await site.driver.delete(IMAGE)
        await site.driver.connect()
        refused.append("yes")
        started.set()

    started = trio.Event()
    async with trio.open_nursery() as nursery:
        begun = False

        def first_report(fraction: float | None, text: str) -> None:
            nonlocal begun
            if not begun:
                begun = True
                nursery.start_soon(again)

        stored = await site.driver.fetch(IMAGE, url, "raw", policy=site.policy, report=first_report)
        await started.wait()
    assert refused == ["yes"]
    assert await site.driver.images() == (stored,)


async def test_connecting_removes_what_a_crash_left(site: RealSite) -> None:
    half = site.root / "images" / f"{IMAGE}.part"
    half.mkdir()
    (half / f"{IMAGE}.raw").write_bytes(b"half")
    assert await site.driver.images() == ()
    await site.driver.connect()
    assert not half.exists()


async def test_a_storage_that_was_moved_answers_its_new_paths(site: RealSite) -> None:
    await site.driver.fetch(IMAGE, await site.offer("raw", MIB), "raw", policy=site.policy)
    moved = LocalBackupStorage(site.driver.host, str(site.folder / "moved"))
    shutil.move(site.root, moved.root)
    (stored,) = await moved.images()
    assert stored.install_path == f"{moved.root}/images/{IMAGE}/{IMAGE}.raw"


async def test_damaged_facts_are_named_and_can_be_deleted(site: RealSite) -> None:
    await site.driver.fetch(IMAGE, await site.offer("raw", MIB), "raw", policy=site.policy)
    (site.root / "images" / IMAGE / "image.json").write_text("{")
    with pytest.raises(HostCommandFailed, match=r"image\.json is damaged"):
        await site.driver.images()
    await site.driver.delete(IMAGE)
    assert await site.driver.images() == ()


async def test_a_storage_of_another_appliance_is_left_alone(site: RealSite) -> None:
    stranger = RealRuntime(site.folder, instance="fedcba")
    other = LocalBackupStorage(Loopback(HOST_SIDE.real, stranger), site.driver.root)
    with pytest.raises(HostCommandFailed, match=r"another appliance \(instance abc123"):
        await other.connect()


async def test_a_storage_that_was_never_connected_says_so(site: RealSite) -> None:
    driver = LocalBackupStorage(site.driver.host, str(site.folder / "never"))
    with pytest.raises(HostCommandFailed, match="cannot measure"):
        await driver.capacity()
    with pytest.raises(HostCommandFailed, match="cannot list"):
        await driver.images()
