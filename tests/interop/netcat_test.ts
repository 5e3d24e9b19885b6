import { assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer, startExample } from "../_support/peer.ts";
import { InteropApp, sampleBytes } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("nc");

/** Sends `stdin`, ends its side (-N) and gives all that comes back. */
async function netcat(port: number, stdin: Uint8Array | string): Promise<Uint8Array> {
  const { code, stdout, stderr } = await runPeer("nc", ["-N", "127.0.0.1", `${port}`], { stdin });
  assertEquals(code, 0, stderr);
  return stdout;
}

Deno.test({
  name: "nc gets its bytes back from examples/echo_tcp.ts",
  ignore,
  async fn() {
    await using example = await startExample("echo_tcp");
    const bytes = sampleBytes(300_000);
    assertEquals(new Uint8Array(await netcat(example.port, bytes)), bytes);
  },
});

Deno.test({
  name: "nc reads the page of examples/hello.ts",
  ignore,
  async fn() {
    await using example = await startExample("hello");
    const answer = await netcat(example.port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const text = new TextDecoder().decode(answer);
    assertEquals(text.split("\r\n\r\n")[1], "Hello, World!\n");
  },
});

Deno.test({
  name: "nc pipelines and then ends its side: every request is answered, in order",
  ignore,
  async fn() {
    await using app = new InteropApp();
    const requests = Array.from(
      { length: 40 },
      (_, index) =>
        index % 2 === 0
          ? `GET /query?${index} HTTP/1.1\r\nHost: a\r\n\r\n`
          : `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n?${
            `${index}`.padStart(2, "0")
          }`,
    );
    const text = new TextDecoder().decode(await netcat(app.port, requests.join("")));
    const bodies = [...text.matchAll(/\r\n\r\n\?(\d+)/g)].map((match) => Number(match[1]));
    assertEquals(bodies, requests.map((_, index) => index));
    assertEquals(app.errors, []);
  },
});
