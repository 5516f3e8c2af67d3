"""The texts of the first screen, and its trends."""

from __future__ import annotations

from zstack_appliance.tui.colours import DARK, paint
from zstack_appliance.tui.dashboard import SAMPLES, Trends, capacity_text, error_text, job_cells, states_text
from zstack_appliance.tui.summary import Summary, Usage

SUMMARY = Summary(
    cpu=Usage(36, 40), memory=Usage(2**30, 2**33), vms={"Running": 1200, "Crashed": 1}, hosts={"Connected": 3}
)


def test_gauges_fit_the_box_and_say_numbers() -> None:
    for width in (44, 90):
        lines = capacity_text(SUMMARY, width, paint(DARK)).plain.splitlines()
        assert max(map(len, lines)) <= width
        assert lines[0].endswith("90%  36 of 40")
        assert "1 GiB of 8 GiB" in lines[2]
        assert "0 B of 0 B" in lines[4]
        assert lines[6].split() == ["Hosts", "3", "Connected"]


def test_an_empty_cloud_says_what_to_do() -> None:
    assert "add one" in capacity_text(Summary(), 44, paint(DARK)).plain
    assert "press v, then c" in states_text(Summary(), 30, paint(DARK)).plain


def test_states_are_bars_beside_each_other() -> None:
    lines = states_text(SUMMARY, 30, paint(DARK)).plain.splitlines()
    assert lines[0].startswith("Running    1,200 ███")
    assert lines[1].startswith("Crashed        1 ")
    assert max(map(len, lines)) <= 30


def test_trends_remember_and_count_what_ended() -> None:
    trends = Trends()
    ended = {"resource": "Job", "inventory": {"state": "Succeeded"}}
    trends.hear([ended, ended, {"resource": "Job", "inventory": {"state": "Running"}}, {"kind": "gap"}])
    trends.add(SUMMARY)
    assert (len(trends.cpu), trends.cpu[0], trends.ended[-1]) == (SAMPLES, 0.9, 2.0)
    trends.add(Summary())
    assert (len(trends.vms), list(trends.vms)[-2:], trends.ended[-1]) == (SAMPLES, [1201.0, 0.0], 0.0)


def test_an_operation_says_why_it_failed() -> None:
    job = {
        "uuid": "1",
        "state": "Failed",
        "api": "org.zstack.header.zone.APICreateZoneMsg",
        "createDate": "now",
        "error": '{"code": "SYS.1007", "details": "two\\nlines"}',
    }
    assert job_cells(job) == ("Failed", "CreateZone", "now", "two\N{REPLACEMENT CHARACTER}lines")
    assert error_text({"error": {"description": "d"}}) == "d"
    assert error_text({"error": "no JSON"}) == "no JSON"
    assert error_text({}) == ""
