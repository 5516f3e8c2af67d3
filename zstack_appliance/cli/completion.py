"""``completion``: prints what makes a shell complete our command lines, and answers it afterwards."""

from __future__ import annotations

import os

import click
from click.shell_completion import split_arg_string

from zstack_appliance.cli.completing import bash_lines, last_word, offers_for, printable, zsh_lines

BASH = """\
_zstack_appliance() {
  local line IFS=$'\\n'
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <("$1" completion offer bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -o nospace -o nosort -F _zstack_appliance zstack-appliance
"""

ZSH = """\
#compdef zstack-appliance
_zstack_appliance() {
  local kind word shown
  local -a open whole open_shown whole_shown
  while IFS=$'\\t' read -r kind word shown; do
    if [[ $kind == open ]]; then
      open+=("$word"); open_shown+=("$shown")
    else
      whole+=("$word"); whole_shown+=("$shown")
    fi
  done < <("${(Q)words[1]}" completion offer zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( ${#open} )) && compadd -Q -U -S '' -V edges -l -d open_shown -a open
  (( ${#whole} )) && compadd -Q -U -V whole -l -d whole_shown -a whole
  (( ${#open} + ${#whole} ))
}
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
  _zstack_appliance "$@"
else
  compdef _zstack_appliance zstack-appliance
fi
"""


@click.group()
def completion() -> None:
    """Make bash or zsh complete commands, query paths, parameters, names and uuids.

    \b
    bash:  source <(zstack-appliance completion bash)
    zsh:   source <(zstack-appliance completion zsh)

    Put the line into ~/.bashrc or ~/.zshrc to keep it; zsh needs compinit before it.
    """


@completion.command()
def bash() -> None:
    """Print the lines that make bash complete."""
    click.echo(BASH, nl=False)


@completion.command()
def zsh() -> None:
    """Print the lines that make zsh complete."""
    click.echo(ZSH, nl=False)


@completion.command(hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("shell", type=click.Choice(["bash", "zsh"]))
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def offer(ctx: click.Context, shell: str, words: tuple[str, ...]) -> None:
    """Print how a line may go on: bash gives the line so far, zsh its words behind the program's name."""
    root = ctx.find_root().command
    if shell == "zsh":
        lines = zsh_lines(printable(offers_for(root, words[:-1], words[-1] if words else "")))
    else:
        line = words[0] if words else ""
        raw = last_word(line)
        before, typed = split_arg_string(line.removesuffix(raw)), "".join(split_arg_string(raw))
        offers = printable(offers_for(root, before[1:], typed))
        lines = bash_lines(offers, raw, typed, os.environ.get("COMP_WORDBREAKS", " \t\n\"'><=;|&(:"))
    for each in lines:
        click.echo(each)
