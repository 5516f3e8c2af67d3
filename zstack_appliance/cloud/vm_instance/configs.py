"""The settings of VM instances, and `tuning_of`: those that say how a VM is made on its host.

The latter hold from a VM's next start on.
"""

from __future__ import annotations

from zstack_appliance.cloud.host.driver import Tuning
from zstack_appliance.kernel.config import GlobalConfig, Values

VM = ("VmInstanceVO",)
PLACES = ("VmInstanceVO", "ClusterVO")

MODELS = (
    "Haswell", "Haswell-noTSX", "Broadwell", "Broadwell-noTSX", "SandyBridge", "IvyBridge", "Conroe", "Penryn",
    "Nehalem", "Westmere", "Opteron_G1", "Opteron_G2", "Opteron_G3", "Opteron_G4", "EPYC", "EPYC-IBPB", "Dhyana",
    "pentium", "pentium2", "pentium3",
)  # fmt: skip


def _switch(category: str, name: str, default: str, description: str, bind: tuple[str, ...] = ()) -> GlobalConfig:
    return GlobalConfig(category, name, default, description, bool, bind=bind)


LIFE = (
    GlobalConfig(
        "vm",
        "deletionPolicy",
        "Delay",
        "What destroying a VM does with its disk: Direct removes it, Delay keeps it a while, Never keeps it.",
        choices=("Direct", "Delay", "Never"),
    ),
    GlobalConfig("vm", "expungePeriod", "604800", "Seconds that a destroyed VM can be recovered.", int, low=1),
    GlobalConfig("vm", "expungeInterval", "3600", "Seconds between two looks for VMs to expunge.", int, low=1),
    GlobalConfig(
        "vm",
        "stop.graceSeconds",
        "60",
        "Seconds that a guest may take to shut down before it is stopped by force.",
        int,
        low=1,
        high=3600,
        bind=PLACES,
    ),
    _switch(
        "vm", "startAfterHostBoot", "true", "Whether a VM that ran when its host went down is started again.", PLACES
    ),
)
TUNING = (
    GlobalConfig(
        "kvm",
        "vm.cpuMode",
        "none",
        "Which CPU a guest sees; none is the host's own, with which it can run VMs itself where the host can.",
        choices=("none", "host-model", "host-passthrough", *MODELS),
        bind=PLACES,
    ),
    _switch("kvm", "vm.cpu.hypervisor.feature", "true", "Whether the CPU says that it is a virtual one.", PLACES),
    _switch("kvm", "vm.hyperv.clock.feature", "true", "Whether emulated Hyper-V has its clock.", VM),
    _switch("kvm", "vm.suspend.to.ram", "false", "Whether a guest may suspend to memory.", VM),
    _switch("kvm", "vm.suspend.to.disk", "false", "Whether a guest may suspend to disk.", VM),
    GlobalConfig(
        "kvm",
        "vm.cacheMode",
        "none",
        "How a host caches what a guest writes to a volume.",
        choices=("none", "writethrough", "writeback"),
        bind=("VolumeVO", "VmInstanceVO"),
    ),
    _switch("vm", "kvmHiddenState", "false", "Whether KVM hides its signature from the guest.", PLACES),
    _switch("vm", "emulateHyperV", "false", "Whether what Windows knows of Hyper-V is emulated.", PLACES),
    GlobalConfig(
        "vm",
        "vendorId",
        "Microsoft Hv",
        "What emulated Hyper-V gives as its vendor, at most 12 letters, digits and blanks.",
        pattern=r"[A-Za-z0-9 ]{0,12}",
        bind=PLACES,
    ),
    _switch("vm", "vmPortOff", "false", "Whether VMware's I/O port is left out.", VM),
    GlobalConfig(
        "vm", "vm.clock.track", "host", "Which clock a guest's RTC follows.", choices=("guest", "host"), bind=VM
    ),
    GlobalConfig(
        "vm",
        "videoType",
        "vga",
        "A guest's graphics adapter.",
        choices=("cirrus", "vga", "qxl", "virtio"),
        bind=PLACES,
    ),
    GlobalConfig(
        "vm",
        "nicMultiQueueNum",
        "1",
        "Pairs of queues of each NIC; no more than the VM has CPUs are made.",
        int,
        low=1,
        high=256,
        bind=("VmNicVO", "VmInstanceVO", "ClusterVO"),
    ),
    _switch("vm", "bootMenu", "false", "Whether the firmware shows its boot menu, which every start then waits for."),
    GlobalConfig(
        "vm",
        "bootMenuSplashTimeout",
        "3000",
        "Milliseconds that the boot menu is shown.",
        int,
        low=1,
        high=65534,
        bind=VM,
    ),
)
CONFIGS = (*LIFE, *TUNING)


def tuning_of(values: Values) -> Tuning:
    """How a VM is made, as the settings in force for it say."""
    menu = values.number("vm.bootMenuSplashTimeout") if values.flag("vm.bootMenu") else None
    return Tuning(
        cpu_mode=values.text("kvm.vm.cpuMode"),
        hypervisor_feature=values.flag("kvm.vm.cpu.hypervisor.feature"),
        hidden=values.flag("vm.kvmHiddenState"),
        hyperv=values.flag("vm.emulateHyperV"),
        hyperv_clock=values.flag("kvm.vm.hyperv.clock.feature"),
        vendor_id=values.text("vm.vendorId"),
        vmport=not values.flag("vm.vmPortOff"),
        clock_track=values.text("vm.vm.clock.track"),
        suspend_to_ram=values.flag("kvm.vm.suspend.to.ram"),
        suspend_to_disk=values.flag("kvm.vm.suspend.to.disk"),
        video=values.text("vm.videoType"),
        boot_menu_millis=menu,
    )
