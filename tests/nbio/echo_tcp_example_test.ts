import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { sendAll } from "../../nbio/send_all.ts";

Deno.test("examples/echo_tcp.ts echoes until the client ends its side", async () => {
  const example = new URL("../../examples/echo_tcp.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", example, "--hostname=127.0.0.1", "--port", "0"],
    env: { NO_COLOR: "1" },
    stdout: "piped",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const line = (await output.read()).value ?? "";
  assert(/^Echoing on 127\.0\.0\.1:\d+\n$/.test(line), line);
  const port = Number(line.trim().split(":").at(-1));
  using client = await Deno.connect({ hostname: "127.0.0.1", port });

  const bytes = new SeededRandom(1).bytes(1 << 20);
  const sent = sendAll(client, bytes).then(() => client.closeWrite());
  const received: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(65_536);
    const byteCount = await client.read(buffer);
    if (byteCount === null) break;
    received.push(buffer.subarray(0, byteCount));
  }
  await sent;
  assertEquals(new Uint8Array(await new Blob(received as BlobPart[]).arrayBuffer()), bytes);

  child.kill();
  await child.status;
  while (!(await output.read()).done);
});
