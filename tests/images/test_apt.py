"""What apt says is understood, and the cache holds whole files only."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from images.apt import Package, PackageError, fetch, parse_kernel, parse_uris, plan, untar
from images.tree import File, Folder, Link

DIGEST = "44ac9aaae0105bca66ea4d457852bf97020ccab33d5c088b0e5c8668891290a0"
URIS = f"""\
'http://mirror.example/debian/pool/main/q/qemu/qemu-guest-agent_7.2%2bdfsg-7_amd64.deb' \
qemu-guest-agent_1%3a7.2+dfsg-7_amd64.deb 346272 SHA256:{DIGEST}
'http://mirror.example/debian/pool/main/d/dropbear/dropbear-bin_2022.83-1_amd64.deb' \
dropbear-bin_2022.83-1_amd64.deb 155520 SHA256:{DIGEST}
"""


def test_uris_give_names_files_and_checksums_by_name() -> None:
    assert parse_uris(URIS) == [
        Package("dropbear-bin", "dropbear-bin_2022.83-1_amd64.deb", DIGEST),
        Package("qemu-guest-agent", "qemu-guest-agent_1%3a7.2+dfsg-7_amd64.deb", DIGEST),
    ]


def test_a_kernel_metapackage_names_its_kernel() -> None:
    record = "Package: linux-image-cloud-amd64\nDepends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)\n"
    assert parse_kernel("linux-image-cloud-amd64", record) == "linux-image-6.1.0-56-cloud-amd64"
    with pytest.raises(PackageError, match="bash depends on no package linux-image"):
        parse_kernel("bash", "Package: bash\nDepends: base-files (>= 2.1.12)\n")


def test_an_unknown_package_says_what_to_do() -> None:
    with pytest.raises(PackageError, match="run apt-get update"):
        plan(["no-such-package-anywhere"])


def test_whole_files_are_not_fetched_again_and_old_versions_go(tmp_path: Path) -> None:
    package = Package("tool", "tool_2_amd64.deb", hashlib.sha256(b"whole").hexdigest())
    (tmp_path / package.file).write_bytes(b"whole")
    (tmp_path / "tool_1_amd64.deb").write_bytes(b"old")
    (tmp_path / "toolbox_1_amd64.deb").write_bytes(b"another package")
    assert fetch([package], tmp_path) == {"tool": tmp_path / package.file}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tool_2_amd64.deb", "toolbox_1_amd64.deb"]


def test_a_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    package = Package("no-such-package-anywhere", "no-such-package-anywhere_1_amd64.deb", DIGEST)
    (tmp_path / package.file).write_bytes(b"damaged")
    with pytest.raises(PackageError, match="run apt-get update"):
        fetch([package], tmp_path)


def test_an_archive_becomes_a_tree_below_merged_usr() -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        folder = tarfile.TarInfo("./lib")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)
        body = tarfile.TarInfo("./lib/one")
        body.size, body.mode = 3, 0o755
        archive.addfile(body, io.BytesIO(b"abc"))
        for name, kind in (("./lib/soft", tarfile.SYMTYPE), ("./lib/hard", tarfile.LNKTYPE)):
            link = tarfile.TarInfo(name)
            link.type, link.linkname, link.mode = kind, "one" if kind == tarfile.SYMTYPE else "./lib/one", 0o755
            archive.addfile(link)
    assert untar(held.getvalue()) == {
        "usr/lib": Folder(0o755),
        "usr/lib/one": File(b"abc", 0o755),
        "usr/lib/soft": Link("one"),
        "usr/lib/hard": File(b"abc", 0o755),
    }
