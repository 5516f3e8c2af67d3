"""Reading qcow2 headers."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.disks import create_qcow2
from zstack_appliance.cloud.backup_storage.local.qcow2 import HEAD, MAGIC, NotQcow2, Qcow2Header, parse


def header(
    *,
    version: int = 3,
    backing: tuple[int, int] = (0, 0),
    cluster_bits: int = 16,
    size: int = 2**30,
    crypt: int = 0,
    incompatible: int = 0,
    length: int = 104,
    rest: bytes = b"",
) -> bytes:
    """A header as QEMU lays it out; `rest` follows it."""
    fixed = struct.pack(
        ">4sIQIIQIIQQIIQ", MAGIC, version, *backing, cluster_bits, size, crypt, 16, 0x30000, 0x10000, 1, 0, 0
    )
    if version == 2:
        return fixed + rest
    return (fixed + struct.pack(">QQQII", incompatible, 0, 0, 4, length)).ljust(length, b"\0") + rest


def made(folder: Path, *arguments: str) -> Qcow2Header:
    """The header of an image that qemu-img makes."""
    return parse(create_qcow2(folder / "made.qcow2", "64M", *arguments).read_bytes()[:HEAD])


@pytest.mark.parametrize(
    "options", ["compat=0.10", "compat=1.1", "extended_l2=on,cluster_size=128k", "compression_type=zstd"]
)
def test_whole_images_are_accepted(tmp_path: Path, options: str) -> None:
    found = made(tmp_path, "-o", options)
    assert (found.virtual_size, found.fault()) == (64 * 2**20, None)
    assert found.version == (2 if "0.10" in options else 3)


@pytest.mark.parametrize("compat", ["0.10", "1.1"])
def test_a_backing_file_is_seen_and_refused(tmp_path: Path, compat: str) -> None:
    found = made(tmp_path, "-o", f"compat={compat}", "-u", "-F", "raw", "-b", "/etc/shadow")
    assert found.backing_file == "/etc/shadow"
    assert "'/etc/shadow'" in (found.fault() or "")


def test_a_backing_file_without_a_length_is_seen_too() -> None:
    assert parse(header(backing=(104, 0))).fault() is not None


def test_an_external_data_file_is_seen_and_refused(tmp_path: Path) -> None:
    found = made(tmp_path, "-o", f"data_file={tmp_path / 'data.raw'}")
    assert found.data_file
    assert "external data file" in (found.fault() or "")


def test_a_data_file_is_seen_by_its_feature_bit_or_by_its_name_alone() -> None:
    extension = struct.pack(">II", 0x44415441, 11) + b"/etc/shadow".ljust(16, b"\0")
    unrelated = struct.pack(">II", 0x6803F857, 3) + b"abc".ljust(8, b"\0")
    assert parse(header(incompatible=1 << 2)).data_file
    assert parse(header(rest=unrelated + extension)).data_file
    assert parse(header(version=2, rest=unrelated + extension)).data_file
    assert parse(header(length=112, rest=extension)).data_file
    assert not parse(header(rest=unrelated + struct.pack(">II", 0, 0) + extension)).data_file


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (header(incompatible=1 << 5), "features"),
        (header(incompatible=1 << 63), "features"),
        (header(crypt=2), "encrypted"),
        (header(incompatible=1 << 1), "corrupt"),
    ],
)
def test_what_cannot_be_used_is_refused(head: bytes, word: str) -> None:
    assert word in (parse(head).fault() or "")


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"", "does not begin"),
        (b"QFI\xfa" + header()[4:], "does not begin"),
        (MAGIC, "cut off"),
        (header()[:71], "cut off"),
        (header()[:103], "cut off"),
        (header(version=1), "version is 1"),
        (header(version=4), "version is 4"),
        (header(cluster_bits=8), "cluster size"),
        (header(cluster_bits=22), "cluster size"),
        (header(length=104)[:100] + struct.pack(">I", 72), "length of 72"),
        (header()[:100] + struct.pack(">I", 109), "length of 109"),
        (header(rest=struct.pack(">II", 1, 2**31)), "beyond"),
    ],
)
def test_what_is_no_header_is_said(head: bytes, why: str) -> None:
    with pytest.raises(NotQcow2, match=why):
        parse(head)


@given(st.binary(max_size=256), st.integers(0, 103))
def test_no_bytes_bring_it_down(noise: bytes, at: int) -> None:
    head = header()
    try:
        parse(head[:at] + noise)
        parse(MAGIC + noise)
    except NotQcow2:
        return
