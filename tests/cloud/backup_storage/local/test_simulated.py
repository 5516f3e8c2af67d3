"""The simulated local backup storage keeps the contract."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.contracts.backup_storage import IMAGE, OTHER_IMAGE, BackupStorageContract
from tests.contracts.loopback import Loopback, SimulatedRuntime
from zstack_appliance.cloud.backup_storage.driver import FetchPolicy, ImageFormat
from zstack_appliance.cloud.backup_storage.local.management import LocalBackupStorage
from zstack_appliance.cloud.backup_storage.local.simulated import HANDLERS
from zstack_appliance.hostkit.simulated_files import SimulatedFile, SimulatedFiles
from zstack_appliance.kernel.remote import HostCommandFailed

URL = "http://images.example/x"


@dataclass
class SimulatedSite:
    """A storage of one simulated host."""

    driver: LocalBackupStorage
    files: SimulatedFiles
    policy: FetchPolicy

    async def offer(self, image_format: ImageFormat, virtual_size: int) -> str:
        url = f"file:///srv/images/{len(self.files.sources)}"
        self.files.sources[url] = SimulatedFile(image_format, virtual_size, virtual_size // 2)
        return url


def site_of(files: SimulatedFiles) -> SimulatedSite:
    driver = LocalBackupStorage(Loopback(HANDLERS, SimulatedRuntime(files)), "/backup")
    return SimulatedSite(driver, files, FetchPolicy(directories=("/srv/images",)))


@pytest.fixture
async def site() -> SimulatedSite:
    return site_of(SimulatedFiles())


class TestContract(BackupStorageContract):
    pass


async def test_an_unknown_url_is_not_found() -> None:
    with pytest.raises(HostCommandFailed, match="404"):
        await site_of(SimulatedFiles()).driver.fetch(IMAGE, URL, "raw", policy=FetchPolicy())


async def test_every_other_url_may_serve_what_is_asked_for() -> None:
    site = site_of(SimulatedFiles(elsewhere=SimulatedFile("any", 2**30, 2**26)))
    first = await site.driver.fetch(IMAGE, URL, "qcow2", policy=FetchPolicy())
    second = await site.driver.fetch(OTHER_IMAGE, f"{URL}y", "iso", policy=FetchPolicy())
    assert (first.format, first.virtual_size, second.format) == ("qcow2", 2**30, "iso")
    assert first.sha256 != second.sha256


async def test_a_full_storage_refuses_and_keeps_nothing() -> None:
    site = site_of(SimulatedFiles(total=2**20, elsewhere=SimulatedFile("any", 2**30, 2**26)))
    with pytest.raises(HostCommandFailed, match="has room for 1048576"):
        await site.driver.fetch(IMAGE, URL, "raw", policy=FetchPolicy())
    assert await site.driver.images() == ()
