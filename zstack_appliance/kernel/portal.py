"""Between every door and every handler: who may call, what the request names, which tags it brings.

Primitive: `Portal.serve`, the only way from outside to a handler. The order is ZStack's: session and rights,
then the resources that the request names, then the tags; the fields themselves were checked by decoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from zstack_appliance.kernel.absent import refuse_missing
from zstack_appliance.kernel.calls import acted_on, changes_something
from zstack_appliance.kernel.cascade import Cascade
from zstack_appliance.kernel.cloud import Cloud, Kernel
from zstack_appliance.kernel.errors import Forbidden, InvalidArgument, NotFound, Unauthenticated, refuse
from zstack_appliance.kernel.message import Access, Create, Delete, DeleteMode, Read, Request, api_of, wire_name
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Field, Record, Ref, describe, fields_of, root_of
from zstack_appliance.kernel.sharing import sees
from zstack_appliance.kernel.unserved import unserved

if TYPE_CHECKING:
    from zstack_appliance.kernel.audit import Audits, Noted


class TagRules(Protocol):
    """Judges the tags that a request brings, before anything is done."""

    def check(self, message: Request[Any], cloud: Cloud) -> None:
        """Raise an `InvalidArgument` for a system tag that no pattern accepts."""


class Rights(Protocol):
    """Knows what those may do who act for an account and are not it."""

    def refuse(self, message: type[Request[Any]], principal: Principal) -> None:
        """Raise a `Forbidden` for an API that such a principal may not call."""


class Portal:
    """Serves API requests on behalf of principals.

    Args:
        kernel: the node.
        tags: the rules that tags are checked by.
        rights: knows what users may call; without it there are none.
        audits: writes down calls that change something and are answered at once.
    """

    def __init__(
        self,
        kernel: Kernel,
        tags: Iterable[TagRules] = (),
        rights: Rights | None = None,
        audits: Audits | None = None,
    ) -> None:
        self.kernel = kernel
        self._audits = audits
        self._tags = tuple(tags)
        self._rights = rights

    async def serve(self, message: Request[Any], principal: Principal, job_uuid: str | None = None) -> Any:
        """Check a request, hand it to its handler, and give the handler's reply.

        Raises:
            InvalidArgument: it is no API, or brings tags that no pattern accepts.
            Unauthenticated: the API needs a session.
            Forbidden: the account may not call it, or not on this resource.
            NotFound: it names a resource that does not exist.
            CloudError: what the handler raises.
        """
        if job_uuid is not None or self._audits is None or not changes_something(type(message)):
            return await self._serve(message, principal, job_uuid)
        noted = self._audits.begin(message, principal)
        try:
            reply = await self._serve(message, principal, None, noted)
        except BaseException as error:
            self._audits.failed(noted, error)
            raise
        await self._audits.succeeded(noted, reply)
        return reply

    async def _serve(
        self, message: Request[Any], principal: Principal, job_uuid: str | None, noted: Noted | None = None
    ) -> Any:
        self.authorise(type(message), principal)
        refuse(*unserved(message))
        if isinstance(message, Delete) and self._is_gone(message):
            return None
        self._check_references(message, principal)
        if isinstance(message, Create) and message.resource_uuid is None:
            # Known from the start, so that the new resource's queue is held while it is made.
            message = msgspec.structs.replace(message, resource_uuid=self.kernel.entropy.uuid())
        cloud = Cloud(self.kernel, principal, job_uuid, wire_name(type(message)), noted)
        for rules in self._tags:
            rules.check(message, cloud)
        return await cloud.call(message)

    async def preview(self, message: Delete, principal: Principal) -> list[dict[str, str]]:
        """What a deletion would do, in order: the rows that the principal may see, as a dry run answers them.

        Raises:
            CloudError: what `serve` would raise before it changes anything.
        """
        self.authorise(type(message), principal)
        ref = next((f.ref for f in fields_of(type(message)) if f.name == "uuid"), None)
        store = self.kernel.store
        row = store.reader.anything(message.uuid) if ref is None else store.get(ref.target, message.uuid)
        if row is None:
            return []
        self._check_references(message, principal)
        cloud = Cloud(self.kernel, principal)
        effects = await cloud.use(Cascade).preview(row, message.delete_mode, cloud)
        return [
            effect.to_wire()
            for effect in effects
            if root_of(type(effect.row)).options.path is not None
            and self.visible(type(effect.row), effect.row.uuid, principal)
        ]

    def authorise(self, message: type[Request[Any]], principal: Principal) -> None:
        """Whether this principal may call this API at all. Doors ask before they decode its parameters.

        Raises:
            InvalidArgument: it is no API.
            Unauthenticated: it needs a session and there is none.
            Forbidden: it is for administrators, or no policy allows it to the user.
        """
        declared = api_of(message)
        if declared is None:
            raise InvalidArgument(f"{message.__name__} is not callable from outside")
        if not declared.session:
            return
        if not principal.account_uuid:
            raise Unauthenticated("Session expired or unknown; log in and send the new session's uuid")
        if declared.access is Access.ADMIN and not principal.admin:
            raise Forbidden(f"only an administrator may call {wire_name(message)}")
        if principal.user_uuid is not None:
            if self._rights is None:
                raise Forbidden("users are not served here; log in as the account")
            self._rights.refuse(message, principal)

    def _is_gone(self, message: Delete) -> bool:
        """Whether a delete names a well-formed uuid of nothing: what is gone counts as deleted."""
        ref = next((f.ref for f in fields_of(type(message)) if f.name == "uuid"), None)
        if ref is None:
            return False
        return self.kernel.store.get(ref.target, message.uuid) is None

    def _check_references(self, message: Request[Any], principal: Principal) -> None:
        for field in fields_of(type(message)):
            if field.ref is not None:
                self._check_reference(message, field, field.ref, principal)

    def _check_reference(self, message: Request[Any], field: Field, ref: Ref, principal: Principal) -> None:
        value = getattr(message, field.name)
        if value is None:
            return
        many = not isinstance(value, str)
        for uuid in value if many else (value,):
            row = self.kernel.store.get(ref.target, uuid)
            if row is None or not self.visible(type(row), uuid, principal):
                raise _missing(field.wire, uuid, ref.target, many=many)
            if not self._usable(message, field, type(row), uuid, principal):
                raise Forbidden(f"account[{principal.account_uuid}] does not own resource[uuid:{uuid}]")
            plugin = self.kernel.store.missing_plugin(row)
            if plugin is not None and not _goes_without_plugin(message):
                raise refuse_missing(row, plugin)

    def visible(self, cls: type[Record], uuid: str, principal: Principal) -> bool:
        """Whether the principal may know that a row exists."""
        return sees(self.kernel.store, cls, uuid, principal)

    def _usable(self, message: Request[Any], field: Field, cls: type[Record], uuid: str, principal: Principal) -> bool:
        """Reading or referring needs sight alone; acting on a resource needs ownership."""
        if principal.admin or field.wire != acted_on(type(message)):
            return True
        return self.kernel.store.owner(cls, uuid) == principal.account_uuid


def _goes_without_plugin(message: Request[Any]) -> bool:
    """Whether a call may be about a row whose plugin is missing: it reads, or it deletes by force."""
    return isinstance(message, Read) or (isinstance(message, Delete) and message.delete_mode is DeleteMode.ENFORCING)


def _missing(field: str, uuid: str, target: type[Record], *, many: bool) -> NotFound:
    kind = describe(target).vo
    if not re.fullmatch(r"[0-9a-f]{32}", uuid):
        return NotFound(f"invalid value[{uuid}] of field[{field}]: a uuid has 32 lower-case hexadecimal digits")
    named = f"uuids:[{uuid}]" if many else f"uuid:{uuid}"
    return NotFound(f"invalid field[{field}], resource[{named}, type:{kind}] not found")
