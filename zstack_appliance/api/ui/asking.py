"""What the script of a tab asks for while its page is open, such as a ticket to a console: `ask_part`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from zstack_appliance.api.ui.nouns import Noun
from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.kernel.derive.form import acted_field
from zstack_appliance.kernel.errors import NotFound
from zstack_appliance.kernel.validate import decode


async def ask_part(visit: Visit, noun: Noun, slug: str, pairs: Sequence[tuple[str, str]]) -> Response:
    """Call the API that a tab names, for the row of its page, as this person; its answer as JSON.

    Raises:
        NotFound: the tab asks for nothing.
        CloudError: what the API is refused with; scripts go by the status.
    """
    tab = next((tab for tab in noun.looks.tabs if tab.slug == slug and tab.asks), None)
    if tab is None:
        raise NotFound(f"{noun.many} have no page {slug[:50]} that asks for anything; go back to the overview")
    message = visit.nouns.messages[tab.asks]
    field = acted_field(message, noun.cls)
    assert field is not None, f"{tab.asks} acts on none of {noun.many}"
    uuid = next((value for key, value in pairs if key == "uuid"), "")
    visit.inside.portal.authorise(message, visit.principal)
    typed = decode(message, {**tab.given, field.wire: uuid})
    reply = await visit.inside.portal.serve(typed, visit.principal)
    body = msgspec.json.encode(reply)
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})
