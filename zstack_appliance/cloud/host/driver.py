"""The host driver contract: what every kind of host can be asked, and what it says unasked.

Primitives: `DomainSpec` (a virtual machine as its host sees it, described whole), the commands on it, the
notice `VmStateChanged`, and `HostDriver` (one host, as the cloud reaches it). Every command is safe to
repeat. Sizes are in bytes, times in seconds, UUIDs are ZStack's: 32 lower-case hexadecimal digits.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import ClassVar, Protocol

import msgspec
from trio.abc import Stream

from zstack_appliance.kernel.host_link import HostLink
from zstack_appliance.kernel.remote import Command, Notice


class Accelerator(StrEnum):
    """What executes the guests' instructions."""

    KVM = "kvm"
    TCG = "tcg"


class AcceleratorChoice(StrEnum):
    """What the administrator wants: AUTO takes KVM where it truly works."""

    AUTO = "auto"
    KVM = "kvm"
    TCG = "tcg"


class VmState(StrEnum):
    """What a host sees of a virtual machine; NO_STATE is a hypervisor that cannot tell."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    PAUSED = "Paused"
    CRASHED = "Crashed"
    NO_STATE = "NoState"


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what travels inside commands and replies."""


class HostFacts(Wire, frozen=True, kw_only=True, rename="camel"):
    """What a host has and what runs on it; sent once it is connected."""

    hostname: str
    architecture: str
    cpu_threads: int
    cpu_sockets: int
    memory: int
    libvirt_version: str
    qemu_version: str
    accelerator: Accelerator
    accelerator_reason: str
    """Why this accelerator and no other, for the operator."""
    boot_id: str
    """Changes when the host is started anew, and with that all its VMs have gone."""


class Pong(Wire, frozen=True, kw_only=True, rename="camel"):
    """The host is there. `boot_id` changes when it was started anew, and with that all its VMs have gone."""

    boot_id: str


class VmStatus(Wire, frozen=True, kw_only=True, rename="camel"):
    """The state of one virtual machine of ours."""

    uuid: str
    state: VmState


class VmList(Wire, frozen=True, kw_only=True, rename="camel"):
    """All virtual machines of a host."""

    vms: tuple[VmStatus, ...]
    strangers: tuple[str, ...]
    """Names of domains that are not ours; they are reported and never touched."""
    folders: tuple[str, ...] = ()
    """UUIDs of the VMs that have files of their own on the host, volumes excepted."""


class VncAddress(Wire, frozen=True, kw_only=True, rename="camel"):
    """Where the display of a virtual machine listens, seen from the host itself."""

    host: str
    port: int


class DiskSpec(Wire, frozen=True, kw_only=True, rename="camel"):
    """A volume on the virtio bus."""

    device_id: str
    """The volume's UUID; its first 20 digits are the serial number that the guest sees."""
    path: str
    format: str
    boot_order: int | None = None
    cache: str = "none"


class NicSpec(Wire, frozen=True, kw_only=True, rename="camel"):
    """A network interface, attached to a bridge that exists already."""

    mac: str
    bridge: str
    tap: str
    """Name of the host's end: at most 15 characters, with the instance id, not beginning with vnet."""
    mtu: int = 1500
    model: str = "virtio"
    boot_order: int | None = None
    queues: int = 1
    """Pairs of queues of a virtio interface, each of which one CPU of the guest can serve."""


class SeedSpec(Wire, frozen=True, kw_only=True, rename="camel"):
    """What the guest learns at its first boot, as a NoCloud seed."""

    hostname: str
    ssh_keys: tuple[str, ...] = ()
    user_data: str | None = None
    """Handed to the guest unchanged: cloud-config or a script."""
    meta_data: dict[str, str] = {}
    """Further keys of the guest's meta-data."""


class Tuning(Wire, frozen=True, kw_only=True, rename="camel"):
    """How a virtual machine is made beyond what it consists of. What only KVM can do is left out under TCG."""

    cpu_mode: str = "none"
    """``none`` is the host's own under KVM and everything that QEMU emulates under TCG; else ``host-model``,
    ``host-passthrough``, or a model's name."""
    hypervisor_feature: bool = True
    """Whether the CPU says that it is a virtual one."""
    hidden: bool = False
    """Whether KVM hides its signature."""
    hyperv: bool = False
    """Whether what Windows knows of Hyper-V is emulated."""
    hyperv_clock: bool = True
    vendor_id: str = ""
    """What Hyper-V's CPU leaf gives as its vendor."""
    vmport: bool = True
    clock_track: str = "host"
    """``host`` or ``guest``: which clock the guest's RTC follows."""
    suspend_to_ram: bool = False
    suspend_to_disk: bool = False
    video: str = "vga"
    boot_menu_millis: int | None = None
    """How long the firmware shows its boot menu; None shows none."""


