import { assertEquals } from "@std/assert";
import { proxyListener, serve } from "@nbio/net/http";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";

const ignore = !interopEnabled || !hasCommand("python3");

/** Packs headers by a library of its own, and sends them in two pieces each. */
const CLIENT = `
import http.client, json, socket, struct, sys
port = int(sys.argv[1])
seen = []
def v1(a, b, p):
    family = "TCP6" if ":" in a else "TCP4"
    return f"PROXY {family} {a} {b} {p} 443\\r\\n".encode()
def v2(a, b, p):
    family = socket.AF_INET6 if ":" in a else socket.AF_INET
    body = socket.inet_pton(family, a) + socket.inet_pton(family, b) + struct.pack("!HH", p, 443)
    code = 0x21 if family == socket.AF_INET6 else 0x11
    return b"\\r\\n\\r\\n\\0\\r\\nQUIT\\n" + struct.pack("!BBH", 0x21, code, len(body)) + body
for make in (v1, v2):
    for a, b in (("192.0.2.1", "198.51.100.2"), ("2001:db8::1", "::1")):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        header = make(a, b, 50000)
        connection.sock.sendall(header[:13])
        connection.sock.sendall(header[13:])
        for _ in range(2):
            connection.request("POST", "/", body=b"x" * 100000)
            seen.append(connection.getresponse().read().decode())
        connection.close()
print(json.dumps(seen))
`;

Deno.test({
  name: "python: PROXY headers of both versions and families, with keep-alive behind them",
  ignore,
  async fn() {
    const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using server = serve(async (ctx) => {
      const { length } = await ctx.body.bytes();
      ctx.text(`${(ctx.remoteAddr as Deno.NetAddr).hostname} ${length}`);
    }, { listener: proxyListener(socket, ["127.0.0.1"]) });
    const { port } = server.addr as Deno.NetAddr;
    const { code, text, stderr } = await runPeer("python3", ["-c", CLIENT, `${port}`]);
    assertEquals(code, 0, stderr);
    const [four, six] = ["192.0.2.1 100000", "2001:db8::1 100000"];
    assertEquals(JSON.parse(text), [four, four, six, six, four, four, six, six]);
    assertEquals([server.stats().acceptedCount, server.stats().protocolErrorCount], [4, 0]);
  },
});
