"""How a domain is made beyond what it consists of: CPU, features, clock, power management and boot menu.

Primitive: `tune`. Pure. What only KVM can do is left out under TCG, which libvirt would refuse it for.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from zstack_appliance.cloud.host.driver import Accelerator, Tuning

VENDOR_CHARACTERS = 12
"""What Hyper-V's CPU leaf has room for."""


def tune(domain: ET.Element, os: ET.Element, tuning: Tuning, accelerator: Accelerator) -> None:
    """Write the elements between ``os`` and ``on_poweroff``.

    Args:
        domain: takes them.
        os: has its ``type`` already.
        tuning: what is wanted.
        accelerator: what it will run under.
    """
    kvm = accelerator is Accelerator.KVM
    if tuning.boot_menu_millis is not None:
        ET.SubElement(os, "bootmenu", enable="yes", timeout=str(tuning.boot_menu_millis))
    _features(ET.SubElement(domain, "features"), tuning, kvm=kvm)
    _cpu(domain, tuning, kvm=kvm)
    _clock(ET.SubElement(domain, "clock", offset="utc"), tuning, kvm=kvm)
    power = ET.SubElement(domain, "pm")
    ET.SubElement(power, "suspend-to-mem", enabled=_yes(tuning.suspend_to_ram))
    ET.SubElement(power, "suspend-to-disk", enabled=_yes(tuning.suspend_to_disk))


def _features(features: ET.Element, tuning: Tuning, *, kvm: bool) -> None:
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    if not tuning.vmport:
        ET.SubElement(features, "vmport", state="off")
    if kvm and tuning.hidden:
        ET.SubElement(ET.SubElement(features, "kvm"), "hidden", state="on")
    if kvm and tuning.hyperv:
        hyperv = ET.SubElement(features, "hyperv")
        ET.SubElement(hyperv, "relaxed", state="on")
        ET.SubElement(hyperv, "vapic", state="on")
        ET.SubElement(hyperv, "spinlocks", state="on", retries="4096")
        if tuning.vendor_id:
            ET.SubElement(hyperv, "vendor_id", state="on", value=tuning.vendor_id[:VENDOR_CHARACTERS])


def _cpu(domain: ET.Element, tuning: Tuning, *, kvm: bool) -> None:
    mode = tuning.cpu_mode
    if mode == "host-model":
        cpu = ET.SubElement(domain, "cpu", mode="host-model", check="none")
    elif mode in ("none", "host-passthrough"):
        cpu = ET.SubElement(domain, "cpu", mode="host-passthrough" if kvm else "maximum", check="none")
    else:
        cpu = ET.SubElement(domain, "cpu", mode="custom", match="exact", check="none")
        ET.SubElement(cpu, "model").text = mode
    if not tuning.hypervisor_feature:
        ET.SubElement(cpu, "feature", policy="disable", name="hypervisor")


def _clock(clock: ET.Element, tuning: Tuning, *, kvm: bool) -> None:
    rtc = ET.SubElement(clock, "timer", name="rtc", tickpolicy="catchup")
    if tuning.clock_track == "guest":
        rtc.set("track", "guest")
    ET.SubElement(clock, "timer", name="pit", tickpolicy="delay")
    ET.SubElement(clock, "timer", name="hpet", present="no")
    if kvm and tuning.hyperv and tuning.hyperv_clock:
        ET.SubElement(clock, "timer", name="hypervclock", present="yes")


def _yes(wanted: bool) -> str:
    return "yes" if wanted else "no"
