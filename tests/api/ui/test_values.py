"""How single values read, and are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zstack_appliance.api.ui.values import (
    breakable,
    bytes_text,
    counted,
    exact_bytes,
    moment,
    outlined,
    plain,
    read_bytes,
    seconds_text,
    tone,
)


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("Running", "good"), ("Connected", "good"), ("Starting", "busy"), ("Reconnecting", "busy"),
        ("Stopped", "idle"), ("Disabled", "idle"), ("Unknown", "warn"), ("Destroyed", "warn"), ("Failed", "bad"),
        ("Disconnected", "bad"), ("SomethingNew", "idle"), (None, "idle"),
    ],
)  # fmt: skip
def test_a_state_has_a_tone_by_its_word(state: object, meaning: str) -> None:
    assert tone(state) == meaning


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (2**30, "1 GiB"), (-(2**31), "-2 GiB"), ("x", "x")],
)
def test_bytes_have_a_unit(value: object, text: str) -> None:
    assert bytes_text(value) == text


@given(st.integers(min_value=0, max_value=2**62))
def test_what_a_form_shows_of_bytes_is_read_back_exactly(value: int) -> None:
    assert read_bytes(exact_bytes(value)) == value


@pytest.mark.parametrize(
    ("text", "value"), [("2g", 2**31), (" 1.5 MiB ", 3 * 2**19), ("7", 7), ("much", "much"), ("-1", "-1")]
)
def test_bytes_are_entered_with_or_without_a_unit(text: str, value: int | str) -> None:
    assert read_bytes(text) == value


def test_large_numbers_have_their_digits_in_groups() -> None:
    assert (counted(9999), counted(25600), counted(True)) == ("9999", "25\u202f600", "True")


def test_times_are_rfc_3339_and_durations_have_a_unit() -> None:
    assert moment(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert [seconds_text(each) for each in (340, 2400, 185_000, 7_260_000)] == [
        "340 ms",
        "2.4 s",
        "3 min 5 s",
        "2 h 1 min",
    ]


def test_anything_is_a_line_of_text() -> None:
    assert [plain(each) for each in (None, True, "a", 1, ["a"])] == ["", "yes", "a", "1", '["a"]']


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("LeastVmPreferred", "Least<wbr>Vm<wbr>Preferred"),
        ("org.zstack.Msg", "org.<wbr>zstack.<wbr>Msg"),
        ("<b>&Co", "&lt;b&gt;&amp;Co"),
        ("plain words", "plain words"),
    ],
)
def test_a_name_of_the_api_may_be_broken_between_its_words_and_stays_text(text: str, shown: str) -> None:
    assert str(breakable(text)) == shown


def test_json_is_outlined_and_nothing_else_is() -> None:
    assert outlined('{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}'
    assert [outlined(text) for text in ("{", "words", "7", "")] == ["", "", "", ""]
