/** Holds what README's comparison says of Node.js, `ws` and undici, over sockets. */

import { assertEquals } from "@std/assert";
import { honestAnswer, respond, ScriptedDnsServer } from "../_support/dns_server.ts";
import { hasCommand } from "../_support/interop.ts";
import { npmPeer, runPeer } from "../_support/peer.ts";

const packages = npmPeer("undici") && npmPeer("ws");

Deno.test({
  name: "Node.js, ws and undici are as README's comparison says",
  ignore: !hasCommand("node") || packages === undefined,
  async fn() {
    await using server = await ScriptedDnsServer.open((query) => {
      const { name } = query.message.questions[0]!;
      if (name.startsWith("www.")) return query.send(honestAnswer(query));
      return query.send(respond(query, name.startsWith("none.") ? { rcode: "NXDOMAIN" } : {}));
    });
    const script = new URL("readme_peers.mjs", import.meta.url).pathname;
    const args = [script, packages!, `${server.address.port}`];
    const { code, text, stderr } = await runPeer("node", args);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(text), {
      earlyHints: true,
      rawHeaders: "X-B,1,x-a,2,X-B,3",
      requestTrailers: true,
      bareLf: "400",
      noHost: "400",
      twoHosts: true,
      largeBody: true,
      headTimeoutMs: 60_000,
      maxConnections: 0,
      informational: "103",
      responseTrailers: true,
      sentFields: "X-B: 1,x-a: 2,X-B: 3",
      cookies: false,
      proxies: "function",
      anyOrigin: true,
      compressesUnasked: false,
      maxPayload: 104_857_600,
      pause: "function",
      addressTtl: "number",
      absence: "ENOTFOUND,ENODATA",
    });
  },
});
