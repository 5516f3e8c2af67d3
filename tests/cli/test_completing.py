"""How shells are told what is offered."""

from __future__ import annotations

import pytest

from zstack_appliance.__main__ import main
from zstack_appliance.cli.completing import bash_lines, escaped, last_word, offers_for, printable, zsh_lines
from zstack_appliance.cli.offers import Offer

BREAKS = " \t\n\"'><=;|&(:"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("zs vm li", "li"),
        ("zs vm ", ""),
        ("zs query Vm 'name is n", "'name is n"),
        ('zs query Vm "a \\" b', '"a \\" b'),
        ("zs query Vm name\\ is", "name\\ is"),
        ("", ""),
    ],
)
def test_the_last_word_of_a_line_as_it_stands(line: str, word: str) -> None:
    assert last_word(line) == word


def test_bash_gets_what_stands_behind_its_last_break() -> None:
    offers = [Offer("vmNics.ip=10.0.0.7"), Offer("vmNics.ip=10.0.0.8", open=True)]
    assert list(bash_lines(offers, "vmNics.ip=10", "vmNics.ip=10", BREAKS)) == ["10.0.0.7 ", "10.0.0.8"]


def test_inside_quotes_bash_breaks_nowhere_and_needs_no_escapes() -> None:
    assert list(bash_lines([Offer("name is null")], "'name i", "name i", BREAKS)) == ["name is null"]


def test_zsh_gets_the_whole_word_and_what_it_is() -> None:
    told = list(zsh_lines([Offer("state?=", "operator", open=True), Offer("web", "a VM")]))
    assert told == ["open\tstate\\?=\tstate?=  operator", "whole\tweb\tweb  a VM"]


def test_what_a_shell_would_take_for_itself_is_escaped() -> None:
    assert escaped("a b$c?=*'") == "a\\ b\\$c\\?=\\*\\'"


def test_control_characters_are_not_offered() -> None:
    assert printable([Offer("a\nb"), Offer("ok")]) == [Offer("ok")]


def test_a_command_line_goes_on_with_commands_options_and_parameters() -> None:
    def texts(words: list[str], typed: str) -> list[str]:
        return [offer.text for offer in offers_for(main, words, typed)]

    assert texts([], "zo") == ["zone"]
    assert texts(["zone"], "cr") == ["create"]
    assert "--instance-offering" in texts(["vm", "create"], "--inst")
    assert texts(["query", "VmInstance"], "vmNics.ip") == ["vmNics.ipVersion", *texts(["vm", "list"], "vmNics.ip")[1:]]
    assert texts(["api", "CreateZone", "name=z"], "descr") == ["description="]
    assert texts(["zone", "create", "--is-default"], "descr") == ["description="]
    assert texts(["vm", "list", "--sort"], "na") == ["name"]
    assert texts(["vm", "list", "--fields"], "name,sta") == ["name,state"]


@pytest.mark.parametrize("words", [["nonsense"], ["zone", "nonsense"], ["query", "Nonsense"], ["api", "Nonsense"]])
def test_a_line_that_is_wrong_already_offers_nothing_and_is_no_error(words: list[str]) -> None:
    assert offers_for(main, words, "a=") == []
