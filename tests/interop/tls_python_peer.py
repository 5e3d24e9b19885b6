"""Speaks TLS by Python's ssl: `client PORT FOLDER [CERT KEY]` or `server FOLDER`."""

import http.client
import json
import socket
import ssl
import sys


def client(port, folder, pair):
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    if pair:
        context.load_cert_chain(*pair)
    connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=15)
    connection.request("POST", "/echo", body=b"x" * 1_000_000)
    response = connection.getresponse()
    secured = connection.sock
    length = len(response.read())
    seen = [response.status, length, secured.version(), secured.selected_alpn_protocol()]
    session = secured.session
    # Says goodbye, and waits for ours: an error without it.
    secured.unwrap().close()
    raw = socket.create_connection(("localhost", port), timeout=15)
    again = context.wrap_socket(raw, server_hostname="localhost", session=session)
    seen.append(again.session_reused)
    again.close()
    print(json.dumps(seen))


def server(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/localhost.pem", f"{folder}/localhost_key.pem")
    context.load_verify_locations(f"{folder}/ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["acme"])
    listener = socket.create_server(("127.0.0.1", 0))
    print("PORT", listener.getsockname()[1], flush=True)
    while True:
        raw, _ = listener.accept()
        try:
            secured = context.wrap_socket(raw, server_side=True)
            told = secured.recv(100).decode()
            peer = secured.getpeercert() or {}
            names = [value for _, value in peer.get("subjectAltName", ())]
            secured.sendall(json.dumps([told, secured.version(), names]).encode())
            # "cut" leaves without a word, everything else says goodbye.
            (secured if told == "cut" else secured.unwrap()).close()
        except OSError:
            raw.close()


if sys.argv[1] == "client":
    client(int(sys.argv[2]), sys.argv[3], sys.argv[4:])
else:
    server(sys.argv[2])
