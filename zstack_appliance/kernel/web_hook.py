"""Who wants to be told of the end of a job: `WebHook`, one row for each job that was asked for with a web hook.

It is written down with the job and becomes due in the commit that ends it, so that nothing that ends is forgotten.
Sending is for others (`cloud/web_hook`).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.schema import HIDDEN, SECRET, TIMESTAMP, Millis, Record, Uuid, resource

if TYPE_CHECKING:
    from zstack_appliance.kernel.store import Tx

LONGEST_URL = 2048


class HookState(enum.Enum):
    """Waiting (for its job's end) → Due → Delivered, or GivenUp after too many tries."""

    WAITING = "Waiting"
    DUE = "Due"
    DELIVERED = "Delivered"
    GIVEN_UP = "GivenUp"


@resource(
    wire="org.zstack.appliance",
    path="/appliance/web-hooks",
    owned=True,
    journal=True,
    unique=(("job_uuid",),),
    indexes=(("state", "next_try"),),
)
class WebHook(Record, frozen=True, kw_only=True):
    """A URL that is told of the end of a job."""

    job_uuid: Uuid
    url: Annotated[str, SECRET]
    """Whatever is secret in it stays so."""
    host: str
    """The URL's host and port, which may be shown."""
    state: HookState
    tries: int
    next_try: Annotated[Millis, HIDDEN]
    """When it may be sent next."""
    delivered_date: Annotated[Millis | None, TIMESTAMP] = None
    error: str | None = None
    """Why the last try failed."""


def host_of(url: str) -> str:
    """The host and port of a web hook's URL.

    Raises:
        InvalidArgument: it is no URL that can be called.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or len(url) > LONGEST_URL or not url.isprintable():
        raise InvalidArgument(
            f"X-Web-Hook takes an http or https URL of at most {LONGEST_URL} characters,"
            " such as https://example.com/hook"
        )
    return host if port is None else f"{host}:{port}"


def ask(tx: Tx, uuid: str, job_uuid: str, url: str, *, due: bool = False) -> None:
    """Note in a job's own commit who wants to be told of its end.

    Args:
        tx: the commit.
        uuid: of the new row.
        job_uuid: the job's.
        url: whom to tell.
        due: whether the job has ended already.
    """
    state = HookState.DUE if due else HookState.WAITING
    tx.insert(
        WebHook(
            uuid=uuid,
            create_date=0,
            last_op_date=0,
            job_uuid=job_uuid,
            url=url,
            host=host_of(url),
            state=state,
            tries=0,
            next_try=tx.now,
        )
    )


def job_ended(tx: Tx, job_uuid: str) -> None:
    """Make a job's web hook due, if it has one, in the commit that ends the job."""
    for hook in tx.find(WebHook, job_uuid=job_uuid):
        if hook.state is HookState.WAITING:
            tx.update(hook, state=HookState.DUE, next_try=tx.now)
