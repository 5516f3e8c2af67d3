"""The files of the pages: all that the script imports is there, and is asked for at once."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from tests.api.ui.site import WEB
from zstack_appliance.api.ui.static import MODULES, Static

LONGEST = 120
"""Lines of one part of the script. What grows beyond it has more than one job."""


def imported(path: str) -> set[str]:
    """The files that a script names, by their paths below ``static``."""
    text = (WEB / "static" / path).read_text()
    found = re.findall(r'(?:from|import) "(\./[^"]+)"', text)
    return {str(PurePosixPath(path).parent / PurePosixPath(name)) for name in found}


def test_a_browser_is_told_of_every_part_of_the_script_and_of_nothing_else() -> None:
    todo, seen = ["app.js"], set[str]()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += imported(path)
    static = Static(WEB, "/ui/static")
    assert [static.url(path) for path in sorted(seen - {"app.js"})] == list(static.modules)
    assert len(static.modules) > 10


def test_each_part_of_the_script_has_one_job() -> None:
    parts = [*(WEB / "static" / MODULES).iterdir(), WEB / "static" / "app.js"]
    assert [path.name for path in parts if len(path.read_text().splitlines()) > LONGEST] == []
    assert [path.name for path in parts if not path.read_text().startswith("// ")] == []


def test_another_content_has_other_addresses(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "app.js").write_text("1")
    before = Static(tmp_path, "/s").url("app.js")
    (folder / "app.js").write_text("2")
    assert Static(tmp_path, "/s").url("app.js") != before
