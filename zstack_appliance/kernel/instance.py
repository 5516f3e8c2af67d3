"""Which appliance this is: `Instance`, whose id marks everything that it makes on a host."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instance:
    """This appliance.

    Args:
        id: six hexadecimal digits, drawn at first start and kept in the data folder.
    """

    id: str
