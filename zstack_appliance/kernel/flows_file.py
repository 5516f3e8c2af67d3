"""``<data>/flows.toml``, by which an administrator puts steps of plugins into flows: `read_edits`.

::

    [[step]]
    use = "cost_center.refuse_over_budget"
    before = "vm_instance.start/allocate_host"     # or after = …, or instead_of = …
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Where
from zstack_appliance.kernel.offered import FlowEdit

FLOWS_FILE = "flows.toml"
"""In the data folder."""

_PLACES = {where.value: where for where in Where}
_FORM = 'write [[step]], use = "plugin.step", and one of before, after and instead_of = "flow/step"'


def read_edits(path: Path) -> tuple[FlowEdit, ...]:
    """What the file asks for, in its order; nothing where there is no file.

    Raises:
        Conflict: it cannot be read, or says something else; with the line and what to write instead.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise Conflict(f"{path} cannot be read: {error}; mend it, or move it away") from error
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Conflict(f"{path} is not TOML: {error}; {_FORM}") from error
    unknown = sorted(found.keys() - {"step"})
    if unknown:
        raise Conflict(f"{path}{_line(text, unknown[0])}: there is no key {unknown[0]!r}; {_FORM}")
    entries = found.get("step", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Conflict(f"{path}{_line(text, 'step')}: step is no list of tables; {_FORM}")
    places = _headings(text, len(entries))
    return tuple(_edit(entry, f"{path}{place}") for entry, place in zip(entries, places, strict=True))


def _edit(entry: dict[str, Any], source: str) -> FlowEdit:
    for key, value in entry.items():
        if key != "use" and key not in _PLACES:
            raise Conflict(f"{source}: there is no key {key!r}; {_FORM}")
        if not isinstance(value, str) or not value:
            raise Conflict(f"{source}: {key} = {value!r} is no text; {_FORM}")
    places = [key for key in entry if key in _PLACES]
    if "use" not in entry or len(places) != 1:
        given = ", ".join(entry) or "nothing"
        raise Conflict(f"{source}: this step has {given}; {_FORM}")
    return FlowEdit(entry["use"], _PLACES[places[0]], entry[places[0]], source)


def _headings(text: str, count: int) -> list[str]:
    """Where each entry begins; by its number alone where the file is written in another way."""
    lines = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*step\s*\]\]", line)]
    if len(lines) == count:
        return [f" line {line}" for line in lines]
    return [f" step {number}" for number in range(1, count + 1)]


def _line(text: str, key: str) -> str:
    pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}\b")
    return next((f" line {n}" for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), "")
