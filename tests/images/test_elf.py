"""ELF files are read right, and bad ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from images import elf
from tests.images import elves


def test_a_program_names_its_libraries_and_its_loader() -> None:
    facts = elf.read(elves.program(["libz.so.1", "libc.so.6"], "/lib64/ld-linux-x86-64.so.2"))
    assert facts.needed == ("libz.so.1", "libc.so.6")
    assert facts.interpreter == "/lib64/ld-linux-x86-64.so.2"


def test_a_static_program_names_none() -> None:
    assert elf.read(elves.program()).needed == ()
    assert elf.read(elves.program()).interpreter is None


def test_a_module_tells_its_facts_in_order() -> None:
    facts = elf.read(elves.module(alias=["pci:v1", "pci:v2"], depends="virtio,virtio_ring", license="GPL"))
    assert facts.modinfo == (
        ("alias", "pci:v1"),
        ("alias", "pci:v2"),
        ("depends", "virtio,virtio_ring"),
        ("license", "GPL"),
    )


def test_what_the_host_runs_can_be_read() -> None:
    facts = elf.read(Path("/bin/ls").read_bytes())
    assert "libc.so.6" in facts.needed
    assert facts.interpreter is not None
    assert Path(facts.interpreter).exists()


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(60)])
def test_other_files_are_refused(content: bytes) -> None:
    assert not elf.is_elf(content)
    with pytest.raises(ValueError, match="not a 64-bit"):
        elf.read(content)


def test_every_cut_of_a_program_is_refused() -> None:
    whole = elves.program(["libc.so.6"], "/lib/ld.so")
    for length in range(64, len(whole)):
        with pytest.raises(ValueError, match="cut short"):
            elf.read(whole[:length])
