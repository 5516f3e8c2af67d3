"""What a KVM host does with VMs: a handler per command of the host driver contract."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import trio

from agents.kvm.accel import choose
from agents.kvm.domain_xml import DomainFiles, domain_xml
from agents.kvm.domains import Domains
from agents.kvm.events import Happening
from agents.kvm.runtime import KvmRuntime
from agents.kvm.seed import write_seed
from zstack_appliance.cloud.host.driver import (
    Accelerator,
    AcceleratorChoice,
    DestroyVm,
    DomainSpec,
    ListVms,
    PauseVm,
    RebootVm,
    ResumeVm,
    StartVm,
    StopVm,
    VmConsole,
    VmList,
    VmState,
    VmStatus,
    VncAddress,
)
from zstack_appliance.hostkit.files import explained

T = TypeVar("T")

ASK_AGAIN_SECONDS = 5.0
"""A guest that is still booting does not hear its power button: press it again after this long."""


async def list_vms(command: ListVms, runtime: KvmRuntime) -> VmList:
    """List the domains, and learn which are ours."""
    found = await in_domains(runtime, lambda domains: domains.list())
    found = msgspec.structs.replace(found, folders=await trio.to_thread.run_sync(_folders, runtime.data / "vms"))
    for vm in found.vms:
        runtime.learnt.owned.setdefault(vm.uuid, None)
    return found


async def start(command: StartVm, runtime: KvmRuntime) -> VmStatus:
    """Define and start: three round trips to libvirt, and one thread for all of them."""
    spec = command.domain
    accelerator = await _accelerator(runtime)
    # Before the call: the notice of the start must find its VM known.
    runtime.learnt.owned.setdefault(spec.uuid, None)
    state = await in_domains(runtime, partial(_start, spec, runtime, accelerator))
    return VmStatus(uuid=spec.uuid, state=state)


async def stop(command: StopVm, runtime: KvmRuntime) -> VmStatus:
    """Ask the guest for as long as it may take, then stop it the hard way."""
    if command.grace:
        with runtime.watch.expect(command.uuid, Happening.STOPPED) as stopped:
            await _ask(lambda domains: domains.shutdown(command.uuid), stopped, runtime, command.grace_seconds)
    state = await in_domains(runtime, lambda domains: domains.kill(command.uuid))
    return VmStatus(uuid=command.uuid, state=state)


async def destroy(command: DestroyVm, runtime: KvmRuntime) -> None:
    """Remove the domain and its folder."""
    folder = runtime.vm_folder(command.uuid)
    await in_domains(runtime, lambda domains: domains.remove(command.uuid))
    runtime.learnt.owned.pop(command.uuid, None)
    await trio.to_thread.run_sync(_remove_folder, folder)


async def reboot(command: RebootVm, runtime: KvmRuntime) -> VmStatus:
    """Ask the guest, and press its buttons if it does not obey, or powers off in place of restarting."""
    with (
        runtime.watch.expect(command.uuid, Happening.RESET) as reset,
        runtime.watch.expect(command.uuid, Happening.RESET, Happening.STOPPED) as answered,
    ):
        await in_domains(runtime, lambda domains: domains.check_alive(command.uuid, "to be rebooted"))
        await _ask(lambda domains: domains.ask_reboot(command.uuid), answered, runtime, command.grace_seconds)
        if not reset.is_set():
            await in_domains(runtime, lambda domains: domains.restart(command.uuid))
    return VmStatus(uuid=command.uuid, state=VmState.RUNNING)


async def pause(command: PauseVm, runtime: KvmRuntime) -> VmStatus:
    """Halt the guest in memory."""
    state = await in_domains(runtime, lambda domains: domains.pause(command.uuid))
    return VmStatus(uuid=command.uuid, state=state)


async def resume(command: ResumeVm, runtime: KvmRuntime) -> VmStatus:
    """Let the guest go on."""
    state = await in_domains(runtime, lambda domains: domains.resume(command.uuid))
    return VmStatus(uuid=command.uuid, state=state)


async def console(command: VmConsole, runtime: KvmRuntime) -> VncAddress:
    """Look up the port that libvirt chose when the domain started."""
    return await in_domains(runtime, lambda domains: domains.console(command.uuid))


async def in_domains(runtime: KvmRuntime, work: Callable[[Domains], T]) -> T:
    """Run `work` on our domains, in a thread."""

    def call(connection: Any) -> T:
        return work(Domains(connection, runtime.instance))

    return await runtime.libvirt.call(call)


async def _accelerator(runtime: KvmRuntime) -> Accelerator:
    if runtime.learnt.accelerator is None:  # started before the first Connect
        runtime.learnt.accelerator = await choose(AcceleratorChoice.AUTO, runtime, runtime.machine)
    return runtime.learnt.accelerator.accelerator


async def _ask(request: Callable[[Domains], VmState], answer: trio.Event, runtime: KvmRuntime, seconds: float) -> None:
    """Make a request of a running guest, again and again, until it answers, is not running or time is up."""
    with trio.move_on_after(seconds):
        while not answer.is_set() and await in_domains(runtime, request) is VmState.RUNNING:
            with trio.move_on_after(ASK_AGAIN_SECONDS):
                await answer.wait()


def _start(spec: DomainSpec, runtime: KvmRuntime, accelerator: Accelerator, domains: Domains) -> VmState:
    """Start a domain with its folder, which goes again when the start fails. Blocks."""
    folder = runtime.vm_folder(spec.uuid)

    def describe() -> str:
        files = _prepare(spec, folder)
        return domain_xml(spec, instance=runtime.instance, accelerator=accelerator, files=files)

    with ExitStack() as undo:
        if not folder.exists():
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
        state = domains.start(spec.uuid, describe)
        undo.pop_all()
    return state


def _prepare(spec: DomainSpec, folder: Path) -> DomainFiles:
    with explained(f"cannot prepare VM {spec.uuid}"):
        # QEMU, which may be another user, passes through to the seed; it need not list the folder.
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        if spec.seed is None:
            return DomainFiles(console_log=folder / "console.log", seed=None)
        write_seed(folder / "seed.iso", spec.seed, spec.uuid)
        return DomainFiles(console_log=folder / "console.log", seed=folder / "seed.iso")


def _folders(parent: Path) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in parent.iterdir())) if parent.exists() else ()


def _remove_folder(folder: Path) -> None:
    with explained("cannot remove a VM's folder"):
        if folder.exists():
            shutil.rmtree(folder)
