"""A KVM host with real guests: what the host driver contract says, seen from outside by libvirt itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import trio

from agents.kvm.host import KvmHost
from agents.kvm.local import LocalLink
from tests.eventually import eventually
from tests.system.guests import Guests
from zstack_appliance.cloud.host.driver import (
    Accelerator,
    AcceleratorChoice,
    Connect,
    DestroyVm,
    HostNotice,
    ListVms,
    PauseVm,
    Ping,
    RebootVm,
    ResumeVm,
    StartVm,
    StopVm,
    VmConsole,
    VmState,
    VmStateChanged,
    VmStatus,
)
from zstack_appliance.kernel.remote import HostCommandFailed


async def test_a_host_tells_what_it_has(link: LocalLink) -> None:
    facts = await link.ask(Connect(accelerator=AcceleratorChoice.TCG))
    print(facts)
    print(await link.ask(Connect(accelerator=AcceleratorChoice.AUTO)))
    print(await link.ask(Ping()))
    print(await link.ask(ListVms()))


async def test_events(link: LocalLink, guests: Guests, kvm_host) -> None:
    import time
    t0 = time.time()
    log = lambda *a: print(round(time.time() - t0, 2), *a)
    async def listen():
        async for n in link.notices():
            log(n)
    orig = kvm_host.lifecycle, kvm_host.reset
    kvm_host._runtime.libvirt._listener
    def life(u, e, d): log("raw life", e, d); orig[0](u, e, d)
    def reset(u): log("raw reset"); orig[1](u)
    kvm_host.lifecycle = life; kvm_host.reset = reset
    await kvm_host.aclose()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        await link.ask(Connect(accelerator=AcceleratorChoice.TCG))
        log("connected")
        spec = guests.spec()
        log(await link.ask(StartVm(domain=spec)))
        log(await link.ask(StartVm(domain=spec)))
        log(await link.ask(VmConsole(uuid=spec.uuid)))
        f = Path(kvm_host._runtime.vm_folder(spec.uuid))
        try:
            await eventually(lambda: "login" in (f/"console.log").read_text(errors="replace") or "ready" in (f/"console.log").read_text(errors="replace"), within=30)
        except AssertionError: pass
        log((f/"console.log").read_text(errors="replace")[-1500:])
        import os
        def virsh(*a):
            r = subprocess.run(["virsh", *a], capture_output=True, text=True); log(a, r.stdout.strip(), r.stderr.strip())
        await trio.sleep(2)
        virsh("qemu-agent-command", spec.uuid, '{"execute":"guest-ping"}')
        virsh("reboot", spec.uuid, *os.environ.get("MODE", "").split())
        await trio.sleep(12)
        log((f/"console.log").read_text(errors="replace")[-300:])
        virsh("list", "--all")
        log(await link.ask(PauseVm(uuid=spec.uuid)))
        log(await link.ask(ResumeVm(uuid=spec.uuid)))
        log(await link.ask(StopVm(uuid=spec.uuid)))
        await trio.sleep(0.5)
        log(await link.ask(DestroyVm(uuid=spec.uuid)))
        log(await link.ask(DestroyVm(uuid=spec.uuid)))
        await trio.sleep(0.5)
        nursery.cancel_scope.cancel()
