"""Which API a method and a path mean."""

from __future__ import annotations

import pytest

from tests.api.things import (
    THINGS,
    BreakThing,
    CreateThing,
    GetBroken,
    MeasureThing,
    RefuseThing,
    ShelveThing,
    Thing,
    UpdateThing,
    WaitForThing,
)
from zstack_appliance.kernel.derive.route import CallRoute, Misfit, QueryRoute, Routes, Slot
from zstack_appliance.kernel.message import ANY, Read, Request, api
from zstack_appliance.kernel.plugin import handler_of
from zstack_appliance.kernel.schema import Uuid

ROUTES = Routes((handler_of(entry).message for entry in THINGS.handlers), THINGS.resources)


def slot(path: str) -> Slot:
    found = ROUTES.find(path)
    assert found is not None, path
    return found.slot


def message(path: str, method: str, *keys: str) -> type[Request[object]] | Misfit:
    route = slot(path).pick(method, keys)
    return route.message if isinstance(route, CallRoute) else Misfit(route)


def test_a_path_has_one_api_per_method_and_many_actions() -> None:
    assert message("/things", "POST") is CreateThing
    query = slot("/things").pick("GET", ())
    assert isinstance(query, QueryRoute)
    assert query.resource is Thing
    assert message("/things/1/actions", "PUT", "updateThing") is UpdateThing
    assert message("/things/1/actions", "PUT", "systemTags", "waitForThing") is WaitForThing
    assert message("/things/1/actions", "PUT", "refuseThing") is RefuseThing


def test_what_fits_nothing_says_why() -> None:
    assert ROUTES.find("/nothing") is None
    assert ROUTES.find("/things/1/actions/more") is None
    assert slot("/things").pick("DELETE", ()) is Misfit.METHOD
    assert slot("/things").pick("PUT", ("params",)) is Misfit.METHOD
    assert slot("/things/1/actions").pick("GET", ()) is Misfit.METHOD
    assert slot("/things/1/actions").pick("PUT", ("params",)) is Misfit.ACTION


def test_a_lone_api_takes_any_method() -> None:
    for method in ("POST", "PUT", "GET", "DELETE"):
        assert message("/things/1/shelves/2", method) is ShelveThing


def test_a_literal_beats_a_template() -> None:
    assert message("/things/broken", "GET") is GetBroken
    found = ROUTES.find("/things/brokenly")
    assert found is not None
    assert found.values == ("brokenly",)


def test_slashes_count_once() -> None:
    for path in ("//things", "/things/", "/things//1//size"):
        assert ROUTES.find(path) is not None
    found = ROUTES.find("/things//1/shelves//top")
    assert found is not None
    assert found.values == ("1", "top")


def test_backing_out_of_a_literal_that_leads_nowhere() -> None:
    """``/things/broken/size`` is the size of a thing called broken, since no literal path goes there."""
    assert message("/things/broken/size", "GET") is MeasureThing


def test_variables_set_fields_in_order() -> None:
    route = slot("/things/1/shelves/2").pick("POST", ())
    assert isinstance(route, CallRoute)
    assert route.fields == ("thingUuid", "shelf")
    assert route.wire == "org.zstack.test.APIShelveThingMsg"


def test_templates_that_differ_in_names_are_one_slot_and_keep_their_own_names() -> None:
    @api(
        "PUT",
        "/things/{thingUuid}/actions",
        access=ANY,
        wire="x",
        aliases=("/old-things/{otherUuid}",),
        rename={"otherUuid": "thingUuid"},
    )
    class PolishThing(Request[None], frozen=True, kw_only=True):
        thing_uuid: Uuid

    routes = Routes((BreakThing, PolishThing), ())
    found = routes.find("/things/1/actions")
    assert found is not None
    picked = [found.slot.pick("PUT", (key,)) for key in ("breakThing", "polishThing")]
    assert [route.fields for route in picked if isinstance(route, CallRoute)] == [("uuid",), ("thingUuid",)]
    alias = routes.find("/old-things/7")
    assert alias is not None
    assert alias.slot.routes[0].fields == ("thingUuid",)


def test_two_apis_for_the_same_call_are_refused() -> None:
    @api("GET", "/things/{name}", access=ANY, sync=True, wire="x")
    class GetThing(Read[None], frozen=True, kw_only=True):
        name: str

    with pytest.raises(ValueError, match="the query of Thing and GetThing both answer GET at /things/"):
        Routes((GetThing,), (Thing,))


def test_a_variable_that_names_no_field_is_refused() -> None:
    @api("GET", "/things/{thing}/lid", access=ANY, sync=True, wire="x")
    class GetLid(Read[None], frozen=True, kw_only=True):
        thing_uuid: str

    with pytest.raises(TypeError, match="GetLid has no field thing"):
        Routes((GetLid,), ())


def test_requests_that_are_no_api_are_left_out() -> None:
    class Inner(Request[None], frozen=True, kw_only=True):
        pass

    assert Routes((Inner,), ()).all == ()
