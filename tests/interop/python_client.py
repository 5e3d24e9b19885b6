"""A client on Python's standard library: `python3 python_client.py PORT SCENARIO` prints JSON."""

import http.client
import json
import socket
import sys

PORT = int(sys.argv[1])
SAMPLE = bytes((index * 31 + (index >> 8)) & 0xFF for index in range(1 << 20))


def connect():
    return http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)


def raw(*pieces):
    """Sends the pieces one by one, ends its side and reads all that comes."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while data := client.recv(65536):
            received += data
        return received.decode("latin-1")


def keep_alive():
    connection = connect()
    ports = set()
    for count in range(50):
        connection.request("GET", f"/{count}")
        answer = json.load(connection.getresponse())
        assert answer["url"] == f"/{count}"
        ports.add(answer["port"])
    connection.close()
    return {"connectionCount": len(ports)}


def methods():
    connection = connect()
    seen = []
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"]:
        connection.request(method, "/", body=b"body" if method != "GET" else None)
        answer = json.load(connection.getresponse())
        seen.append(f"{answer['method']} {answer['body']}".strip())
    connection.request("HEAD", "/mebibyte")
    response = connection.getresponse()
    seen.append(f"HEAD {response.getheader('content-length')} {len(response.read())}")
    connection.close()
    return seen


def chunked():
    connection = connect()
    pieces = (SAMPLE[start:start + 1000] for start in range(0, len(SAMPLE), 1000))
    connection.request("POST", "/relay", body=pieces, encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
    return {"isSame": connection.getresponse().read() == SAMPLE}


def byte_by_byte():
    request = (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nx-last: 1\r\n\r\n")
    text = raw(*[request[index:index + 1] for index in range(len(request))])
    return {"status": text[:15], "body": text.split("\r\n\r\n", 1)[1]}


def pipelined():
    post = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n%02d"
    text = raw(b"".join(post % count for count in range(64)))
    bodies = [part.split("\r\n\r\n", 1)[1] for part in text.split("HTTP/1.1 200 OK\r\n")[1:]]
    return {"inOrder": bodies == ["%02d" % count for count in range(64)]}


def garbage():
    statuses = []
    for request in [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n"]:
        statuses.append(raw(request)[9:12])
    return statuses


SCENARIOS = {
    "keep-alive": keep_alive,
    "methods": methods,
    "chunked": chunked,
    "byte by byte": byte_by_byte,
    "pipelined": pipelined,
    "garbage": garbage,
}

print(json.dumps(SCENARIOS[sys.argv[2]]()))
