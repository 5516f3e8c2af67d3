"""`ScriptedRuntime`: a host runtime that records what it is asked to run and answers from a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zstack_appliance.kernel.remote import Completed, HostCommandFailed


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that was asked for."""

    argv: tuple[str, ...]
    stdin: str

    @property
    def text(self) -> str:
        """Arguments and input, for matching."""
        return f"{' '.join(self.argv)}\n{self.stdin}"


@dataclass(frozen=True, slots=True)
class ScriptedRuntime:
    """Answers each program with the first entry of the script whose key is found in it; else with nothing.

    Attributes:
        data: the appliance's folder.
        script: output by a part of the arguments or the input; an exception is raised instead.
    """

    data: Path
    script: Mapping[str, str | HostCommandFailed] = field(default_factory=dict)
    instance: str = "ab12cd"
    ran: list[Ran] = field(default_factory=list)

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 60.0,
        stdin: str | None = None,
        check: bool = True,
        memory_limit: int | None = None,
        private_network: bool = False,
    ) -> Completed:
        """Record the program and answer from the script."""
        ran = Ran(tuple(argv), stdin or "")
        self.ran.append(ran)
        for key, answer in self.script.items():
            if key in ran.text:
                if not isinstance(answer, HostCommandFailed):
                    return Completed(ran.argv, 0, answer, "")
                if check:
                    raise answer
                return Completed(ran.argv, 1, "", str(answer))
        return Completed(ran.argv, 0, "", "")

    def changes(self) -> list[str]:
        """Everything that was fed to a batch that is not a question, line by line."""
        batches = (ran for ran in self.ran if "-batch" in ran.argv and "-json" not in ran.argv)
        return [line for batch in batches for line in batch.stdin.splitlines()]
