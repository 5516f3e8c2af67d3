"""Which commands a resource has: `verbs_of` names its APIs, read from the declarations and nothing else."""

from __future__ import annotations

from typing import Any

from zstack_appliance.cli.declared import apis, words
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.message import Create, Delete, Request, resource_of
from zstack_appliance.kernel.schema import Field, Record, fields_of

_JOINTS = ("to", "from", "of")
"""Words that mean nothing at the end of a verb: ``AddDnsToL3Network`` is ``add-dns``."""

Api = type[Request[Any]]


def verbs_of(noun: type[Record]) -> dict[str, Api]:
    """Verb to API: ``start`` to `StartVmInstance`.

    A resource with one way to be made has it as ``create`` too, and what deletes it is ``delete`` as well,
    whatever ZStack calls them.
    """
    own = [message for message in apis() if _belongs(message, noun)]
    found = {verb_of(message, noun): message for message in own}
    makers = [message for message in own if issubclass(message, Create)]
    for verb, messages in (("create", makers), ("delete", [m for m in own if issubclass(m, Delete)])):
        if len(messages) == 1:
            found.setdefault(verb, messages[0])
    return dict(sorted(found.items()))


def verb_of(message: Api, noun: type[Record]) -> str:
    """What an API is called below its resource: its name without the resource's."""
    said = words(message.__name__)
    name = words(query_name(noun))
    for start in range(len(said)):
        if said[start : start + len(name)] == name:
            said = said[:start] + said[start + len(name) :]
            break
    else:
        said = [said[0], *(word for word in said[1:] if word not in name)]
    verb = [word.lower() for word in said]
    while len(verb) > 1 and verb[-1] in _JOINTS:
        verb.pop()
    if verb[0] == "get" and len(verb) > 1:
        verb = verb[1:]
    return "-".join(verb)


def object_of(message: Api, noun: type[Record]) -> Field | None:
    """The field that says which resource is acted on; None for what makes one, or names it otherwise."""
    if issubclass(message, Create):
        return None
    refs = [field for field in fields_of(message) if field.ref is not None and field.required]
    own = [field for field in refs if field.ref is not None and issubclass(noun, field.ref.target)]
    return next((field for field in own if field.name == "uuid"), own[0] if own else None)


def _belongs(message: Api, noun: type[Record]) -> bool:
    target = resource_of(message)
    return target is not None and issubclass(target, noun)
