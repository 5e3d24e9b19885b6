import { assertEquals } from "@std/assert";
import { startExample } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";

/** Uses each example as its users would. They need no program but Deno, so they always run. */
const EXAMPLES: Readonly<Record<string, (port: number) => Promise<void>>> = {
  async echo_tcp(port) {
    await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
    await client.send("to and fro");
    await client.sendEnd();
    assertEquals(await client.closed(), "eof");
    assertEquals(new TextDecoder().decode(client.leftover), "to and fro");
  },

  async hello(port) {
    using client = Deno.createHttpClient({});
    const response = await fetch(`http://127.0.0.1:${port}/`, { client });
    assertEquals(await response.text(), "Hello, World!\n");
  },
};

for (const [name, use] of Object.entries(EXAMPLES)) {
  Deno.test(`examples/${name}.ts does what it says`, async () => {
    await using example = await startExample(name);
    await use(example.port);
  });
}

Deno.test("every file in examples/ is used by a test", () => {
  const folder = new URL("../../examples/", import.meta.url);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assertEquals(names.sort(), Object.keys(EXAMPLES).map((name) => `${name}.ts`).sort());
});
