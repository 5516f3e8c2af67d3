"""The templates below ``webui/templates``: `make_environment`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup, escape

from zstack_appliance.api.ui import values, words
from zstack_appliance.api.ui.names import into
from zstack_appliance.api.ui.nouns import verb_of
from zstack_appliance.api.ui.operations import subject_of
from zstack_appliance.api.ui.static import Static
from zstack_appliance.kernel.derive.form import Shown
from zstack_appliance.kernel.message import Delete, Request, api_of


def make_environment(root: Traversable, static: Static) -> jinja2.Environment:
    """Templates with escaping on, and every unknown name an error.

    Args:
        root: the folder ``webui``, or the same inside an archive.
        static: gives the addresses of files.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_reader(root / "templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "label": words.label,
        "spaced": words.spaced,
        "inside": words.inside,
        "tone": values.tone,
        "bytes": values.bytes_text,
        "counted": values.counted,
        "exact_bytes": values.exact_bytes,
        "plain": values.plain,
        "breakable": values.breakable,
        "outlined": values.outlined,
        "moment": values.moment,
        "seconds": values.seconds_text,
        "verb": verb_of,
        "prose": prose,
    }
    environment.tests["deleting"] = lambda message: issubclass(message, Delete)
    environment.globals |= {
        "static": static.url,
        "modules": static.modules,
        "into": into,
        "heading": heading,
        "keys_of": key_query,
        "subject_of": subject_of,
    }
    return environment


def heading(row: Mapping[str, Any], column: Shown) -> str:
    """What stands for a row in its first column: in words, where the column is a name of the API's."""
    text = values.plain(row.get(column.wire))
    if column.wire == "api":
        return words.api_words(text)
    return text or str(row.get("uuid", ""))[:8]


def key_query(message: type[Request[Any]], row: Mapping[str, Any]) -> str:
    """The row's own fields that an API names it by, for the address of its form."""
    declared = api_of(message)
    names = re.findall(r"\{(\w+)\}", declared.path) if declared is not None else []
    return urlencode([(name, str(row.get(name, ""))) for name in names])


def prose(text: str) -> Markup:
    """A docstring as people read it: names in backticks become code, spelled as on the wire."""
    return Markup(_CODE.sub(_as_code, str(escape(text))))  # noqa: S704 — escaped before anything is added


_CODE = re.compile(r"(`{1,2})([^`]+)\1")


def _as_code(found: re.Match[str]) -> str:
    first, *rest = found.group(2).split("_")
    name = first + "".join(word[:1].upper() + word[1:] for word in rest)
    return f"<code>{name}</code>"


def _reader(folder: Traversable) -> Callable[[str], str | None]:
    def read(name: str) -> str | None:
        file = folder.joinpath(*name.split("/"))
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return read
