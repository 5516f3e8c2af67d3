"""The host driver contract travels: every command, reply and notice survives the wire."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from zstack_appliance.cloud.host import driver
from zstack_appliance.cloud.host.driver import (
    Accelerator,
    DiskSpec,
    DomainSpec,
    HostFacts,
    HostNotice,
    NicSpec,
    NoticesLost,
    SeedSpec,
    StartVm,
    VmState,
    VmStateChanged,
)
from zstack_appliance.kernel.remote import Command, reply_type

COMMANDS = [value for value in vars(driver).values() if isinstance(value, type) and issubclass(value, Command)]
CONTRACT = [command for command in COMMANDS if command is not Command]

SPEC = DomainSpec(
    uuid="1" * 32,
    name="<ü>",
    vcpus=2,
    memory=2**29,
    disks=(DiskSpec(device_id="2" * 32, path="/a", format="qcow2", boot_order=1),),
    nics=(NicSpec(mac="fa:00:00:00:00:01", bridge="b", tap="t"),),
    seed=SeedSpec(hostname="h", ssh_keys=("k",), user_data="#!", meta_data={"a": "b"}),
    console_password="p",
)


@pytest.mark.parametrize("command", CONTRACT)
def test_every_command_has_a_path_of_its_own_and_a_reply(command: type[Command[Any]]) -> None:
    assert [other for other in CONTRACT if other.path == command.path] == [command]
    reply = reply_type(command)
    assert reply is type(None) or issubclass(reply, msgspec.Struct)


def test_a_domain_survives_the_wire() -> None:
    sent = StartVm(domain=SPEC)
    assert msgspec.json.decode(msgspec.json.encode(sent), type=StartVm) == sent


def test_names_on_the_wire_are_camel_case() -> None:
    facts = HostFacts(
        hostname="h",
        architecture="x86_64",
        cpu_threads=1,
        cpu_sockets=1,
        memory=1,
        libvirt_version="9",
        qemu_version="7",
        accelerator=Accelerator.TCG,
        accelerator_reason="r",
        boot_id="b",
    )
    assert {"cpuThreads", "acceleratorReason"} <= msgspec.json.decode(msgspec.json.encode(facts)).keys()


@pytest.mark.parametrize(
    "notice",
    [VmStateChanged(uuid="1" * 32, state=VmState.STOPPED, reason="shut down"), NoticesLost(reason="r")],
)
def test_a_notice_says_which_it_is(notice: HostNotice) -> None:
    assert msgspec.json.decode(msgspec.json.encode(notice), type=HostNotice) == notice
