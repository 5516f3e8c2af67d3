"""Each way of tuning a domain shows in its XML, and what needs KVM only under it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from agents.kvm.domain_xml import DomainFiles, domain_xml
from zstack_appliance.cloud.host.driver import Accelerator, DomainSpec, NicSpec, Tuning

NIC = NicSpec(mac="fa:16:3e:00:00:01", bridge="zbbr", tap="zta1b2c3n0", queues=2)
FILES = DomainFiles(console_log=Path("/data/console.log"), seed=None)


def described(tuning: Tuning, accelerator: Accelerator) -> ET.Element:
    spec = DomainSpec(uuid="1" * 32, name="web", vcpus=2, memory=2**29, nics=(NIC,), tuning=tuning)
    return ET.fromstring(domain_xml(spec, instance="a1b2c3", accelerator=accelerator, files=FILES))


PLAIN = Tuning()
CASES = [
    (PLAIN, "cpu[@mode='host-passthrough']", False, True),
    (PLAIN, "cpu[@mode='maximum']", True, False),
    (Tuning(cpu_mode="host-passthrough"), "cpu[@mode='maximum']", True, False),
    (Tuning(cpu_mode="host-model"), "cpu[@mode='host-model']", True, True),
    (Tuning(cpu_mode="Haswell"), "cpu[@mode='custom'][model='Haswell']", True, True),
    (Tuning(hypervisor_feature=False), "cpu/feature[@policy='disable'][@name='hypervisor']", True, True),
    (PLAIN, "cpu/feature", False, False),
    (Tuning(hidden=True), "features/kvm/hidden[@state='on']", False, True),
    (PLAIN, "features/kvm", False, False),
    (Tuning(hyperv=True, vendor_id="Microsoft Hv"), "features/hyperv/vendor_id[@value='Microsoft Hv']", False, True),
    (Tuning(hyperv=True), "features/hyperv/relaxed[@state='on']", False, True),
    (Tuning(hyperv=True), "clock/timer[@name='hypervclock']", False, True),
    (Tuning(hyperv=True, hyperv_clock=False), "clock/timer[@name='hypervclock']", False, False),
    (Tuning(vmport=False), "features/vmport[@state='off']", True, True),
    (PLAIN, "features/vmport", False, False),
    (Tuning(clock_track="guest"), "clock/timer[@name='rtc'][@track='guest']", True, True),
    (PLAIN, "clock/timer[@track]", False, False),
    (Tuning(suspend_to_ram=True), "pm/suspend-to-mem[@enabled='yes']", True, True),
    (PLAIN, "pm/suspend-to-mem[@enabled='no']", True, True),
    (Tuning(suspend_to_disk=True), "pm/suspend-to-disk[@enabled='yes']", True, True),
    (PLAIN, "devices/video/model[@type='vga'][@vram]", True, True),
    (Tuning(video="virtio"), "devices/video/model[@type='virtio']", True, True),
    (Tuning(boot_menu_millis=1500), "os/bootmenu[@enable='yes'][@timeout='1500']", True, True),
    (PLAIN, "os/bootmenu", False, False),
    (PLAIN, "devices/interface/driver[@queues='2']", True, True),
]


@pytest.mark.parametrize(("tuning", "path", "under_tcg", "under_kvm"), CASES)
def test_it_shows(tuning: Tuning, path: str, *, under_tcg: bool, under_kvm: bool) -> None:
    for accelerator, expected in ((Accelerator.TCG, under_tcg), (Accelerator.KVM, under_kvm)):
        assert (described(tuning, accelerator).find(path) is not None) is expected
