"""Python's clients behind the line protocol of `client_peer.ts`; the argument is the suite."""

import http.client
import json
import socket
import ssl
import sys
import urllib.parse


def run_http(task):
    url = urllib.parse.urlsplit(task[0])
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=5)
    try:
        connection.request("GET", url.path)
        response = connection.getresponse()
        return f"{response.status} {response.read().decode('latin1')}"
    finally:
        connection.close()


def run_dns(task):
    import dns.resolver

    port, name, kind = task
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = int(port)
    resolver.timeout = 1
    resolver.lifetime = 3
    return sorted(record.address for record in resolver.resolve(name, kind))


def run_tls(task):
    port, name, file = task
    context = ssl.create_default_context(cafile=file)
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
        with context.wrap_socket(connection, server_hostname=name):
            return "secure"


RUN = {"http": run_http, "dns": run_dns, "tls": run_tls}[sys.argv[1]]

for line in sys.stdin:
    try:
        answer = {"ok": RUN(line.split())}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
