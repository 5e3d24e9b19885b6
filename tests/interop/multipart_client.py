"""Uploads a form with nothing but the library of Python: `multipart_client.py PORT SCENARIO`.

`plain` writes the form by hand, as `requests` does; `mime` lets the mail library write it, which
folds long fields and encodes names; `chunked` sends it in chunks under a content coding. Prints
the status and the body of the answer.
"""

import gzip
import http.client
import sys
from email import policy
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

FILE = bytes((index * 31 + (index >> 8)) & 0xFF for index in range(100_000))


def plain_form():
    head = 'Content-Disposition: form-data; name="file"; filename="c\u00e4t \\"1\\".bin"\r\n'
    parts = [
        'Content-Disposition: form-data; name="title"\r\n\r\nA c\u00e4t'.encode(),
        head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + FILE,
    ]
    body = b"".join(b"--0123456789abcdef\r\n%s\r\n" % part for part in parts)
    return "0123456789abcdef", body + b"--0123456789abcdef--\r\n"


def mime_form():
    form = MIMEMultipart("form-data")
    title = MIMEText("A cat", "plain", "us-ascii")
    title.add_header("Content-Disposition", "form-data", name="title")
    title.add_header("X-Long", "a value of many words that the library folds, " * 3 + "at last")
    form.attach(title)
    upload = MIMEText("meow", "plain", "us-ascii")
    name = ("utf-8", "", "c\u00e4t with a name.txt")
    upload.add_header("Content-Disposition", "form-data", name="file", filename=name)
    form.attach(upload)
    _, body = form.as_bytes(policy=policy.SMTP).split(b"\r\n\r\n", 1)
    return form.get_boundary(), body


def main():
    port, scenario = int(sys.argv[1]), sys.argv[2]
    boundary, body = mime_form() if scenario == "mime" else plain_form()
    headers = {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    if scenario == "chunked":
        headers["Content-Encoding"] = "gzip"
        encoded = gzip.compress(body)
        pieces = (encoded[at : at + 1_000] for at in range(0, len(encoded), 1_000))
        headers["Transfer-Encoding"] = "chunked"
        connection.request("POST", "/stream", pieces, headers, encode_chunked=True)
    else:
        connection.request("POST", "/stream", body, headers)
    response = connection.getresponse()
    sys.stdout.buffer.write(b"%d %s" % (response.status, response.read()))


main()
