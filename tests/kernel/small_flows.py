"""A cloud with one API that runs one flow of a test's own making: `Script`."""

from __future__ import annotations

from dataclasses import dataclass, field

import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.flow import Context, Do, Flow, Step, TxDo
from zstack_appliance.kernel.message import ANY, Action, api
from zstack_appliance.kernel.plugin import Handler, Plugin
from zstack_appliance.kernel.schema import Key
from zstack_appliance.kernel.store import Tx

KEY = Key("small", "one")


class Counted(Context):
    """What the steps of a script share."""

    count: int = 0


@api("PUT", "/small/{uuid}/actions", access=ANY, wire="org.zstack.small", reply=None)
class RunScript(Action[None], frozen=True, kw_only=True):
    """Run the test's flow."""

    uuid: str = "one"


@dataclass
class Script:
    """Steps that note what they do, fail as often as told, and take as long as told.

    Args:
        names: the steps: ``a`` reaches outside, ``a.tx`` only touches the database.
        pivot: the step from which on the flow only goes forward.
    """

    names: tuple[str, ...]
    pivot: str | None = None
    log: list[str] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    """Step, or ``undo step``, to how often it fails."""
    seconds: dict[str, float] = field(default_factory=dict)

    def flow(self) -> Flow[Counted]:
        """The flow."""
        return Flow("small.script", Counted, lambda: tuple(self._step(name) for name in self.names))

    def plugin(self) -> Plugin:
        """What adds the flow and its API to a cloud."""

        async def serve(_: RunScript, cloud: Cloud) -> None:
            await cloud.run(flow, Counted())

        flow = self.flow()
        return Plugin(name="small.script", handlers=(Handler(RunScript, serve, queue=lambda _: KEY),), flows=(flow,))

    def _step(self, name: str) -> Step:
        pivot = name == self.pivot
        if name.endswith(".tx"):
            return Step(name, tx=self._tx(name), undo_tx=self._tx(f"undo {name}"), pivot=pivot)
        return Step(name, do=self._do(name), undo=self._do(f"undo {name}"), pivot=pivot)

    def _do(self, name: str) -> Do:
        async def do(context: Counted, _cloud: Cloud) -> None:
            await trio.sleep(self.seconds.get(name, 0.0))
            self._note(name)
            context.count += 1

        return do

    def _tx(self, name: str) -> TxDo:
        def change(_tx: Tx, context: Counted) -> None:
            self._note(name)
            context.count += 1

        return change

    def _note(self, name: str) -> None:
        if self.failures.get(name, 0) > 0:
            self.failures[name] -= 1
            self.log.append(f"{name} failed")
            raise Unavailable(f"{name} fails")
        self.log.append(name)
