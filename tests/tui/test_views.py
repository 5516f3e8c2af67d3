"""Where one is, and the way back."""

from __future__ import annotations

import pytest

from zstack_appliance.cli.declared import find_resource
from zstack_appliance.cli.exits import CliError
from zstack_appliance.tui.views import Dashboard, Details, JobSteps, Listing, Trail, read_command

VM = find_resource("VmInstance")


def test_a_command_names_a_resource_and_conditions() -> None:
    assert read_command("vm state=Running hostUuid=null") == Listing(VM, ("state=Running", "hostUuid is null"))
    assert read_command(":vm-instance") == Listing(VM)
    assert read_command("pulse") == read_command("") == Dashboard()
    assert read_command(":q") is None


@pytest.mark.parametrize(("text", "told"), [("vmm", "did you mean"), ("vm state", "query operator")])
def test_a_command_that_means_nothing_says_so(text: str, told: str) -> None:
    with pytest.raises(CliError, match=told):
        read_command(text)


def test_one_goes_on_and_back_and_forward() -> None:
    trail = Trail()
    assert (trail.here, trail.can_go_back) == (Dashboard(), False)
    listing, details = Listing(VM), Details(VM, "1" * 32, "web")
    trail.go(listing)
    trail.go(listing)
    trail.go(details)
    assert trail.titles == ("dashboard", "VmInstance", "VmInstance web")
    assert trail.back() == listing
    assert trail.forward() == trail.forward() == details
    assert [trail.back(), trail.back(), trail.back()] == [listing, Dashboard(), Dashboard()]
    trail.go(JobSteps("2" * 32, "CreateZone"))
    assert trail.forward() == JobSteps("2" * 32, "CreateZone")
