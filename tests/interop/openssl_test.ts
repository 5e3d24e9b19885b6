import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";
import { InteropApp } from "./interop_app.ts";

Deno.test({
  name: "openssl s_client on the plain port gets an error and the server lives",
  ignore: !interopEnabled || !hasCommand("openssl"),
  async fn() {
    await using app = new InteropApp();
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const args = ["s_client", "-connect", `127.0.0.1:${app.port}`, version];
      const { code, text } = await runPeer("openssl", args);
      assertNotEquals(code, 0);
      assert(/no peer certificate available/i.test(text), text);
    }
    assertEquals(app.server.stats().protocolErrorCount, 2);
    assertEquals(await (await fetch(app.url("/hello"))).text(), "Hello, World!\n");
    assertEquals(app.errors, []);
  },
});
