import { assertEquals } from "@std/assert";
import { listenTls } from "../../tls/listen_tls.ts";
import { runPeer } from "../_support/peer.ts";
import { issue, otherCa } from "../_support/tls_pki.ts";

const example = new URL("../../examples/tofu.ts", import.meta.url).pathname;

Deno.test("examples/tofu.ts knows a server again, and one that has another key", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const own = await issue(["other.test"], { ca: otherCa });
    await using listener = listenTls({ hostname: "127.0.0.1", port: 0, ...own });
    const { port } = listener.addr as Deno.NetAddr;
    const visit = async (): Promise<number> => {
      const args = [`127.0.0.1:${port}`, `--file=${folder}/keys.json`];
      const permissions = ["--allow-net", "--allow-read", `--allow-write=${folder}`];
      const { code } = await runPeer(Deno.execPath(), ["run", ...permissions, example, ...args]);
      while (listener.stats().readyCount > 0) (await listener.accept()).close();
      return code;
    };
    assertEquals(await visit(), 0);
    assertEquals(await visit(), 0);
    listener.reload(await issue(["other.test"], { ca: otherCa }));
    assertEquals(await visit(), 1);
    listener.reload(own);
    assertEquals(await visit(), 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
