"""The disk of a fresh Debian 12, with systemd, an SSH server and nothing of ours: `have_base`, made once.

It boots by QEMU's ``-kernel``, so that it needs neither a boot loader nor a partition table, and making it
needs no loop device.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    "ca-certificates", "dbus", "iproute2", "iputils-ping", "kmod", "linux-image-cloud-amd64", "netbase",
    "openssh-server", "procps", "systemd-sysv", "systemd-timesyncd", "udev", "zstd",
)  # fmt: skip
DISK = "10G"
SOURCES = """\
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
"""
MIRROR = "http://deb.debian.org/debian"
NETWORK = "[Match]\nName=eth* en*\n[Network]\nDHCP=ipv4\n"
SSHD = "PermitRootLogin prohibit-password\nUseDNS no\n"
HOSTS = "127.0.0.1 localhost\n127.0.1.1 fresh\n::1 localhost\n"
FILES = {
    "etc/hostname": "fresh\n",
    "etc/hosts": HOSTS,
    "etc/fstab": "/dev/vda / ext4 errors=remount-ro 0 1\n",
    "etc/apt/sources.list": SOURCES,
    "etc/resolv.conf": "nameserver 10.0.2.3\n",
    "etc/systemd/network/wired.network": NETWORK,
    "etc/ssh/sshd_config.d/root.conf": SSHD,
}


@dataclass(frozen=True)
class Base:
    """What a machine boots from. The disk is never written to: machines have layers of their own over it."""

    folder: Path

    @property
    def disk(self) -> Path:
        """Its root file system, a raw image."""
        return self.folder / "root.ext4"

    @property
    def kernel(self) -> Path:
        """The kernel."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Its first file system."""
        return self.folder / "initrd.img"

    @property
    def key(self) -> Path:
        """The private key that its root's SSH takes."""
        return self.folder / "key"


def have_base(cache: Path) -> Base:
    """Have the disk below `cache`; needs root, debootstrap, and two minutes the first time.

    Raises:
        CalledProcessError: a program failed; it has said why.
    """
    recipe = Path(__file__).read_bytes()
    base = Base(cache / hashlib.sha256(recipe).hexdigest()[:12])
    if base.disk.exists():
        return base
    shutil.rmtree(cache, ignore_errors=True)
    fresh = Base(cache / "unfinished")
    root = cache / "tree"
    fresh.folder.mkdir(parents=True)
    _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "bookworm", root, MIRROR)
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", fresh.key)
    _configure(root, fresh.key.with_suffix(".pub").read_text())
    (kernel,), (initrd,) = root.glob("boot/vmlinuz-*"), root.glob("boot/initrd.img-*")
    shutil.copy(kernel, fresh.kernel)
    shutil.copy(initrd, fresh.initrd)
    _run("mke2fs", "-q", "-t", "ext4", "-d", root, fresh.disk, DISK)
    shutil.rmtree(root)
    fresh.folder.rename(base.folder)
    return base


def _configure(root: Path, public_key: str) -> None:
    for name, text in {**FILES, "etc/apt/apt.conf.d/90proxy": _proxy()}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
    ssh = root / "root" / ".ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    (ssh / "authorized_keys").write_text(public_key)
    for unit in ("systemd-networkd.service", "ssh.service"):
        _run("systemctl", f"--root={root}", "--quiet", "enable", unit)


def _proxy() -> str:
    """What this machine's apt says of the way to the mirror."""
    said = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    return "".join(f"{line}\n" for line in said.splitlines() if line.startswith("Acquire::http::Proxy "))


def _run(*argv: str | Path) -> None:
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=environment)
