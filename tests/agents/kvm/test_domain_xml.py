"""The XML of a domain, by its structure; that libvirt takes it, the system tests show."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from agents.kvm.domain_xml import (
    HOT_PLUG_SLOTS,
    METADATA_NAMESPACE,
    DomainFiles,
    Mark,
    domain_xml,
    mark_of,
    vnc_of,
)
from zstack_appliance.cloud.host.driver import Accelerator, DiskSpec, DomainSpec, NicSpec, Tuning, VncAddress

UUID = "0123456789abcdef0123456789abcdef"
SPEC = DomainSpec(
    uuid=UUID,
    name="web",
    vcpus=2,
    memory=512 * 2**20,
    disks=(
        DiskSpec(device_id="d" * 32, path="/data/root.qcow2", format="qcow2", boot_order=1),
        DiskSpec(device_id="e" * 32, path="/data/more.raw", format="raw", cache="writeback"),
    ),
    nics=(NicSpec(mac="fa:16:3e:00:00:01", bridge="zbbr", tap="zta1b2c3n0", mtu=1450, boot_order=2),),
)


def described(
    spec: DomainSpec = SPEC, *, accelerator: Accelerator = Accelerator.TCG, seed: Path | None = None
) -> ET.Element:
    files = DomainFiles(console_log=Path("/data/console.log"), seed=seed)
    return ET.fromstring(domain_xml(spec, instance="a1b2c3", accelerator=accelerator, files=files))


def one(domain: ET.Element, path: str) -> ET.Element:
    found = domain.findall(path)
    assert len(found) == 1, f"{len(found)} of {path}"
    return found[0]


def test_what_the_guest_has() -> None:
    domain = described()
    assert domain.findtext("name") == UUID
    assert domain.findtext("uuid") == "01234567-89ab-cdef-0123-456789abcdef"
    assert domain.findtext("title") == "web"
    assert domain.findtext("vcpu") == "2"
    assert (one(domain, "memory").text, one(domain, "memory").get("unit")) == (str(512 * 2**20), "b")
    assert one(domain, "os/type").get("machine") == "q35"


def test_it_is_marked_as_ours_and_the_mark_is_read_back() -> None:
    element = one(described(), f"metadata/{{{METADATA_NAMESPACE}}}vm")
    assert mark_of(ET.tostring(element, encoding="unicode")) == Mark(instance="a1b2c3", uuid=UUID)
    assert mark_of(f'<zs:vm xmlns:zs="{METADATA_NAMESPACE}"/>') is None


def test_kvm_gives_the_hosts_cpu_and_tcg_all_that_it_can() -> None:
    kvm, tcg = described(accelerator=Accelerator.KVM), described(accelerator=Accelerator.TCG)
    assert (kvm.get("type"), one(kvm, "cpu").get("mode")) == ("kvm", "host-passthrough")
    assert (tcg.get("type"), one(tcg, "cpu").get("mode")) == ("qemu", "maximum")
    named = described(msgspec.structs.replace(SPEC, tuning=Tuning(cpu_mode="Nehalem")))
    assert one(named, "cpu").findtext("model") == "Nehalem"


def test_disks_are_on_virtio_with_their_format_cache_serial_and_order() -> None:
    root, more = described().findall("devices/disk")
    assert one(root, "driver").attrib == {"name": "qemu", "type": "qcow2", "cache": "none", "discard": "unmap"}
    assert one(root, "source").get("file") == "/data/root.qcow2"
    assert one(root, "target").attrib == {"dev": "vda", "bus": "virtio"}
    assert root.findtext("serial") == "d" * 20
    assert one(root, "boot").get("order") == "1"
    assert (one(more, "driver").get("type"), one(more, "driver").get("cache")) == ("raw", "writeback")
    assert one(more, "target").get("dev") == "vdb"
    assert more.find("boot") is None


def test_disk_letters_go_on_after_z() -> None:
    disks = tuple(DiskSpec(device_id=str(n), path=f"/{n}", format="raw") for n in range(28))
    names = [
        one(d, "target").get("dev")
        for d in described(msgspec.structs.replace(SPEC, disks=disks)).findall("devices/disk")
    ]
    assert names[25:] == ["vdz", "vdaa", "vdab"]


def test_a_nic_is_a_tap_of_our_name_on_its_bridge() -> None:
    nic = one(described(), "devices/interface")
    assert nic.get("type") == "bridge"
    assert one(nic, "source").get("bridge") == "zbbr"
    assert one(nic, "target").get("dev") == "zta1b2c3n0"
    assert one(nic, "mac").get("address") == "fa:16:3e:00:00:01"
    assert one(nic, "model").get("type") == "virtio"
    assert one(nic, "mtu").get("size") == "1450"
    assert one(nic, "boot").get("order") == "2"


def test_the_seed_is_a_read_only_cd_on_virtio_scsi() -> None:
    domain = described(seed=Path("/data/seed.iso"))
    cd = one(domain, "devices/disk[@device='cdrom']")
    assert one(cd, "source").get("file") == "/data/seed.iso"
    assert one(cd, "target").get("bus") == "scsi"
    assert cd.find("readonly") is not None
    assert one(domain, "devices/controller[@type='scsi']").get("model") == "virtio-scsi"
    assert described().find("devices/disk[@device='cdrom']") is None


def test_every_pci_device_has_a_root_port_and_hot_plug_keeps_its_own() -> None:
    domain = described()
    ports = domain.findall("devices/controller[@model='pcie-root-port']")
    assert len(ports) == 5 + 2 + 1 + HOT_PLUG_SLOTS
    assert [port.get("index") for port in ports] == [str(n) for n in range(1, len(ports) + 1)]
    assert described(msgspec.structs.replace(SPEC, machine="pc")).find("devices/controller[@type='pci']") is None


def test_serial_console_agent_channel_and_randomness_are_there() -> None:
    domain = described()
    assert one(domain, "devices/serial/log").attrib == {"file": "/data/console.log", "append": "off"}
    assert one(domain, "devices/channel/target").get("name") == "org.qemu.guest_agent.0"
    assert one(domain, "devices/rng/backend").text == "/dev/urandom"
    assert one(domain, "devices/memballoon").get("model") == "virtio"


def test_the_display_listens_on_loopback_alone_and_its_password_is_what_vnc_knows() -> None:
    graphics = one(described(), "devices/graphics")
    assert (graphics.get("type"), graphics.get("listen"), graphics.get("passwd")) == ("vnc", "127.0.0.1", None)
    secret = described(msgspec.structs.replace(SPEC, console_password="0123456789"))
    assert one(secret, "devices/graphics").get("passwd") == "01234567"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("<Müller & Söhne> 東京 🚀", "<Müller & Söhne> 東京 🚀"),
        ("two\nlines\r", "two lines "),
        ("bell\x07 \ud800\uffff", "bell\ufffd \ufffd\ufffd"),
    ],
)
def test_any_name_makes_a_title(name: str, title: str) -> None:
    assert described(msgspec.structs.replace(SPEC, name=name)).findtext("title") == title


def test_the_display_of_a_running_domain_is_read_back() -> None:
    running = "<domain><devices><graphics type='vnc' port='5903' listen='127.0.0.1'/></devices></domain>"
    assert vnc_of(running) == VncAddress(host="127.0.0.1", port=5903)
    assert vnc_of(running.replace("5903", "-1")) is None
    assert vnc_of("<domain><devices/></domain>") is None
