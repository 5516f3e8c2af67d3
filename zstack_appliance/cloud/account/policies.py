"""What policies allow: pure decisions over statements and API classes.

Primitives: `is_allowed`, `statement_faults` and `always_allowed`. Whoever acts for an account may look at what
that sees, so that policies are about everything else. What no statement allows is denied.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from zstack_appliance.cloud.account.user_schema import Effect, PolicyStatement
from zstack_appliance.kernel.errors import Fault
from zstack_appliance.kernel.message import Access, Read, Request, api_of, wire_name

ROOT = "org.zstack"
OWN = frozenset({"APIRenewSessionMsg", "APIUpdateUserMsg"})
"""Calls by which a user looks after itself. Their handlers see to it that it is itself."""


def always_allowed(message: type[Request[Any]]) -> bool:
    """Whether every user may call an API: those that only look, and those that concern the user itself."""
    declared = api_of(message)
    assert declared is not None
    only_looks = declared.method == "GET" or issubclass(message, Read)
    return only_looks or not declared.session or wire_name(message).rpartition(".")[2] in OWN


def is_allowed(api: str, statements: Iterable[PolicyStatement]) -> bool:
    """Whether statements together allow an API, given by its full class."""
    effects = {each.effect for each in statements if any(matches(action, api) for action in each.actions)}
    return Effect.ALLOW in effects and Effect.DENY not in effects


def matches(pattern: str, api: str) -> bool:
    """Whether a pattern of actions means an API."""
    return _compiled(pattern).fullmatch(api) is not None


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    whole = f"{ROOT}{pattern}" if pattern.startswith(".") else pattern
    # ``**`` first, so that it is not taken for two single ones.
    parts = re.split(r"(\*\*|\*)", whole)
    meaning = {"**": ".*", "*": "[^.]*"}
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts))


def statement_faults(statements: Iterable[PolicyStatement], served: Iterable[type[Request[Any]]]) -> Iterator[Fault]:
    """What is wrong with the statements of a policy. An action that means nothing would mislead whoever wrote it."""
    acting = [wire_name(message) for message in served if _is_acting(message)]
    for statement in statements:
        if statement.principals:
            yield Fault("statements", "principals are not served; attach the policy to whom it is about")
        if statement.resources and set(statement.resources) != {"*"}:
            yield Fault("statements", "single resources are not served; leave resources out")
        if not statement.actions:
            yield Fault("statements", "a statement needs actions, such as .header.vm.**")
        for action in statement.actions:
            if not any(matches(action, api) for api in acting):
                yield Fault("statements", f"action[{action}] means no API that changes anything; all may look")


def _is_acting(message: type[Request[Any]]) -> bool:
    declared = api_of(message)
    return declared is not None and declared.access in Access and not always_allowed(message)
