"""The commands of a local primary storage."""

from __future__ import annotations

from zstack_appliance.cloud.primary_storage.local.host_side import HOST_SIDE
from zstack_appliance.kernel.remote import reply_type


def test_every_command_is_served_on_real_and_on_simulated_hosts() -> None:
    assert HOST_SIDE.real.keys() == HOST_SIDE.simulated.keys()


def test_every_command_has_a_path_of_its_own_and_names_its_reply() -> None:
    commands = list(HOST_SIDE.real)
    assert len({command.path for command in commands}) == len(commands)
    for command in commands:
        assert command.path.startswith("primary-storage/local/")
        reply_type(command)
