"""The tiny image, booted: it takes its seed, answers on the network, and obeys its host."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.eventually import eventually
from tests.images.machine import (
    PATIENCE,
    Machine,
    boot,
    clone,
    scsi_cd,
    scsi_disk,
    seed_fat,
    seed_iso,
    virtio_disk,
)

pytestmark = pytest.mark.slow

FORWARD = "hostfwd=tcp:127.0.0.1:0-:80,hostfwd=tcp:127.0.0.1:0-:22"
RUNCMD = "runcmd:\n  - echo once >>/root/runs\n  - [touch, '/root/a file']\n"


def make_key(folder: Path) -> tuple[Path, str]:
    """A new ssh key: the private half's file, and the public half as authorized_keys has it."""
    key = Ed25519PrivateKey.generate()
    private = folder / "key"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def report(what: str, seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    """Print a figure for the people who read the run."""
    with capsys.disabled():
        print(f"\n  {what}: {seconds:.1f} s", end="", flush=True)


async def power_down(guest: Machine) -> float:
    """Press the power button; the seconds until QEMU ended."""
    await guest.monitor.ask("system_powerdown")
    return await guest.ends(within=PATIENCE)


async def ssh(guest: Machine, key: Path, command: str) -> str:
    """Run a command in the guest over ssh."""
    port = await guest.forwarded(22)
    options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "LogLevel=ERROR")
    argv = ["ssh", "-F", "none", *(word for option in options for word in ("-o", option))]
    argv += ["-i", str(key), "-p", str(port), "root@127.0.0.1", command]
    done = await trio.run_process(argv, stdin=subprocess.DEVNULL, capture_stdout=True, capture_stderr=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


async def test_cloud_config(tmp_path: Path, tiny_image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, keys, password and commands are taken from a seed, and the guest answers on every network."""
    private, public = make_key(tmp_path)
    user_data = f"#cloud-config\nhostname: vm-one\npassword: 'se cret\\x'\nssh_authorized_keys:\n  - {public}\n"
    seed = seed_iso(tmp_path / "seed.iso", "instance-id: i-1\nlocal-hostname: meta\n", user_data + RUNCMD)
    wire = tmp_path / "wire.pcap"
    devices = [
        *virtio_disk(clone(tiny_image, tmp_path / "root.qcow2")),
        *scsi_cd(seed),
        *("-netdev", f"user,id=n0,{FORWARD}", "-device", "virtio-net-pci,netdev=n0"),
        *("-object", f"filter-dump,id=dump,netdev=n0,file={wire}"),
        *("-netdev", "user,id=n1,net=10.9.8.0/24", "-device", "virtio-net-pci,netdev=n1"),
    ]
    async with boot(tmp_path, *devices) as guest:
        await guest.page()
        report("q35: answers HTTP", trio.current_time() - guest.started, capsys)
        report("q35: ready", await guest.agent_ready(), capsys)
        page = await guest.page()
        assert "hostname: vm-one\n" in page
        assert "address: eth0 10.0.2.15/24\n" in page
        assert "address: eth1 10.9.8.15/24\n" in page
        assert float(page.split("uptime: ")[1].split(" ")[0]) > 0
        assert bytes([12, len("vm-one")]) + b"vm-one" in wire.read_bytes(), "the name is sent as DHCP option 12"

        assert await guest.shell("cat /root/.ssh/authorized_keys") == f"{public}\n"
        assert await guest.shell("cat /root/runs; ls /root") == "once\na file\nruns\n"
        salt, digest = (await guest.shell("sed -n 's/^root:\\$6\\$\\([^:]*\\).*/\\1/p' /etc/shadow")).strip().split("$")
        expected = f"$6${salt}${digest}\n"
        assert await guest.shell(f"mkpasswd -m sha512 -S '{salt}' 'se cret\\x'") == expected
        routes = await guest.shell("ip route show default")
        assert routes.splitlines()[0].startswith("default via 10.0.2.2 dev eth0"), "the first NIC has the way out"
        if shutil.which("ssh"):
            assert await ssh(guest, private, "hostname") == "vm-one\n"

        await guest.type("echo $((6 * 7))-answer\n")
        await eventually(lambda: b"42-answer" in guest.console, within=PATIENCE)
        report("q35: power button to off", await power_down(guest), capsys)


async def test_once_per_instance(tmp_path: Path, tiny_image: Path) -> None:
    """A reboot changes nothing and runs per-boot scripts; a new instance-id makes another machine of it."""
    disk = virtio_disk(clone(tiny_image, tmp_path / "root.qcow2"))
    first = seed_iso(tmp_path / "1.iso", "instance-id: i-1\n", f"#cloud-config\nhostname: vm-one\n{RUNCMD}")
    second = seed_iso(tmp_path / "2.iso", "instance-id: i-2\nlocal-hostname: vm-two\n", f"#cloud-config\n{RUNCMD}")
    host_keys = "sha256sum /etc/dropbear/*_host_key"
    async with boot(tmp_path, *disk, *scsi_cd(first)) as guest:
        await guest.agent_ready()
        assert await guest.shell("hostname; cat /root/runs") == "vm-one\nonce\n"
        keys = await guest.shell(host_keys)
        scripts = "/var/lib/cloud/scripts/per-boot"
        await guest.shell(f"mkdir -p {scripts}; printf '#!/bin/sh\\necho boot >>/root/boots\\n' >{scripts}/one")
        await guest.shell(f"chmod +x {scripts}/one; echo renamed >/etc/hostname; rm /run/ready")
        await guest.begin("reboot")  # The agent goes with it, and the next one knows nothing of it.
        await guest.agent_ready()
        assert await guest.shell("hostname; cat /root/runs /root/boots") == "renamed\nonce\nboot\n"
        assert await guest.shell(host_keys) == keys
        await power_down(guest)
    async with boot(tmp_path, *disk, *scsi_cd(second)) as guest:
        await guest.agent_ready()
        assert await guest.shell("hostname; cat /root/runs /root/boots") == "vm-two\nonce\nonce\nboot\nboot\n"
        assert await guest.shell(host_keys) != keys


async def test_bare_machine(tmp_path: Path, tiny_image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pc with 96 MiB, a larger root on SCSI, a FAT seed, and no NIC until one is plugged in."""
    script = '#!/bin/sh\r\necho "$(hostname) ran $0" >/root/said\r\n'
    seed = seed_fat(tmp_path / "seed.fat", "instance-id: i-1\nlocal-hostname: bare.example.org\n", script)
    root = clone(tiny_image, tmp_path / "root.qcow2", size_mib=1024)
    devices = [*virtio_disk(seed, "raw"), *scsi_disk(root), "-nic", "none"]
    async with boot(tmp_path, *devices, machine="pc", memory_mib=96) as guest:
        report("pc, no NIC, grown disk: ready", await guest.agent_ready(), capsys)
        assert await guest.shell("cat /root/said") == "bare ran /var/lib/cloud/instance/user-script\n"
        assert await guest.shell("hostname; ls /sys/class/net") == "bare\nlo\n"
        kilobytes = int((await guest.shell("df -k / | awk 'END { print $2 }'")).strip())
        assert kilobytes > 950 * 1024
        available = int((await guest.shell("awk '/MemAvailable/ { print $2 }' /proc/meminfo")).strip())
        assert available > 20 * 1024

        await guest.monitor.ask("netdev_add", type="user", id="n0", net="10.9.8.0/24")
        await guest.monitor.ask("device_add", driver="virtio-net-pci", id="nic0", netdev="n0")

        async def has_address() -> bool:
            return "10.9.8.15/24" in await guest.shell("ip -o addr")

        await eventually(has_address, within=PATIENCE)
        await guest.monitor.ask("device_del", id="nic0")

        async def has_none() -> bool:
            return await guest.shell("ls /sys/class/net; pidof udhcpc || true") == "lo\n"

        await eventually(has_none, within=PATIENCE)
        await guest.agent.tell("guest-shutdown")
        report("pc: guest-shutdown to off", await guest.ends(within=PATIENCE), capsys)


async def test_guest_shutdown_obeys_its_mode(tmp_path: Path, tiny_image: Path) -> None:
    """The guest agent's shutdown reboots when that is asked of it, and powers off otherwise."""
    async with boot(tmp_path, *virtio_disk(clone(tiny_image, tmp_path / "root.qcow2")), "-nic", "none") as guest:
        await guest.agent_ready()
        show_boot = "cat /proc/sys/kernel/random/boot_id"
        first = await guest.shell(show_boot)
        await guest.shell("rm /run/ready")
        await guest.agent.tell("guest-shutdown", mode="reboot")
        await guest.agent_ready()
        assert await guest.shell(show_boot) != first
        await guest.agent.tell("guest-shutdown", mode="powerdown")
        await guest.ends(within=PATIENCE)


async def test_no_seed(tmp_path: Path, tiny_image: Path) -> None:
    """Without a seed the guest takes the name that the DHCP server has for it, and nobody can log in."""
    nic = f"user,model=virtio-net-pci,hostname=by-dhcp,{FORWARD}"
    async with boot(tmp_path, *virtio_disk(clone(tiny_image, tmp_path / "root.qcow2")), "-nic", nic) as guest:
        await guest.agent_ready()
        assert "hostname: by-dhcp\n" in await guest.page()
        assert (await guest.shell("cat /etc/shadow")).startswith("root:*:")
        assert await guest.shell("ls -A /root") == ""
        await guest.agent.ask(
            "guest-set-user-password", username="root", password="JDYkYSRi", crypted=True
        )  # fmt: skip
        assert (await guest.shell("cat /etc/shadow")).startswith("root:$6$a$b:")
