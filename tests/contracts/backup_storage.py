"""What every backup storage driver must do, real or simulated.

A driver's test file subclasses `BackupStorageContract` and gives the fixture ``site``.
"""

from __future__ import annotations

from typing import Protocol

import pytest

from zstack_appliance.cloud.backup_storage.driver import BackupStorageDriver, FetchPolicy, ImageFormat
from zstack_appliance.kernel.remote import HostCommandFailed

IMAGE = "1" * 32
OTHER_IMAGE = "2" * 32
MIB = 2**20


class Site(Protocol):
    """A storage under test, and a place that images come from."""

    @property
    def driver(self) -> BackupStorageDriver: ...

    @property
    def policy(self) -> FetchPolicy:
        """Opens the place of `offer`, and nothing else."""

    async def offer(self, image_format: ImageFormat, virtual_size: int) -> str:
        """The URL of a new image."""


class BackupStorageContract:
    """The suite. Nothing in it knows which driver it tests."""

    async def test_connecting_measures_and_may_be_repeated(self, site: Site) -> None:
        first = await site.driver.connect()
        again = await site.driver.connect()
        assert 0 < first.available <= first.total
        assert again.total == first.total == (await site.driver.capacity()).total

    @pytest.mark.parametrize("image_format", ["qcow2", "raw", "iso"])
    async def test_a_fetched_image_is_described_and_listed(self, site: Site, image_format: ImageFormat) -> None:
        url = await site.offer(image_format, 4 * MIB)
        stored = await site.driver.fetch(IMAGE, url, image_format, policy=site.policy)
        assert (stored.image_uuid, stored.format, stored.virtual_size) == (IMAGE, image_format, 4 * MIB)
        assert stored.install_path.endswith(f"/images/{IMAGE}/{IMAGE}.{image_format}")
        assert (len(stored.md5), len(stored.sha256)) == (32, 64)
        assert stored.actual_size > 0
        assert await site.driver.images() == (stored,)

    async def test_fetching_again_answers_the_same_without_the_source(self, site: Site) -> None:
        url = await site.offer("qcow2", MIB)
        stored = await site.driver.fetch(IMAGE, url, "qcow2", policy=site.policy)
        assert await site.driver.fetch(IMAGE, "http://gone/", "qcow2", policy=FetchPolicy()) == stored

    async def test_another_format_for_a_stored_image_is_refused(self, site: Site) -> None:
        url = await site.offer("qcow2", MIB)
        await site.driver.fetch(IMAGE, url, "qcow2", policy=site.policy)
        with pytest.raises(HostCommandFailed, match="stored as qcow2 already"):
            await site.driver.fetch(IMAGE, url, "raw", policy=site.policy)

    @pytest.mark.parametrize("prefix", ["", "{}:"])
    @pytest.mark.parametrize("algorithm", ["md5", "sha256"])
    async def test_the_expected_checksum_is_accepted(self, site: Site, algorithm: str, prefix: str) -> None:
        url = await site.offer("raw", MIB)
        stored = await site.driver.fetch(IMAGE, url, "raw", policy=site.policy)
        checksum = prefix.format(algorithm) + getattr(stored, algorithm).upper()
        again = await site.driver.fetch(OTHER_IMAGE, url, "raw", policy=site.policy, checksum=checksum)
        assert again.sha256 == stored.sha256

    async def test_another_checksum_leaves_nothing(self, site: Site) -> None:
        url = await site.offer("raw", MIB)
        with pytest.raises(HostCommandFailed, match="damaged"):
            await site.driver.fetch(IMAGE, url, "raw", policy=site.policy, checksum="sha256:" + "0" * 64)
        assert await site.driver.images() == ()
        await site.driver.fetch(IMAGE, url, "raw", policy=site.policy)
        with pytest.raises(HostCommandFailed, match="damaged"):
            await site.driver.fetch(IMAGE, url, "raw", policy=site.policy, checksum="md5:" + "0" * 32)

    @pytest.mark.parametrize("checksum", ["sha1:" + "0" * 40, "crc", "sha256:12", "md5:" + "0" * 64])
    async def test_a_checksum_that_cannot_be_checked_is_refused(self, site: Site, checksum: str) -> None:
        url = await site.offer("raw", MIB)
        with pytest.raises(HostCommandFailed, match="not understood"):
            await site.driver.fetch(IMAGE, url, "raw", policy=site.policy, checksum=checksum)

    @pytest.mark.parametrize(("declared", "offered"), [("qcow2", "raw"), ("qcow2", "iso"), ("iso", "qcow2")])
    async def test_an_image_that_is_not_what_it_is_declared_leaves_nothing(
        self, site: Site, declared: ImageFormat, offered: ImageFormat
    ) -> None:
        url = await site.offer(offered, MIB)
        with pytest.raises(HostCommandFailed, match=f"declared {declared}, but"):
            await site.driver.fetch(IMAGE, url, declared, policy=site.policy)
        assert await site.driver.images() == ()

    async def test_a_qcow2_declared_raw_is_taken_as_it_is(self, site: Site) -> None:
        url = await site.offer("qcow2", 64 * MIB)
        stored = await site.driver.fetch(IMAGE, url, "raw", policy=site.policy)
        assert stored.format == "raw"

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("ftp://example.org/x", "not fetched by ftp: use http://, https:// or file:///"),
            ("gopher://example.org/x", "not fetched by gopher"),
            ("example.org/x", "without a scheme"),
            ("http:///x", "names no host"),
            ("http://[::1/x", "malformed"),
            ("http://example.org/a\nb", "control character"),
            ("file:///etc/shadow", "not below a directory"),
            ("file://elsewhere/etc/shadow", "not from elsewhere"),
            ("http://127.0.0.1/x", "127.0.0.1 is refused"),
            ("http://[::ffff:127.0.0.1]/x", "is refused"),
            ("http://169.254.169.254/latest/meta-data", "169.254.169.254 is refused"),
            ("http://10.99.0.7/x", "own networks"),
        ],
    )
    async def test_a_url_that_leads_astray_is_refused(self, site: Site, url: str, why: str) -> None:
        policy = FetchPolicy(directories=("/srv/images",), own_networks=("10.99.0.0/16",))
        with pytest.raises(HostCommandFailed, match=why):
            await site.driver.fetch(IMAGE, url, "raw", policy=policy)
        assert await site.driver.images() == ()

    async def test_deleting_may_be_repeated(self, site: Site) -> None:
        url = await site.offer("raw", MIB)
        await site.driver.fetch(IMAGE, url, "raw", policy=site.policy)
        await site.driver.delete(IMAGE)
        await site.driver.delete(IMAGE)
        assert await site.driver.images() == ()

    async def test_images_are_listed_by_uuid(self, site: Site) -> None:
        url = await site.offer("raw", MIB)
        second = await site.driver.fetch(OTHER_IMAGE, url, "raw", policy=site.policy)
        first = await site.driver.fetch(IMAGE, url, "raw", policy=site.policy)
        assert await site.driver.images() == (first, second)

    async def test_progress_ends_at_the_whole(self, site: Site) -> None:
        heard: list[float | None] = []
        url = await site.offer("raw", 8 * MIB)
        await site.driver.fetch(
            IMAGE, url, "raw", policy=site.policy, report=lambda fraction, _: heard.append(fraction)
        )
        assert heard
        assert heard[-1] == 1.0
