"""A real http server on this machine that can misbehave in the ways a download must survive."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Page:
    """What one path answers. `cut_after`: bytes sent before the connection is cut, `hold`: waits there instead."""

    body: bytes = b""
    content_type: str = "application/octet-stream"
    status: int = 200
    ranges: str = "honoured"  # or "ignored", "refused" (416), "wrong"
    cut_after: int | None = None
    hold: threading.Event | None = None
    send_length: bool = True
    redirect: str | None = None


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it."""

    path: str
    headers: dict[str, str]
    status: int


class LoopbackServer:
    """Serves `pages` on a free port and remembers what was asked, in `seen`."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.seen: list[Seen] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        return [one.path for one in self.seen]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.socket.close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        page = self.pages.get(handler.path, Page(status=404))
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        status = page.status
        if asked and page.ranges == "refused":
            status = 416
        elif asked and page.ranges in ("honoured", "wrong"):
            status = 206 if start < len(page.body) else 416
        body = page.body[start:] if status == 206 else page.body if status == 200 else b""
        self.seen.append(Seen(handler.path, dict(handler.headers.items()), 302 if page.redirect else status))
        if page.redirect:
            handler.send_response(302)
            handler.send_header("Location", page.redirect)
        else:
            handler.send_response(status)
            handler.send_header("Content-Type", page.content_type)
        if status == 206:
            first = 0 if page.ranges == "wrong" else start
            handler.send_header("Content-Range", f"bytes {first}-{len(page.body) - 1}/{len(page.body)}")
        if page.send_length:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if page.cut_after is not None:
            body = body[: page.cut_after]
        handler.wfile.write(body)
        handler.wfile.flush()
        if page.hold is not None:
            page.hold.wait(20)
