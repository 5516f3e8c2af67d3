"""Every error a caller can meet. Reuse one; a new class needs a caller who would treat it differently.

    CloudError
     ├─ InvalidArgument        the request is wrong by itself; sending it again cannot help
     ├─ Unauthenticated        no session, an unknown one, or an expired one
     ├─ Forbidden              the session is good, but this account may not do this
     ├─ NotFound               a resource that the request names does not exist
     ├─ Conflict               the resource exists, but its state, a twin or a dependant forbids it now
     ├─ InsufficientCapacity   nothing has room; the details list each candidate and why it was passed over
     ├─ Unavailable            something the work needs is down or did not answer in time; try again
     └─ Internal               a defect of ours, or of a host; the operator reads the log

`Fault` is one wrong field and `refuse` turns faults into an `InvalidArgument`, all of them at once.
`ErrorCode` is what travels: ZStack's JSON shape. HTTP statuses are decided by the doors, never here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec


class ErrorCode(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An error as ZStack's clients know it. Null members are absent on the wire."""

    code: str
    description: str | None = None
    details: str | None = None
    elaboration: str | None = None
    location: str | None = None
    cost: str | None = None
    cause: ErrorCode | None = None
    opaque: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field of a request: its wire name and what to send instead."""

    field: str
    text: str


class CloudError(Exception):
    """Base of all of them.

    Args:
        details: for the operator: what is wrong and what to do about it.
        code: a more precise ZStack code than the class's own, such as ``VM.1010``.
        detail_for_log: what only the log should hold.
        opaque: machine-readable extras that travel with the error.
    """

    code = "SYS.1000"

    def __init__(
        self,
        details: str,
        *,
        code: str | None = None,
        detail_for_log: str = "",
        opaque: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(details)
        self.details = details
        self.code = code or type(self).code
        self.detail_for_log = detail_for_log
        self.opaque = opaque

    def to_wire(self) -> ErrorCode:
        """This error and the chain of errors that it was raised from."""
        cause = self.__cause__
        return ErrorCode(
            code=self.code,
            description=DESCRIPTIONS.get(self.code),
            details=self.details,
            cause=cause.to_wire() if isinstance(cause, CloudError) else None,
            opaque=self.opaque,
        )


class InvalidArgument(CloudError):
    """The request is wrong by itself. `faults` holds every wrong field, the details the first of them."""

    code = "SYS.1007"

    def __init__(self, details: str, *, faults: tuple[Fault, ...] = (), code: str | None = None) -> None:
        opaque = {"fields": {fault.field: fault.text for fault in faults}} if faults else None
        super().__init__(details, code=code, opaque=opaque)
        self.faults = faults


class Unauthenticated(CloudError):
    """The session is missing, unknown or expired; log in again."""

    code = "ID.1001"


class Forbidden(CloudError):
    """The account may not do this, or has used up its quota (code ``ID.1003``)."""

    code = "ID.1002"


class NotFound(CloudError):
    """A resource that the request names does not exist, or is not the caller's to see."""

    code = "SYS.1003"


class Conflict(CloudError):
    """The state of things forbids the operation now; the details say which state would allow it."""

    code = "SYS.1006"


class InsufficientCapacity(CloudError):
    """No candidate has room. `rejections` names each one, the filter that rejected it and the numbers."""

    code = "HOST_ALLOCATION.1000"

    def __init__(self, details: str, *, rejections: tuple[dict[str, str], ...] = (), code: str | None = None) -> None:
        super().__init__(details, code=code, opaque={"rejections": list(rejections)} if rejections else None)
        self.rejections = rejections


class Unavailable(CloudError):
    """Something is down, overloaded or too slow; the same request may succeed later."""

    code = "SYS.1001"


class Internal(CloudError):
    """A defect, ours or a host's. You do not get it for bad input or for a resource in the wrong state."""

    code = "SYS.1000"


def refuse(*faults: Fault | None) -> None:
    """Raise one `InvalidArgument` for all the faults that are not None; do nothing without any.

    Raises:
        InvalidArgument: its details are the first fault's text, its `faults` all of them.
    """
    found = tuple(fault for fault in faults if fault is not None)
    if found:
        raise InvalidArgument(found[0].text, faults=found)


def not_found(kind: str, uuid: str) -> NotFound:
    """The error for a uuid that names nothing, in the words that ZStack's clients search for."""
    return NotFound(f"resource[uuid:{uuid}, type:{kind}] not found; check the uuid, it may have been deleted")


DESCRIPTIONS = {
    "SYS.1000": "An internal error happened in system",
    "SYS.1001": "A message or a operation timeout",
    "SYS.1002": "Unable to create a resource",
    "SYS.1003": "A resource can not be found",
    "SYS.1004": "Unable to delete a resource",
    "SYS.1005": "Unable to change resource state",
    "SYS.1006": "An operation failed",
    "SYS.1007": "One or more API argument is invalid",
    "SYS.1008": "Unknown message, no service can deal with the message",
    "SYS.1010": "Management server is not ready to serve",
    "SYS.1017": "A message or a operation cancelled",
    "ID.1000": "Unable to authenticate a user",
    "ID.1001": "The session is invalid, either wrong session id or the session has been expired",
    "ID.1002": "The user doesn't have permission to perform the operation",
    "ID.1003": "The user exceeds a quota of a resource",
    "ID.1006": "Max number of active sessions exceeded",
    "HOST.1000": "Unable to add host",
    "HOST.1003": "An error happened when connecting to host",
    "HOST.1005": "Failed to start vm on hypervisor",
    "HOST.1006": "Failed to stop vm on hypervisor",
    "HOST.1010": "This host is disconnected, cannot perform the required operation",
    "HOST_ALLOCATION.1000": "No available host found",
    "BS.1000": "Unable to download an image to backup storage",
    "BS.1003": "Unable to allocate a backup storage",
    "PS.1000": "Unable to allocate a primary storage that has available space for required volume",
    "L3.1000": "Unable to allocate an ip address from L3Network",
    "TAG.1000": "Duplicated tag.",
    "VM.1000": "Unable to create a new vm",
    "VM.1001": "Unable to start a vm",
    "VM.1002": "Unable to stop a vm",
    "VM.1003": "Unable to reboot a vm",
    "VM.1004": "Unable to destroy a vm",
    "VM.1010": "VM is not in state that allows required operation",
}
"""ZStack's fixed text per code, for the codes that this version raises."""
