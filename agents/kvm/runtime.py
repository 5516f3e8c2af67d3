"""`KvmRuntime`: what a host half may use of a KVM host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agents.kvm.accel import Machine, Verdict
from agents.kvm.connection import Libvirt
from agents.kvm.events import DomainWatch
from agents.process import run
from zstack_appliance.cloud.host.driver import VmState
from zstack_appliance.hostkit.files import uuid_part
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import Completed


def unheard(fraction: float | None, text: str) -> None:
    """The report of a command whose sender does not want to know."""


@dataclass(frozen=True, slots=True)
class LocalRuntime:
    """Processes and folders of the host that this code runs on.

    Attributes:
        instance: six hexadecimal digits that mark everything this appliance makes on the host.
        data: the appliance's own folder on this host.
    """

    instance: str
    data: Path

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 60.0,
        stdin: str | None = None,
        check: bool = True,
        memory_limit: int | None = None,
        private_network: bool = False,
    ) -> Completed:
        """Run one program to its end; see `agents.process.run`."""
        return await run(
            argv,
            timeout=timeout,
            stdin=stdin,
            check=check,
            memory_limit=memory_limit,
            private_network=private_network,
        )


@dataclass(slots=True)
class Learnt:
    """What a host has found out since it was reached.

    Attributes:
        owned: the domains that are ours, by UUID, with the state last told to the listener; None when
            nothing was. What happens to other domains is not our business.
        accelerator: what guests run under, once that is decided.
    """

    owned: dict[str, VmState | None] = field(default_factory=dict)
    accelerator: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KvmRuntime(LocalRuntime):
    """One command's view of the host.

    Attributes:
        libvirt: calls to libvirt.
        watch: waits for what happens to a domain.
        learnt: what was found out so far.
        machine: what the host tells about itself.
        report: carries progress back to whoever sent the command.
    """

    libvirt: Libvirt
    watch: DomainWatch
    learnt: Learnt
    machine: Machine
    report: Report = unheard

    def vm_folder(self, uuid: str) -> Path:
        """Where the host keeps what belongs to a VM besides its volumes.

        Raises:
            HostCommandFailed: that is not a UUID.
        """
        return self.data / "vms" / uuid_part(uuid)
