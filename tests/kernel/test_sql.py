from __future__ import annotations

from tests.kernel.small_cloud import Host, KvmHost
from zstack_appliance.kernel.sql import (
    EVERYTHING,
    NOTHING,
    Scope,
    Statement,
    all_of,
    any_of,
    member,
    outermost,
    select,
)

A = Statement("a = ?", (1,), selective=True)
B = Statement("b = ?", (2,))


def test_conditions_are_joined_in_the_order_of_their_bindings() -> None:
    assert all_of((A, B)) == Statement("(a = ? AND b = ?)", (1, 2), selective=True)
    assert any_of((B, A)) == Statement("(b = ? OR a = ?)", (2, 1))


def test_one_condition_stands_for_itself_and_none_for_all_or_nothing() -> None:
    assert all_of((A,)) == any_of((A,)) == A
    assert all_of(()) == EVERYTHING
    assert any_of(()) == NOTHING


def test_few_rows_need_one_selective_term_of_and_but_all_of_or() -> None:
    assert all_of((A, B)).selective
    assert not any_of((A, B)).selective
    assert any_of((A, A)).selective


def test_a_subtypes_scope_joins_its_bases_and_finds_each_column_in_its_table() -> None:
    scope = Scope(KvmHost, ((Host, "t0"), (KvmHost, "t1")))
    assert scope.source == '"host" t0 JOIN "kvm_host" t1 ON t1.uuid = t0.uuid'
    assert scope.column("name") == 't0."name"'
    assert scope.column("uuid") == 't0."uuid"'
    assert scope.column("ssh_port") == 't1."ssh_port"'


def test_a_sub_select() -> None:
    inner = select("uuid", outermost(Host), A)
    assert member("x", "IN", inner, selective=True) == Statement(
        'x IN (SELECT uuid FROM "host" "host" WHERE a = ?)', (1,), selective=True
    )
