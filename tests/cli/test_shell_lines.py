"""What a line of the shell means."""

from __future__ import annotations

import pytest

from zstack_appliance.__main__ import main
from zstack_appliance.cli.declared import find_api, find_resource
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.offers import Nobody
from zstack_appliance.cli.shell_lines import Call, Command, Question, holds_secret, line_offers, meaning


def offers(line: str) -> list[str]:
    return [offer.text for offer in line_offers(main, line, Nobody())]


def test_a_line_is_a_query_a_call_or_a_command() -> None:
    assert meaning("QueryVmInstance name='a b'") == Question(find_resource("VmInstance"), ("name=a b",))
    assert meaning("CreateZone name=z") == Call(find_api("CreateZone"), ("name=z",))
    assert meaning("org.zstack.header.zone.APICreateZoneMsg") == Call(find_api("CreateZone"), ())
    assert meaning("vm list") == Command(("vm", "list"))
    assert meaning("query VmInstance") == Command(("query", "VmInstance"))
    assert meaning("   ") is meaning("# a remark") is None


@pytest.mark.parametrize("line", ["QueryNothing", "CreateZon name=z", "zone show 'open"])
def test_a_line_that_means_nothing_says_why(line: str) -> None:
    with pytest.raises(CliError):
        meaning(line)


def test_passwords_are_kept_out_of_the_history() -> None:
    assert holds_secret("LogInByAccount accountName=admin password=x")
    assert holds_secret("login admin --password x")
    assert holds_secret("LogInByAcount password=x")
    assert not holds_secret("QueryVmInstance name=password")
    assert not holds_secret("CreateZone name=z")


def test_every_kind_of_line_goes_on() -> None:
    assert offers("QueryZon") == ["QueryZone"]
    assert "CreateZone" in offers("createz")
    assert offers("zo") == ["zone"]
    assert offers("zone li") == ["list"]
    assert offers("QueryVmInstance vmNics.ip") == ["vmNics.ipVersion=", *offers("QueryVmInstance vmNics.ip")[1:]]
    assert "vmNics.ip=" in offers("QueryVmInstance vmNics.i")
    assert offers("QueryVmInstance lim") == ["limit="]
    assert offers("CreateZone na") == ["name="]
    assert offers("QueryNothing a") == offers("CreateZone 'a b' c") == []
