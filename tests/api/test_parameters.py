"""Bodies and query strings into messages; what the door answers to wrong ones is in test_rest.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.api.things import CreateThing, MeasureThing, UpdateThing
from zstack_appliance.api.parameters import body_parameters, build, query_parameters
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.kernel.derive.route import CallRoute, Routes
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.message import Request


def route(message: type[Request[Any]]) -> CallRoute:
    [found] = Routes((message,), ()).all
    assert isinstance(found, CallRoute)
    return found


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ({}, {}),
        ({"params": None}, {}),
        ({"params": {"name": "a"}}, {"name": "a"}),
        ({"null": {"name": "a"}}, {"name": "a"}),
        ({"params": {"name": "a"}, "null": {"name": "b"}}, {"name": "a"}),
        ({"name": "a"}, {}),
        ({"params": {"systemTags": ["a"]}}, {"systemTags": ["a"]}),
        ({"params": {"systemTags": ["a"]}, "systemTags": None}, {"systemTags": ["a"]}),
        ({"params": {"systemTags": ["a"]}, "systemTags": ["b"]}, {"systemTags": ["b"]}),
        ({"userTags": []}, {"userTags": []}),
    ],
)
def test_what_a_body_gives(body: dict[str, Any], given: dict[str, Any]) -> None:
    assert body_parameters(route(CreateThing), body) == given


def test_an_action_has_its_own_key_and_takes_the_common_ones_too() -> None:
    for key in ("updateThing", "params"):
        assert body_parameters(route(UpdateThing), {key: {"size": 1}}) == {"size": 1}


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("", {}),
        ("unit=m&times=2", {"unit": "m", "times": "2"}),
        ("tools=a", {"tools": ["a"]}),
        ("tools=a&tools=b", {"tools": ["a", "b"]}),
        ("tools.1=b&tools.0=a&tools.10=c", {"tools": ["a", "b", "c"]}),
        ("tools.x=b", {}),
        ("options.a=1&options.b.c=2", {"options": {"a": "1", "b.c": "2"}}),
        ("options=1", {}),
        ("shelves.a=1&shelves.b=2&shelves.a=3", {"shelves": {"a": ["1", "3"], "b": ["2"]}}),
        ("unit.x=1", {}),
        ("unit=", {"unit": ""}),
        ("unknown=1&unknown=2", {}),
    ],
)
def test_what_a_query_string_gives(text: str, given: dict[str, Any]) -> None:
    assert query_parameters(MeasureThing, parse_qsl(text, keep_blank_values=True)) == given


def test_what_takes_one_value_comes_once() -> None:
    with pytest.raises(Refusal, match=r"the parameter\[unit\] takes one value"):
        query_parameters(MeasureThing, [("unit", "a"), ("unit", "b")])


def test_the_path_sets_its_fields_last() -> None:
    built = build(route(UpdateThing), ("1" * 32,), {"uuid": "2" * 32, "size": "7"})
    assert built == UpdateThing(uuid="1" * 32, size=7)


@pytest.mark.parametrize("size", ["x", "1.5", "1e3x", "", "9" * 25, True, [1], {"a": 1}])
def test_a_number_that_is_none(size: object) -> None:
    """Empty text is as good as nothing; everything else is refused in plain text."""
    given = {"name": "a", "size": size}
    if size == "":
        assert build(route(CreateThing), (), given) == CreateThing(name="a")
        return
    with pytest.raises(Refusal, match=r"\[size\] field is excepted an int or long, but was"):
        build(route(CreateThing), (), given)


@pytest.mark.parametrize("size", ["-1", "101", 101, 2.0e6])
def test_a_number_out_of_range_is_an_argument(size: object) -> None:
    with pytest.raises(InvalidArgument, match=r"message\[org.zstack.test.APICreateThingMsg\] must be in range"):
        build(route(CreateThing), (), {"name": "a", "size": size})
