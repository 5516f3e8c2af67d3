"""The NoCloud seed, read back by the library that wrote it and by YAML's rules."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pycdlib

from agents.kvm.seed import iso_image, seed_files, write_seed
from zstack_appliance.cloud.host.driver import SeedSpec


def test_a_seed_names_the_guest_and_its_keys() -> None:
    seed = SeedSpec(hostname="web", ssh_keys=("ssh-ed25519 AAAA a@b", "ssh-rsa BBBB"), user_data="#!/bin/sh\n")
    files = seed_files(seed, "f" * 32)
    assert files["meta-data"] == (
        f'instance-id: "{"f" * 32}"\n'
        'local-hostname: "web"\n'
        "public-keys:\n"
        '  - "ssh-ed25519 AAAA a@b"\n'
        '  - "ssh-rsa BBBB"\n'
    )
    assert files["user-data"] == "#!/bin/sh\n"


def test_what_is_not_given_is_left_out_and_both_files_are_there() -> None:
    files = seed_files(SeedSpec(hostname="web"), "1")
    assert files == {"meta-data": 'instance-id: "1"\nlocal-hostname: "web"\n', "user-data": ""}


def test_a_value_cannot_break_out_of_its_line() -> None:
    seed = SeedSpec(hostname='a"\nroot: yes', meta_data={"note": "ü: {x}"})
    lines = seed_files(seed, "1")["meta-data"].splitlines()
    assert lines == ['note: "ü: {x}"', 'instance-id: "1"', 'local-hostname: "a\\"\\nroot: yes"']


def test_the_image_has_the_label_and_the_names_that_guests_look_for() -> None:
    content = {"meta-data": "größe\n", "user-data": ""}
    iso = pycdlib.PyCdlib()
    iso.open_fp(BytesIO(iso_image(content)))
    assert iso.pvd.volume_identifier.decode().strip() == "cidata"
    for name, text in content.items():
        for where in ({"rr_path": f"/{name}"}, {"joliet_path": f"/{name}"}):
            found = BytesIO()
            iso.get_file_from_iso_fp(found, **where)
            assert found.getvalue() == text.encode()
    iso.close()


def test_a_seed_replaces_an_older_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "seed.iso"
    write_seed(path, SeedSpec(hostname="old"), "1")
    write_seed(path, SeedSpec(hostname="new"), "1")
    assert b'local-hostname: "new"' in path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]
