from __future__ import annotations

import pytest

from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.zql.lexer import Kind, tokens


def read(text: str) -> list[tuple[Kind, str]]:
    return [(token.kind, token.text) for token in tokens(text)]


def test_a_text_is_cut_into_words() -> None:
    assert read("query vm.uuid where\n a>=-1.5 and b != 'x y'") == [
        (Kind.NAME, "query"),
        (Kind.NAME, "vm"),
        (Kind.SIGN, "."),
        (Kind.NAME, "uuid"),
        (Kind.NAME, "where"),
        (Kind.NAME, "a"),
        (Kind.SIGN, ">="),
        (Kind.NUMBER, "-1.5"),
        (Kind.NAME, "and"),
        (Kind.NAME, "b"),
        (Kind.SIGN, "!="),
        (Kind.TEXT, "x y"),
        (Kind.END, ""),
    ]


def test_one_kind_of_quote_may_stand_between_the_other() -> None:
    assert read("""'say "a"' "it's" """)[:2] == [(Kind.TEXT, 'say "a"'), (Kind.TEXT, "it's")]


def test_a_name_may_begin_with_a_digit() -> None:
    assert read("2nd 3")[:2] == [(Kind.NAME, "2nd"), (Kind.NUMBER, "3")]


def test_only_names_and_signs_are_keywords() -> None:
    assert [token.word for token in tokens("WHERE = 'where' 1")] == ["where", "=", "", "", ""]


@pytest.mark.parametrize(("text", "words"), [("a = %", r"character 5: \[%\]"), ("a = 'x", "character 5.*close the")])
def test_what_is_no_word(text: str, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        read(text)
