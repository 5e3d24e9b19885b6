"""The server of Python for a client under test: `http_client_python_peer.py PORT VERSION FOLDER`.

It serves the files of the folder, in HTTP/1.0 (where each request is the last of its connection)
or in HTTP/1.1, and tells of each upload how long it was, and its SHA-256.
"""

import hashlib
import http.server
import json
import sys

PORT, VERSION, FOLDER = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = f"HTTP/{VERSION}"

    def __init__(self, *args):
        super().__init__(*args, directory=FOLDER)

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path == "/endless":
            # Without a length: only the end of the connection ends it.
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            for index in range(1_000):
                self.wfile.write(b"%d\n" % index)
            self.close_connection = True
        else:
            super().do_GET()

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        digest = hashlib.sha256(body).hexdigest()
        answer = json.dumps({"byteCount": length, "sha256": digest}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1_024

    def handle_error(self, request, client_address):
        # A client that has enough of a file leaves.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


Server(("127.0.0.1", PORT), Handler).serve_forever()
