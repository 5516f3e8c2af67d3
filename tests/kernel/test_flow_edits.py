"""Steps of others in a flow: where they come to stand, and what is refused."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Context, Flow, Step, Where
from zstack_appliance.kernel.flow_edits import offers, with_edits
from zstack_appliance.kernel.offered import FlowEdit, OfferedStep
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.store import Tx


async def do(_context: Any, _cloud: Cloud) -> None: ...


def tx(_tx: Tx, _context: Any) -> None: ...


class HasVm(Protocol):
    vm: str


FLOW = Flow("thing.make", Context, lambda: (
    Step("record", tx=tx, undo_tx=tx),
    Step("mark", tx=tx, keeps="`build` takes it back", with_next=True),
    Step("build", do=do, undo=do),
    Step("burn", do=do, pivot=True),
    Step("forget", tx=tx),
))  # fmt: skip
OWNER = Plugin(name="thing", flows=(FLOW,))
OTHER = Plugin(
    name="rack",
    steps=(
        OfferedStep(Step("first", do=do, undo=do), fits=Context),
        OfferedStep(Step("second", tx=tx, undo_tx=tx), fits=Context),
        OfferedStep(Step("careless", do=do), fits=Context),
        OfferedStep(Step("pivot", do=do, pivot=True), fits=Context),
        OfferedStep(Step("of_vms", do=do, undo=do), fits=HasVm),
    ),
)


def before(use: str, at: str) -> FlowEdit:
    return FlowEdit(f"rack.{use}", Where.BEFORE, f"thing.make/{at}", "f line 1")


def after(use: str, at: str) -> FlowEdit:
    return FlowEdit(f"rack.{use}", Where.AFTER, f"thing.make/{at}", "f line 2")


def instead(use: str, at: str) -> FlowEdit:
    return FlowEdit(f"rack.{use}", Where.INSTEAD_OF, f"thing.make/{at}", "f line 3")


def plan(*edits: FlowEdit) -> str:
    """The names in their order; what only goes forward follows a bar."""
    [flow] = with_edits((OWNER, OTHER), edits)[0].flows
    placed = flow.plan()
    backward = [each.id.partition("/")[2] for each in placed if not each.forward_only]
    forward = [each.id.partition("/")[2] for each in placed if each.forward_only]
    assert [*backward, *forward] == [each.id.partition("/")[2] for each in placed]
    return f"{' '.join(backward)} | {' '.join(forward)}"


def test_nothing_to_edit() -> None:
    plugins = (OWNER, OTHER)
    assert with_edits(plugins) is plugins
    assert sorted(offers(plugins)) == ["rack.careless", "rack.first", "rack.of_vms", "rack.pivot", "rack.second"]


@pytest.mark.parametrize(
    ("edits", "wanted"),
    [
        ((before("first", "record"),), "rack.first record mark build | burn forget"),
        ((before("first", "burn"),), "record mark build rack.first | burn forget"),
        ((after("careless", "burn"),), "record mark build | burn rack.careless forget"),
        ((after("careless", "forget"),), "record mark build | burn forget rack.careless"),
        ((before("first", "mark"), before("second", "mark")), "record rack.first rack.second mark build | burn forget"),
        ((after("first", "build"), after("second", "build")), "record mark build rack.first rack.second | burn forget"),
        ((after("second", "mark"),), "record mark rack.second build | burn forget"),
        ((instead("first", "build"),), "record mark rack.first | burn forget"),
        ((instead("pivot", "burn"),), "record mark build | rack.pivot forget"),
        ((instead("first", "record"), after("second", "record")), "rack.first rack.second mark build | burn forget"),
    ],
)
def test_where_they_stand(edits: tuple[FlowEdit, ...], wanted: str) -> None:
    assert plan(*edits) == wanted


@pytest.mark.parametrize(
    ("edits", "text"),
    [
        ((before("frist", "record"),), "f line 1: no plugin offers a step 'rack.frist'; write rack.first"),
        ((before("first", "recrod"),), "f line 1: there is no step thing.make/recrod; write thing.make/record"),
        ((before("of_vms", "record"),), "rack.of_vms does not go into thing.make: it needs the field vm"),
        ((before("first", "record"), after("first", "burn")), "f line 2: two steps have one name"),
        ((before("careless", "build"),), "f line 1: step thing.make/rack.careless: give it an undo"),
        ((before("pivot", "burn"),), "f line 1: rack.pivot is a pivot, which can only stand instead of a pivot"),
        ((instead("pivot", "build"),), "rack.pivot is a pivot, and thing.make/build is none; replace the pivot"),
        ((instead("first", "burn"),), "thing.make/burn is the flow's pivot, and rack.first is none"),
        ((instead("first", "build"), instead("second", "build")), "thing.make/build is replaced already"),
        ((after("first", "mark"),), "nothing like that may follow thing.make/mark directly"),
        ((before("first", "build"),), "nothing like that may follow thing.make/mark directly"),
        ((after("second", "mark"), after("first", "mark")), "nothing like that may follow thing.make/mark directly"),
    ],
)
def test_what_is_refused(edits: tuple[FlowEdit, ...], text: str) -> None:
    with pytest.raises(Conflict) as refused:
        plan(*edits)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("record", "f: before = 'record' is no step; write a flow, a slash and a step"),
        ("thing.mak/record", "f: there is no flow thing.mak; write thing.make"),
        ("unlike/record", "f: there is no flow unlike; there are thing.make"),
    ],
)
def test_a_place_that_is_none(at: str, text: str) -> None:
    with pytest.raises(Conflict, match=text):
        with_edits((OWNER, OTHER), [FlowEdit("rack.first", Where.BEFORE, at, "f")])


def test_plugins_edit_too_and_come_first() -> None:
    eager = Plugin(
        name="rack",
        steps=OTHER.steps,
        flow_edits=(FlowEdit("rack.first", Where.BEFORE, "thing.make/record"),),
    )
    plugins = with_edits((OWNER, eager), [before("second", "record")])
    assert with_edits(plugins) is plugins
    names = [placed.step.name for placed in plugins[0].flows[0].plan()]
    assert names[:3] == ["rack.first", "rack.second", "record"]
    with pytest.raises(Conflict, match="plugin rack: there is no flow"):
        with_edits((eager,))
