"""What statements allow, and which statements are refused."""

from __future__ import annotations

import pytest

from tests.running import every_plugin
from zstack_appliance.cloud.account.messages import RenewSession, ShareResource
from zstack_appliance.cloud.account.policies import always_allowed, is_allowed, matches, statement_faults
from zstack_appliance.cloud.account.user_messages import CreateUser, GetResourceAccount
from zstack_appliance.cloud.account.user_schema import Effect, PolicyStatement
from zstack_appliance.kernel.plugin import handler_of

START = "org.zstack.header.vm.APIStartVmInstanceMsg"
SERVED = [handler_of(entry).message for plugin in every_plugin() for entry in plugin.handlers]


def says(effect: Effect, *actions: str) -> PolicyStatement:
    return PolicyStatement(effect=effect, actions=actions)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        (START, True),
        (".header.vm.APIStartVmInstanceMsg", True),
        (".header.vm.**", True),
        (".header.vm.*", True),
        (".header.vm.APIStart*", True),
        ("**", True),
        (".**", True),
        (".header.*.APIStartVmInstanceMsg", True),
        (".header.*", False),
        (".header.vm.API", False),
        (".header.vmX**", False),
        ("org.zstack.header.vm.APIStartVmInstanceMsg2", False),
        ("orgXzstack.header.vm.**", False),
    ],
)
def test_patterns(pattern: str, *, meant: bool) -> None:
    assert matches(pattern, START) is meant


def test_what_nothing_allows_is_denied_and_deny_wins() -> None:
    assert not is_allowed(START, [])
    assert is_allowed(START, [says(Effect.ALLOW, ".header.image.**", ".header.vm.**")])
    assert not is_allowed(START, [says(Effect.ALLOW, "**"), says(Effect.DENY, ".header.vm.APIStart*")])
    assert not is_allowed(START, [says(Effect.DENY, "**")])


def test_looking_and_looking_after_oneself_need_no_policy() -> None:
    assert always_allowed(GetResourceAccount)
    assert always_allowed(RenewSession)
    assert not always_allowed(ShareResource)
    assert not always_allowed(CreateUser)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (says(Effect.ALLOW, ".header.vm.**"), None),
        (PolicyStatement(effect=Effect.ALLOW, actions=("**",), resources=("*",)), None),
        (says(Effect.ALLOW), "needs actions"),
        (says(Effect.ALLOW, ".header.vm.**", "instance:*"), r"action[instance:*] means no API"),
        (says(Effect.DENY, ".header.vm.APIQueryVmInstanceMsg"), "all may look"),
        (PolicyStatement(effect=Effect.ALLOW, actions=("**",), principals=("user:x",)), "principals are not served"),
        (PolicyStatement(effect=Effect.ALLOW, actions=("**",), resources=("x",)), "single resources are not served"),
    ],
)
def test_what_a_policy_may_say(statement: PolicyStatement, words: str | None) -> None:
    faults = list(statement_faults([statement], SERVED))
    assert [words in fault.text for fault in faults if words] == ([True] if words else [])
    assert bool(faults) is (words is not None)
