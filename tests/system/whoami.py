"""A TCP server for tests: tells each client the address that it came from, then says back what it hears."""

from __future__ import annotations

import socketserver
import sys


class WhoAmI(socketserver.StreamRequestHandler):
    """One client."""

    def handle(self) -> None:
        """Serve it until it goes."""
        self.wfile.write(f"{self.client_address[0]}\n".encode())
        for line in self.rfile:
            self.wfile.write(line)


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), WhoAmI) as server:
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        server.serve_forever()
