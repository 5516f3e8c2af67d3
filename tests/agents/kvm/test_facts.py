"""What a host tells when it is connected and pinged."""

from __future__ import annotations

import pytest

from agents.kvm.facts import version_text
from tests.agents.kvm import fake_libvirt
from tests.agents.kvm.conftest import FakeHost
from zstack_appliance.cloud.host.driver import (
    Accelerator,
    AcceleratorChoice,
    Connect,
    DomainSpec,
    HostFacts,
    Ping,
    Pong,
    StartVm,
)
from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable


async def test_a_host_tells_what_it_has(fake: FakeHost) -> None:
    assert await fake.link.ask(Connect(accelerator=AcceleratorChoice.TCG)) == HostFacts(
        hostname="fake",
        architecture="x86_64",
        cpu_threads=32,
        cpu_sockets=2,
        memory=1024 * 1024,
        libvirt_version="9.0.0",
        qemu_version="7.2.22",
        accelerator=Accelerator.TCG,
        accelerator_reason="set by the administrator",
        boot_id="boot-1",
    )


async def test_guests_run_under_what_was_chosen_at_the_connection(fake: FakeHost) -> None:
    spec = DomainSpec(uuid="1" * 32, name="x", vcpus=1, memory=2**26)
    await fake.link.ask(Connect(accelerator=AcceleratorChoice.KVM))
    await fake.link.ask(StartVm(domain=spec))
    assert '<domain type="kvm"' in fake.connection.domain(spec.uuid).xml


async def test_before_the_connection_they_run_under_what_works(fake: FakeHost) -> None:
    spec = DomainSpec(uuid="1" * 32, name="x", vcpus=1, memory=2**26)
    await fake.link.ask(StartVm(domain=spec))
    assert '<domain type="qemu"' in fake.connection.domain(spec.uuid).xml


async def test_a_data_folder_that_qemu_cannot_reach_is_said_so(fake: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    other = fake_libvirt.CAPABILITIES.replace("+0:+0", "+64055:+994")
    monkeypatch.setattr(fake_libvirt, "CAPABILITIES", other)
    fake.data.chmod(0o700)
    with pytest.raises(HostCommandFailed, match=r"QEMU runs as user 64055, which may not .* `chmod o\+x /"):
        await fake.link.ask(Connect())


async def test_a_ping_reaches_libvirt_and_names_the_boot(fake: FakeHost) -> None:
    assert await fake.link.ask(Ping()) == Pong(boot_id="boot-1")
    assert fake.connection.calls == ["version"]
    fake.libvirt.failure = HostUnreachable("libvirtd is gone")
    with pytest.raises(HostUnreachable, match="is gone"):
        await fake.link.ask(Ping())


@pytest.mark.parametrize(("number", "text"), [(9_000_000, "9.0.0"), (7_002_022, "7.2.22"), (10_011_003, "10.11.3")])
def test_versions_are_unpacked(number: int, text: str) -> None:
    assert version_text(number) == text