class DomainSpec(Wire, frozen=True, kw_only=True, rename="camel"):
    """A virtual machine, whole: a host needs nothing else to start it."""

    uuid: str
    name: str
    """For people; any Unicode."""
    vcpus: int
    memory: int
    disks: tuple[DiskSpec, ...] = ()
    nics: tuple[NicSpec, ...] = ()
    seed: SeedSpec | None = None
    console_password: str | None = None
    """Of the display; VNC looks at its first 8 characters."""
    machine: str = "q35"
    tuning: Tuning = Tuning()


class Connect(Command[HostFacts], frozen=True, kw_only=True, rename="camel"):
    """Make the host ready for VMs and say what it has. Asked at every (re)connection."""

    path: ClassVar[str] = "host/connect"
    accelerator: AcceleratorChoice = AcceleratorChoice.AUTO


class Ping(Command[Pong], frozen=True, kw_only=True, rename="camel"):
    """Is the host there, hypervisor included?"""

    path: ClassVar[str] = "host/ping"


class ListVms(Command[VmList], frozen=True, kw_only=True, rename="camel"):
    """Which VMs are on the host, and in which state."""

    path: ClassVar[str] = "vm/list"


class StartVm(Command[VmStatus], frozen=True, kw_only=True, rename="camel"):
    """Have this VM running. One that runs or is paused already is left as it is."""

    path: ClassVar[str] = "vm/start"
    domain: DomainSpec


class StopVm(Command[VmStatus], frozen=True, kw_only=True, rename="camel"):
    """Have this VM stopped: at once, or by asking the guest first. One that is absent counts as stopped."""

    path: ClassVar[str] = "vm/stop"
    uuid: str
    grace: bool = True
    grace_seconds: float = 60.0
    """How long the guest may take before it is stopped the hard way."""


class DestroyVm(Command[None], frozen=True, kw_only=True, rename="camel"):
    """Have nothing of this VM on the host, its volumes excepted."""

    path: ClassVar[str] = "vm/destroy"
    uuid: str


class RebootVm(Command[VmStatus], frozen=True, kw_only=True, rename="camel"):
    """Restart a running guest: it is asked first, and reset when it does not obey in time."""

    path: ClassVar[str] = "vm/reboot"
    uuid: str
    grace_seconds: float = 60.0


class PauseVm(Command[VmStatus], frozen=True, kw_only=True, rename="camel"):
    """Have this VM halted in memory."""

    path: ClassVar[str] = "vm/pause"
    uuid: str


class ResumeVm(Command[VmStatus], frozen=True, kw_only=True, rename="camel"):
    """Have this paused VM go on."""

    path: ClassVar[str] = "vm/resume"
    uuid: str


class VmConsole(Command[VncAddress], frozen=True, kw_only=True, rename="camel"):
    """Where the display of this running VM listens."""

    path: ClassVar[str] = "vm/console"
    uuid: str


class Channel(StrEnum):
    """What of a virtual machine a person can be connected with."""

    DISPLAY = "display"
    """The screen, by the RFB protocol that VNC viewers speak."""
    SERIAL = "serial"
    """The first serial port, as a terminal that a shell can wait at."""


class OpenChannel(Wire, frozen=True, kw_only=True, rename="camel"):
    """Connect somebody with a running VM. Whoever opens the serial port last has it; the one before is cut off."""

    uuid: str
    channel: Channel


class VmStateChanged(Notice, frozen=True, kw_only=True, rename="camel"):
    """A VM of ours has come into this state, by our doing or not; `reason` is the hypervisor's word."""

    uuid: str
    state: VmState
    reason: str


class NoticesLost(Notice, frozen=True, kw_only=True, rename="camel"):
    """The host could not see its VMs for a while: what it said since may be incomplete; ask `ListVms`."""

    reason: str


HostNotice = VmStateChanged | NoticesLost
"""Every notice that a host sends, as one type to decode."""


class HostDriver(HostLink, Protocol):
    """One host through its driver: `HostLink`, and the beginning and the voice of the host besides.

    Whatever lies between, commands, replies and notices cross it encoded.
    """

    async def connect(self) -> None:
        """Reach the host, so that commands can follow.

        Raises:
            HostUnreachable: it does not answer; the text says why and what to do.
        """

    def notices(self) -> AsyncGenerator[HostNotice, None]:
        """What the host says unasked, in order, for one listener."""

    async def open(self, wish: OpenChannel) -> Stream:
        """Connect with a running VM; bytes go both ways until either end closes.

        Raises:
            HostCommandFailed: the VM does not run there, or has no such channel.
            HostUnreachable: the host does not answer.
        """
