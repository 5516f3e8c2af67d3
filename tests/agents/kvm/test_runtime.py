"""The runtime of a KVM host is one that host halves can use."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.kvm.runtime import LocalRuntime
from zstack_appliance.kernel.remote import HostCommandFailed, Runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    """As host halves see it, which mypy checks here."""
    return LocalRuntime(instance="a1b2c3", data=tmp_path)


async def test_programs_run_with_every_option(runtime: Runtime) -> None:
    done = await runtime.run(["sh", "-c", "cat; ulimit -v"], stdin="in\n", timeout=5, memory_limit=2**29)
    assert done.stdout == f"in\n{2**19}\n"
    assert (await runtime.run(["false"], check=False)).returncode == 1
    with pytest.raises(HostCommandFailed, match="exit status 1"):
        await runtime.run(["false"])


def test_it_knows_its_instance_and_folder(runtime: Runtime, tmp_path: Path) -> None:
    assert (runtime.instance, runtime.data) == ("a1b2c3", tmp_path)
