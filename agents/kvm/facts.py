"""What a KVM host tells of itself: the handlers of `Connect` and `Ping`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import trio

from agents.kvm.accel import choose
from agents.kvm.access import QemuUser, closed_folder, qemu_user
from agents.kvm.runtime import KvmRuntime
from agents.kvm.vms import list_vms
from zstack_appliance.cloud.host.driver import Connect, HostFacts, ListVms, Ping, Pong
from zstack_appliance.kernel.remote import HostCommandFailed


@dataclass(frozen=True, slots=True)
class _Hypervisor:
    hostname: str
    architecture: str
    cpu_threads: int
    cpu_sockets: int
    libvirt_version: str
    qemu_version: str
    user: QemuUser


async def connect(command: Connect, runtime: KvmRuntime) -> HostFacts:
    """Look at the host, check that guests can run on it, and learn which are ours.

    Asking for the capabilities also makes libvirt find out what QEMU can do, which otherwise the first
    start would wait for: 0.04 s when it remembers, up to 4 s when it does not.
    """
    hypervisor = await runtime.libvirt.call(_look)
    closed = await trio.to_thread.run_sync(closed_folder, runtime.data, hypervisor.user)
    if closed is not None:
        raise HostCommandFailed(
            f"QEMU runs as user {hypervisor.user.uid}, which may not pass through {closed}, so no VM could"
            f" read its disks: run `chmod o+x {closed}`, or choose a data folder elsewhere"
        )
    runtime.learnt.accelerator = await choose(command.accelerator, runtime, runtime.machine)
    await list_vms(ListVms(), runtime)
    return HostFacts(
        hostname=hypervisor.hostname,
        architecture=hypervisor.architecture,
        cpu_threads=hypervisor.cpu_threads,
        cpu_sockets=hypervisor.cpu_sockets,
        memory=await trio.to_thread.run_sync(runtime.machine.memory),
        libvirt_version=hypervisor.libvirt_version,
        qemu_version=hypervisor.qemu_version,
        accelerator=runtime.learnt.accelerator.accelerator,
        accelerator_reason=runtime.learnt.accelerator.reason,
        boot_id=await trio.to_thread.run_sync(runtime.machine.boot_id),
    )


async def ping(command: Ping, runtime: KvmRuntime) -> Pong:
    """Ask libvirtd for something small, so that a hung one does not pass for a healthy host."""
    await runtime.libvirt.call(lambda connection: connection.getLibVersion())
    return Pong(boot_id=await trio.to_thread.run_sync(runtime.machine.boot_id))


def _look(connection: Any) -> _Hypervisor:
    architecture, _memory, threads, _mhz, nodes, sockets, *_ = connection.getInfo()
    return _Hypervisor(
        hostname=connection.getHostname(),
        architecture=architecture,
        cpu_threads=threads,
        cpu_sockets=nodes * sockets,
        libvirt_version=version_text(connection.getLibVersion()),
        qemu_version=version_text(connection.getVersion()),
        user=qemu_user(connection.getCapabilities()),
    )


def version_text(number: int) -> str:
    """A version as libvirt packs it (9000000 is 9.0.0) in words."""
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
