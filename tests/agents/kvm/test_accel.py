"""Which accelerator: every piece of evidence against KVM counts, and the verdict holds for one boot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agents.kvm.accel import Machine, choose
from zstack_appliance.cloud.host.driver import Accelerator, AcceleratorChoice
from zstack_appliance.kernel.remote import Completed, HostCommandFailed

AUTO = AcceleratorChoice.AUTO


@dataclass
class Prober:
    """A runtime whose QEMU works or not."""

    data: Path
    fault: str | None = None
    instance: str = "a1b2c3"
    probes: list[Sequence[str]] = field(default_factory=list)

    async def run(self, argv: Sequence[str], **options: Any) -> Completed:
        """Remember the probe."""
        self.probes.append(argv)
        assert options["timeout"] <= 5
        if self.fault is not None:
            raise HostCommandFailed(self.fault)
        return Completed(tuple(argv), 0, "", "")


@pytest.fixture
def kvm_machine(machine: Machine) -> Machine:
    """A host on which everything speaks for KVM."""
    (machine.root / "dev").mkdir()
    (machine.root / "dev/kvm").touch()
    (machine.root / "proc/cpuinfo").write_text("processor : 0\nflags : fpu svm sse2\n")
    (machine.root / "sys/module/kvm").mkdir(parents=True)
    return machine


async def test_kvm_where_everything_speaks_for_it(kvm_machine: Machine, tmp_path: Path) -> None:
    prober = Prober(tmp_path)
    verdict = await choose(AUTO, prober, kvm_machine)
    assert verdict.accelerator is Accelerator.KVM
    assert list(prober.probes[0][3:5]) == ["-cpu", "host"]


async def test_a_missing_device_speaks_against_kvm(kvm_machine: Machine, tmp_path: Path) -> None:
    (kvm_machine.root / "dev/kvm").unlink()
    await expect_tcg(kvm_machine, Prober(tmp_path), "/dev/kvm cannot be opened: No such file", probes=0)


async def test_a_cpu_without_the_flag_speaks_against_kvm(kvm_machine: Machine, tmp_path: Path) -> None:
    (kvm_machine.root / "proc/cpuinfo").write_text("model name : vmx svm\nflags : fpu sse2\n")
    await expect_tcg(kvm_machine, Prober(tmp_path), "neither the vmx nor the svm flag", probes=0)


async def test_a_software_kvm_speaks_against_kvm(kvm_machine: Machine, tmp_path: Path) -> None:
    (kvm_machine.root / "sys/module/kvm_pvm").mkdir()
    await expect_tcg(kvm_machine, Prober(tmp_path), "kvm_pvm", probes=0)


async def test_a_qemu_that_dies_speaks_against_kvm(kvm_machine: Machine, tmp_path: Path) -> None:
    await expect_tcg(kvm_machine, Prober(tmp_path, fault="exit status 134"), "exit status 134", probes=1)


async def expect_tcg(machine: Machine, prober: Prober, reason: str, *, probes: int) -> None:
    verdict = await choose(AUTO, prober, machine)
    assert verdict.accelerator is Accelerator.TCG
    assert reason in verdict.reason
    assert len(prober.probes) == probes


async def test_the_verdict_holds_until_the_next_boot(kvm_machine: Machine, tmp_path: Path) -> None:
    prober = Prober(tmp_path)
    first = await choose(AUTO, prober, kvm_machine)
    assert await choose(AUTO, prober, kvm_machine) == first
    assert len(prober.probes) == 1
    (kvm_machine.root / "proc/sys/kernel/random/boot_id").write_text("boot-2\n")
    assert (await choose(AUTO, prober, kvm_machine)).boot_id == "boot-2"
    assert len(prober.probes) == 2


async def test_a_verdict_that_cannot_be_read_is_found_again(kvm_machine: Machine, tmp_path: Path) -> None:
    prober = Prober(tmp_path)
    await choose(AUTO, prober, kvm_machine)
    (tmp_path / "run/accelerator.json").write_text("{")
    assert (await choose(AUTO, prober, kvm_machine)).accelerator is Accelerator.KVM


@pytest.mark.parametrize("choice", [AcceleratorChoice.KVM, AcceleratorChoice.TCG])
async def test_the_administrator_is_obeyed(choice: AcceleratorChoice, machine: Machine, tmp_path: Path) -> None:
    prober = Prober(tmp_path)
    verdict = await choose(choice, prober, machine)
    assert (verdict.accelerator, verdict.reason) == (choice.value, "set by the administrator")
    assert not prober.probes
    assert not (tmp_path / "run").exists()


def test_memory_is_read_from_the_kernel(machine: Machine) -> None:
    assert machine.memory() == 1024 * 1024
    (machine.root / "proc/meminfo").write_text("")
    with pytest.raises(HostCommandFailed, match="how much memory"):
        machine.memory()
