"""Errors as they travel."""

from __future__ import annotations

import inspect

import pytest

from zstack_appliance.kernel import errors
from zstack_appliance.kernel.errors import (
    DESCRIPTIONS,
    CloudError,
    Conflict,
    Fault,
    InsufficientCapacity,
    InvalidArgument,
    Unavailable,
    not_found,
    refuse,
)


def test_every_class_has_a_code_with_a_description_and_stands_in_the_tree() -> None:
    classes = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, CloudError)]
    assert len(classes) == 9
    for cls in classes:
        assert cls.code in DESCRIPTIONS
        assert cls.__name__ in (errors.__doc__ or "")


def test_the_chain_of_causes_travels_and_the_log_stays_here() -> None:
    error = Conflict("outer", code="VM.1010", detail_for_log="secret")
    error.__cause__ = Unavailable("inner")
    wire = error.to_wire()
    assert (wire.code, wire.description, wire.details) == ("VM.1010", DESCRIPTIONS["VM.1010"], "outer")
    assert wire.cause is not None
    assert wire.cause.details == "inner"
    assert "secret" not in repr(wire)


def test_a_cause_that_is_no_cloud_error_stays_here() -> None:
    error = Conflict("outer")
    error.__cause__ = ValueError("a path of ours")
    assert error.to_wire().cause is None


def test_refuse_names_every_fault_and_tells_the_first() -> None:
    with pytest.raises(InvalidArgument, match="too long") as failed:
        refuse(None, Fault("name", "too long"), Fault("size", "negative"))
    assert failed.value.to_wire().opaque == {"fields": {"name": "too long", "size": "negative"}}
    refuse(None, None)
    refuse()


def test_rejections_travel() -> None:
    rows = ({"host": "a", "reason": "full"},)
    assert InsufficientCapacity("none", rejections=rows).to_wire().opaque == {"rejections": list(rows)}


def test_not_found_says_what_clients_search_for() -> None:
    assert str(not_found("ZoneVO", "1")).startswith("resource[uuid:1, type:ZoneVO] not found")
