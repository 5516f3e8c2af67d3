"""A terminal connected with a VM's serial port: `attach`, and `console_socket`, which opens the way to it."""

from __future__ import annotations

import os
import ssl
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.declared import find_api
from zstack_appliance.cli.exits import CliError, Exit
from zstack_appliance.cli.place import Place

LEAVE = b"\x1d"
"""Control and the closing bracket: what ends the connection, as in telnet and virsh."""

_OPEN_SECONDS = 20.0


def console_url(place: Place, ticket: dict[str, Any]) -> str:
    """Where the door to a console is, for a ticket of `RequestConsoleAccess`."""
    parts = urlsplit(place.url)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/console/ws?token={ticket['token']}"


def request_ticket(client: Client, vm_uuid: str, scheme: str) -> dict[str, Any]:
    """A ticket for a VM's ``vnc`` or ``serial`` console.

    Raises:
        ApiError: it was refused; the VM does not run, for one.
    """
    reply = client.call(find_api("RequestConsoleAccess"), {"vmInstanceUuid": vm_uuid, "targetScheme": scheme})
    ticket: dict[str, Any] = reply["inventory"]
    return ticket


@contextmanager
def console_socket(client: Client, vm_uuid: str) -> Iterator[Any]:
    """A WebSocket to a VM's serial port.

    Raises:
        CliError: the door cannot be reached.
    """
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect, unix_connect

    place = client.place
    url = console_url(place, request_ticket(client, vm_uuid, "serial"))
    limits: dict[str, Any] = {"open_timeout": _OPEN_SECONDS, "compression": None, "max_size": None}
    try:
        if place.socket is not None:
            opening = unix_connect(str(place.socket), url, **limits)
        else:
            secure = ssl.create_default_context() if url.startswith("wss") else None
            opening = connect(url, ssl=secure, proxy=None, **limits)
    except (OSError, WebSocketException) as error:
        raise CliError(f"no way to the serial port: {error}", Exit.UNREACHABLE) from error
    with opening as socket:
        yield socket


def attach(client: Client, vm_uuid: str) -> str:
    """Connect this terminal with a VM's serial port until either side ends.

    Returns:
        Why it ended, for the person.

    Raises:
        CliError: standard input is no terminal, or the VM cannot be reached.
    """
    if not sys.stdin.isatty():
        raise CliError("the serial port wants a terminal to type at; run this in one", Exit.USAGE)
    with console_socket(client, vm_uuid) as socket, _raw(sys.stdin.fileno()):
        ended: list[str] = []
        reader = threading.Thread(target=_show, args=(socket, ended), daemon=True)
        reader.start()
        _type(socket, sys.stdin.fileno(), reader)
        return ended[0] if ended else "left; the VM goes on"


def _show(socket: Any, ended: list[str]) -> None:
    """Print what the guest writes; at its end a byte in the keyboard's place wakes the other side."""
    from websockets.exceptions import ConnectionClosed

    try:
        for message in socket:
            os.write(sys.stdout.fileno(), message if isinstance(message, bytes) else message.encode())
        ended.append("the VM's side ended")
    except ConnectionClosed as closed:
        ended.append(closed.rcvd.reason if closed.rcvd and closed.rcvd.reason else "the connection was lost")


def _type(socket: Any, keyboard: int, reader: threading.Thread) -> None:
    """Send what is typed, until it is `LEAVE` or nobody listens any more."""
    import select

    from websockets.exceptions import ConnectionClosed

    while reader.is_alive():
        ready, _, _ = select.select([keyboard], [], [], 0.2)
        typed = os.read(keyboard, 4096) if ready else b""
        if LEAVE in typed or (ready and not typed):
            return
        if typed:
            try:
                socket.send(typed)
            except ConnectionClosed:
                return


@contextmanager
def _raw(keyboard: int) -> Iterator[None]:
    """Every key as it is pressed, unseen by this machine's own terminal; put back afterwards."""
    before = termios.tcgetattr(keyboard)
    try:
        tty.setraw(keyboard)
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
