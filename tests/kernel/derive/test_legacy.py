from __future__ import annotations

import pytest

from tests.api.things import CreateThing, GetBroken, MeasureThing, Thing
from tests.kernel.small_cloud import RESOURCES
from zstack_appliance.kernel.derive.legacy import CallMessage, QueryMessage, messages
from zstack_appliance.kernel.message import ADMIN, Create, Request, api


@api("POST", "/gadgets", access=ADMIN, wire="org.zstack.gadget", name="APIAddGadgetMsg", answer="org.zstack.X")
class CreateGadget(Create[Thing], frozen=True, kw_only=True):
    """An API with names of its own."""


class Internal(Request[None], frozen=True, kw_only=True):
    """No API."""


def test_what_is_done_at_once_is_answered_by_a_reply_and_a_job_by_an_event() -> None:
    table = messages([CreateThing, GetBroken, CreateGadget, Internal], [])
    assert {name: message.reply for name, message in table.items()} == {
        "org.zstack.test.APICreateThingMsg": "org.zstack.test.APICreateThingEvent",
        "org.zstack.test.APIGetBrokenMsg": "org.zstack.test.APIGetBrokenReply",
        "org.zstack.gadget.APIAddGadgetMsg": "org.zstack.X",
    }
    call = table["org.zstack.gadget.APIAddGadgetMsg"]
    assert isinstance(call, CallMessage)
    assert call.message is CreateGadget


def test_what_rest_queries_is_queried_by_message_too() -> None:
    table = messages([], RESOURCES)
    query = table["org.zstack.header.zone.APIQueryZoneMsg"]
    assert isinstance(query, QueryMessage)
    assert query.reply == "org.zstack.header.zone.APIQueryZoneReply"
    assert "org.zstack.header.network.l3.APIQueryL3NetworkDnsMsg" not in table


def test_two_messages_of_one_class_are_refused() -> None:
    @api("GET", "/elsewhere", access=ADMIN, wire="org.zstack.test", name="APIMeasureThingMsg")
    class Twin(Request[None], frozen=True, kw_only=True):
        """Called as another API is."""

    with pytest.raises(ValueError, match="APIMeasureThingMsg"):
        messages([MeasureThing, Twin], [])
