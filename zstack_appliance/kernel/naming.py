"""Names of tables from names of classes: `snake`."""

from __future__ import annotations


def snake(name: str) -> str:
    """``L3NetworkDns`` to ``l3_network_dns``: an underscore before each capital that starts a word."""
    out: list[str] = []
    for index, char in enumerate(name):
        if char.isupper() and index > 0 and (not name[index - 1].isupper() or _next_is_lower(name, index)):
            out.append("_")
        out.append(char.lower())
    return "".join(out)


def _next_is_lower(name: str, index: int) -> bool:
    return index + 1 < len(name) and name[index + 1].islower()
