"""Fetched files are what they are declared to be."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cloud.backup_storage.local.test_qcow2 import header
from tests.contracts.disks import create_qcow2
from tests.contracts.loopback import RealRuntime
from zstack_appliance.cloud.backup_storage.driver import ImageFormat
from zstack_appliance.cloud.backup_storage.local.verify import recognise, virtual_size
from zstack_appliance.kernel.remote import Completed, HostCommandFailed

TIB = 2**40


def qcow2(folder: Path, *options: str, size: str = "64M") -> Path:
    return create_qcow2(folder / "made.qcow2", size, *options)


def iso(folder: Path, mark: bytes = b"CD001") -> Path:
    file = folder / "x.iso"
    file.write_bytes(bytes(32769) + mark + bytes(2048))
    return file


@dataclass(frozen=True)
class Says(RealRuntime):
    """A host whose qemu-img gives a fixed answer."""

    answer: str = ""

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 60.0,
        stdin: str | None = None,
        check: bool = True,
        memory_limit: int | None = None,
        private_network: bool = False,
    ) -> Completed:
        return Completed(argv=tuple(argv), returncode=0, stdout=self.answer, stderr="")


async def test_a_whole_qcow2_image_has_its_size(tmp_path: Path) -> None:
    runtime = RealRuntime(tmp_path)
    assert await virtual_size(qcow2(tmp_path), "qcow2", runtime, largest=TIB) == 64 * 2**20
    assert runtime.ran == [("qemu-img", "info", "-f", "qcow2", "--output=json", str(tmp_path / "made.qcow2"))]


@pytest.mark.parametrize("options", [("-u", "-F", "raw", "-b", "/etc/shadow"), ("-o", "data_file={}/data.raw")])
async def test_an_image_that_names_another_file_is_refused_before_qemu_opens_it(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    runtime = RealRuntime(tmp_path)
    file = qcow2(tmp_path, *(option.format(tmp_path) for option in options))
    with pytest.raises(HostCommandFailed, match="would be read from this host"):
        await virtual_size(file, "qcow2", runtime, largest=TIB)
    assert runtime.ran == []


@pytest.mark.parametrize(
    "change",
    [
        {"backing-filename": "/etc/shadow"},
        {"full-backing-filename": "/etc/shadow"},
        {"format-specific": {"type": "qcow2", "data": {"data-file": "/etc/shadow"}}},
        {"format": "raw"},
        {"virtual-size": 1},
    ],
)
async def test_qemu_imgs_own_reading_counts_too(tmp_path: Path, change: dict[str, object]) -> None:
    answer = json.dumps({"format": "qcow2", "virtual-size": 64 * 2**20} | change)
    with pytest.raises(HostCommandFailed, match="the image is refused"):
        await virtual_size(qcow2(tmp_path), "qcow2", Says(tmp_path, answer=answer), largest=TIB)


async def test_an_answer_of_qemu_img_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match="unknown way"):
        await virtual_size(qcow2(tmp_path), "qcow2", Says(tmp_path, answer="{}"), largest=TIB)


async def test_an_image_that_qemu_cannot_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(header(size=2**39))
    with pytest.raises(HostCommandFailed, match="qemu-img"):
        await virtual_size(file, "qcow2", RealRuntime(tmp_path), largest=TIB)


async def test_a_raw_image_is_its_length_in_whole_sectors(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(bytes(1025))
    assert await virtual_size(file, "raw", RealRuntime(tmp_path), largest=TIB) == 1536


@pytest.mark.parametrize("head", [header(backing=(104, 8)), b"KDMV", b"<html>"])
async def test_a_raw_image_may_hold_anything(tmp_path: Path, head: bytes) -> None:
    file = tmp_path / "x"
    file.write_bytes(head.ljust(4096, b"\0"))
    runtime = RealRuntime(tmp_path)
    assert await virtual_size(file, "raw", runtime, largest=TIB) == 4096
    assert runtime.ran == []


@pytest.mark.parametrize("mark", [b"CD001", b"BEA01"])
async def test_an_iso_is_recognised(tmp_path: Path, mark: bytes) -> None:
    file = iso(tmp_path, mark)
    assert await virtual_size(file, "iso", RealRuntime(tmp_path), largest=TIB) == file.stat().st_size


@pytest.mark.parametrize(
    ("declared", "head", "hint"),
    [
        ("qcow2", bytes(32769) + b"CD001", "it looks like an ISO image"),
        ("qcow2", b"KDMV", "it looks like a VMDK image"),
        ("qcow2", b"\x1f\x8b\x08", "gzip archive: unpack it first"),
        ("qcow2", b"<!DOCTYPE html>", "check the URL"),
        ("qcow2", b"\0\0\0\0", "does not begin as qcow2 does$"),
        ("iso", header(), "it looks like a qcow2 image"),
        ("iso", bytes(40000), "no ISO 9660 or UDF volume descriptor$"),
    ],
)
async def test_what_is_not_as_declared_says_what_it_looks_like(
    tmp_path: Path, declared: ImageFormat, head: bytes, hint: str
) -> None:
    file = tmp_path / "x"
    file.write_bytes(head)
    with pytest.raises(HostCommandFailed, match=f"declared {declared}, but .*{hint}"):
        await virtual_size(file, declared, RealRuntime(tmp_path), largest=TIB)


@pytest.mark.parametrize("declared", ["qcow2", "raw", "iso"])
async def test_an_empty_file_is_no_image(tmp_path: Path, declared: ImageFormat) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(HostCommandFailed, match="is empty"):
        await virtual_size(tmp_path / "x", declared, RealRuntime(tmp_path), largest=TIB)


async def test_a_disk_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match="allowed"):
        await virtual_size(qcow2(tmp_path, size="2T"), "qcow2", RealRuntime(tmp_path), largest=TIB)


async def test_a_disk_of_no_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match="from 1 to"):
        await virtual_size(qcow2(tmp_path, size="0"), "qcow2", RealRuntime(tmp_path), largest=TIB)


def test_unknown_beginnings_are_not_guessed() -> None:
    assert recognise(struct.pack(">I", 7)) is None
    assert recognise(b"") is None
