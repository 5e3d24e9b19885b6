"""Servers on Python: `python_server.py http` answers as `http_target.ts` does, on http.server;
`python_server.py websocket` echoes on the package websockets. Prints its port."""

import sys

ALLOW = "GET, HEAD, POST, OPTIONS"


def serve_http():
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Target(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, body=b"", fields=()):
            self.send_response(status)
            for name, value in fields:
                self.send_header(name, value)
            if status != 204 and status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD" and status != 204 and status != 304:
                self.wfile.write(body)

        def body(self):
            # The library leaves chunked bodies to its users: here they are not read.
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))

        def do_any(self):
            try:
                self.do_target()
            except ValueError:
                # A length that is no number, a target that names no status.
                self.close_connection = True
                self.answer(400)

        def do_target(self):
            path = self.path.split("?")[0]
            headers = self.headers
            if path.startswith("/target"):
                return self.answer(200, self.path.encode("latin-1"))
            if path.startswith("/field/"):
                value = headers.get(path[7:], "missing")
                return self.answer(200, value.encode("latin-1", "replace"))
            if path.startswith("/status/"):
                return self.answer(int(path[8:]))
            if path == "/unread":
                return self.answer(200, b"unread")
            if path == "/stream":
                return self.answer(200, b"stream")
            if path == "/close":
                return self.answer(200, b"close", [("Connection", "close")])
            if path == "/echo":
                lines = [f"{name.lower()}: {value}\n" for name, value in headers.items()]
                return self.answer(200, "".join(lines).encode("latin-1", "replace"))
            if path == "/cookie":
                cookies = headers.get("Cookie", "").split("; ")
                return self.answer(200, "\n".join(cookies).encode("latin-1", "replace"))
            if path == "/count":
                return self.answer(200, str(len(self.body())).encode())
            if self.command in ("GET", "HEAD"):
                return self.answer(200, b"OK")
            if self.command == "OPTIONS":
                return self.answer(200 if self.path == "*" else 204, b"", [("Allow", ALLOW)])
            if self.command in ("DELETE", "TRACE", "CONNECT"):
                return self.answer(405, b"", [("Allow", ALLOW)])
            return self.answer(200, self.body())

        def __getattr__(self, name):
            if name.startswith("do_"):
                return self.do_any
            raise AttributeError(name)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # The library waits with 5 connections at most, fewer than a suite opens.
        request_queue_size = 128

        def handle_error(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Target)
    print("Listening on", server.server_address[1], flush=True)
    server.serve_forever()


def serve_websocket():
    import asyncio
    import logging

    import websockets

    logging.disable(logging.CRITICAL)

    async def echo(ws, _path=None):
        try:
            async for message in ws:
                await ws.send(message)
        except websockets.ConnectionClosedError:
            # It closed with another code than 1000.
            pass

    async def main():
        async with websockets.serve(echo, "127.0.0.1", 0, max_size=2**24) as server:
            print("Listening on", list(server.sockets)[0].getsockname()[1], flush=True)
            await asyncio.Future()

    asyncio.run(main())


serve_http() if sys.argv[1] == "http" else serve_websocket()
