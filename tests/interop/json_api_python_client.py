"""Uses examples/json_api.ts through the standard library and prints what it saw as JSON.

    python3 json_api_python_client.py PORT
"""

import base64
import hashlib
import http.client
import http.cookiejar
import json
import sys
import urllib.error
import urllib.request

port = int(sys.argv[1])
origin = f"http://127.0.0.1:{port}"
# The cookie is for secure connections, and one to this machine is as good.
policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
jar = http.cookiejar.CookieJar(policy)
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar)
)


def call(method, path, body=None, headers=None):
    request = urllib.request.Request(origin + path, body, headers or {}, method=method)
    try:
        with opener.open(request, timeout=15) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def put_chunked(digest):
    """http.client sends no trailers by itself."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    connection.putrequest("PUT", "/api/files/a")
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
    connection.putheader("Cookie", cookie)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("Trailer", "Content-Digest")
    connection.endheaders()
    connection.send(b"%x\r\n%b\r\n" % (len(large), large))
    connection.send(f"0\r\nContent-Digest: sha-256=:{digest}:\r\n\r\n".encode())
    status = connection.getresponse().status
    connection.close()
    return status


large = b"0123456789abcdefghijklm" * 40_000
parts = [("large.bin", large), ("größe.txt", b"small")]
form = b"".join(
    f'--xyz\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    + content
    + b"\r\n"
    for name, content in parts
)
form += b"--xyz--\r\n"

# It hides informational responses and the trailers of responses.
seen = {"skipped": ["early", "trailer"]}
seen["before"], _ = call("GET", "/api/me")
credentials = json.dumps({"name": "ada", "password": "lovelace"}).encode()
seen["login"], _ = call("POST", "/api/login", credentials, {"Content-Type": "application/json"})
multipart = {"Content-Type": "multipart/form-data; boundary=xyz"}
seen["form"], _ = call("POST", "/api/files", form, multipart)
files = json.loads(call("GET", "/api/files?order=size")[1])["files"]
seen["names"] = [file["name"] for file in files]
seen["isSame"] = call("GET", files[0]["url"], headers={"TE": "trailers"})[1] == large
digest = base64.b64encode(hashlib.sha256(large).digest()).decode()
seen["trailerUpload"] = put_chunked(digest)
seen["wrongTrailerUpload"] = put_chunked("AAAA")
seen["tooLarge"], _ = call("PUT", "/api/files/a", bytes((2 << 20) + 1))
seen["logout"], _ = call("POST", "/api/logout", b"")
seen["after"], _ = call("GET", "/api/me")
print(json.dumps(seen))
