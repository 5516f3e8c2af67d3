"""What a proof does not compare, and why. Nothing else is left out anywhere.

Primitives: `TABLES`, `COLUMNS`, `IMAGE_CACHE`, `KEPT_OF_STOPPED_VMS` and `NAMED_BY_CONTENT`.
"""

from __future__ import annotations

from collections.abc import Mapping

TABLES: Mapping[str, str] = {
    "job": "the call itself, which stays to be asked about",
    "flow_run": "the journal, which stays as history",
    "kernel_meta": "the number of the last commit, which only grows",
    "audit": "who called what, which stays to be asked about",
    "kernel_change": "the history of what was done and undone",
    "kernel_change_of": "its index",
    "kernel_sequence": "numbers that were drawn are never drawn again",
    "management_node": "the heart beat of this node",
    "session": "who was logged in meanwhile",
    "image_cache": "an image in the cache stays for the next VM",
}

COLUMNS: Mapping[str, str] = {
    "create_date": "dates of an undisturbed and a disturbed run differ by the time that the disturbance took",
    "last_op_date": "a row that was changed and changed back has been touched",
}

IMAGE_CACHE = "/imagecache/"
"""Files below such a folder stay for the next VM; the bytes that they take are added to the free ones again."""

KEPT_OF_STOPPED_VMS = ("domain", "vm")
"""A host may or may not remember how a VM that is Stopped was defined: its next start defines it anew, whole."""

NAMED_BY_CONTENT: Mapping[str, tuple[str, ...]] = {
    "namespace_router": ("l3_network_uuid",),
    "used_ip": ("l3_network_uuid", "ip"),
}
"""Rows that are made anew when a service comes back, so that their uuid may be another one; nobody outside
knows it. They, and what refers to them, are compared by these columns instead."""
