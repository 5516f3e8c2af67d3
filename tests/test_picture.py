"""What a terminal showed becomes a picture that stands by itself."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from tests.picture import PICTURE, draw


def pieces(picture: str) -> list[tuple[float, str]]:
    """Where each piece of text begins, and what it says."""
    found = ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    said = [(float(text.get("x", "0")), text.text or "") for text in found if text.get("textLength")]
    return [(x, words) for x, words in said if words != "\n"]


def test_text_stands_where_the_terminal_had_it() -> None:
    """Leading spaces become a distance; a cell is 12.2 wide at rich's 20 px letters."""
    shown = pieces(draw("first\r\n   a < b\r\n"))
    assert shown == [(0.0, "first"), (36.6, "a\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}b")]


def test_nothing_is_fetched_from_elsewhere() -> None:
    """Neither a new picture nor the committed one makes its viewer load anything."""
    for picture in (draw("text"), PICTURE.read_text(encoding="utf-8")):
        assert not re.search(r"url\([\"']?https?:|href=", picture)
