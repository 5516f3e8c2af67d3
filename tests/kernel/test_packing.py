"""What crosses between nodes arrives as what it was: values, structs of any class, and errors with their causes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zstack_appliance.kernel.errors import (
    CloudError,
    Conflict,
    Fault,
    Forbidden,
    InsufficientCapacity,
    Internal,
    InvalidArgument,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.nodes import Fenced
from zstack_appliance.kernel.packing import Packed, PackedError, pack, pack_error, unpack, unpack_error
from zstack_appliance.kernel.peers import NodeUnreachable, OutcomeUnknown
from zstack_appliance.kernel.queues import DeadlockError


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class Circle(Shape, frozen=True, kw_only=True):
    radius: float


class Draw(Request[Shape], frozen=True, kw_only=True, rename="camel"):
    shape_to_draw: Shape
    times: Annotated[int, msgspec.Meta(ge=0)] = 1
    notes: tuple[str, ...] = ()


class Alone(Shape, frozen=True, kw_only=True):
    tags: dict[str, int] = {}


ERRORS = (
    InvalidArgument,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    InsufficientCapacity,
    Unavailable,
    Internal,
    DeadlockError,
    Fenced,
    NodeUnreachable,
    OutcomeUnknown,
)


def crossed(value: Any) -> Any:
    return unpack(msgspec.json.decode(msgspec.json.encode(pack(value)), type=Packed))


def crossed_error(error: CloudError) -> CloudError:
    return unpack_error(msgspec.json.decode(msgspec.json.encode(pack_error(error)), type=PackedError))


PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
SHAPES = st.builds(Circle, name=st.text(), radius=st.floats(0, 10)) | st.builds(
    Alone, name=st.text(), tags=st.dictionaries(st.text(), st.integers(0, 9))
)
VALUES = st.recursive(
    PLAIN | SHAPES,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_any_reply_arrives_as_it_was(value: Any) -> None:
    assert crossed(value) == value


@given(SHAPES, st.integers(0, 9))
def test_a_field_arrives_as_its_own_class(shape: Shape, times: int) -> None:
    arrived = crossed(Draw(shape_to_draw=shape, times=times, notes=("a", "b")))
    assert arrived == Draw(shape_to_draw=shape, times=times, notes=("a", "b"))
    assert type(arrived.shape_to_draw) is type(shape)


def test_what_is_no_data_does_not_cross() -> None:
    with pytest.raises(TypeError, match="set cannot cross"):
        pack({1, 2})


@pytest.mark.parametrize("name", ["os:system", "tests.kernel.test_packing:crossed", "nowhere:Nothing"])
def test_nothing_but_known_structs_is_made(name: str) -> None:
    with pytest.raises(Internal, match="makes no sense here"):
        unpack(Packed(cls=name, plain=msgspec.Raw(b"{}")))


def test_a_struct_of_another_version_is_refused() -> None:
    packed = pack(Circle(name="c", radius=1.0))
    with pytest.raises(Internal, match="install one version on all"):
        unpack(msgspec.structs.replace(packed, plain=msgspec.Raw(b'{"name": 3}')))


@pytest.mark.parametrize("cls", ERRORS)
def test_an_error_crosses_whole(cls: type[CloudError]) -> None:
    error = cls("it is wrong", code="VM.1010")
    error.detail_for_log, error.opaque = "only for the log", {"why": ["a", 1]}
    error.__cause__ = Conflict("because of this")
    error.__cause__.__cause__ = NotFound("and of that")
    arrived = crossed_error(error)
    assert type(arrived) is cls
    assert (str(arrived), arrived.code, arrived.detail_for_log) == ("it is wrong", "VM.1010", "only for the log")
    assert arrived.to_wire() == error.to_wire()


def test_the_fields_of_a_wrong_request_cross() -> None:
    wrong = InvalidArgument("no", faults=(Fault("name", "too long"), Fault("size", "too small")))
    full = InsufficientCapacity("full", rejections=({"host": "h", "filter": "memory"},))
    one, two = crossed_error(wrong), crossed_error(full)
    assert isinstance(one, InvalidArgument)
    assert isinstance(two, InsufficientCapacity)
    assert (one.faults, two.rejections) == (wrong.faults, full.rejections)


def test_an_error_of_a_class_that_is_unknown_here_is_internal() -> None:
    arrived = unpack_error(PackedError(cls="gone:GoneError", details="text", code="SYS.1006"))
    assert (type(arrived), arrived.code) == (Internal, "SYS.1006")
