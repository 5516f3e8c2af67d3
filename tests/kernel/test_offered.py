"""Which contexts an offered step fits."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.flow import Context, Step
from zstack_appliance.kernel.offered import OfferedStep, misfit


class Counted(Context):
    count: int
    note: str | None = None


class Recounted(Counted):
    again: int = 0


class HasCount(Protocol):
    count: int


class HasPlace(Protocol):
    place: str


class HasNote(Protocol):
    note: str


class MayHaveNote(Protocol):
    note: str | int | None


async def do(_context: Any, _cloud: Cloud) -> None: ...


def test_a_sub_flow_is_not_offered() -> None:
    with pytest.raises(ValueError, match="step sub has steps of its own; offer each of them"):
        OfferedStep(Step("sub", steps=(Step("a", do=do, undo=do),)), fits=Context)


@pytest.mark.parametrize("fits", [Context, Counted, HasCount, MayHaveNote])
def test_it_fits(fits: type[Any]) -> None:
    assert misfit(Counted, fits) is None


@pytest.mark.parametrize(
    ("fits", "text"),
    [
        (Recounted, "it takes a Recounted, and that flow has Counted"),
        (HasPlace, "it needs the field place, and Counted has count, note"),
        (HasNote, "it needs the field note to be str, and in Counted it is str | None"),
    ],
)
def test_it_does_not_fit(fits: type[Any], text: str) -> None:
    assert misfit(Counted, fits) == text
