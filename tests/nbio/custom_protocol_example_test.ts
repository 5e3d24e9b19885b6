import { assert, assertEquals } from "@std/assert";
import { runPeer } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";

const EXAMPLE = new URL("../../examples/custom_protocol.ts", import.meta.url).pathname;
const RUN = ["run", "--allow-net", EXAMPLE];

/** The server, as a process of its own. */
class Server implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;

  constructor(...options: readonly string[]) {
    this.child = new Deno.Command(Deno.execPath(), {
      args: [...RUN, "--hostname=127.0.0.1", "--port", "0", ...options],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      // A line for each client that breaks the protocol.
      stderr: "null",
    }).spawn();
    this.#output = this.child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits for the line that tells the port. */
  async port(): Promise<number> {
    const line = (await this.#output.read()).value ?? "";
    assert(/^Listening on 127\.0\.0\.1:\d+\n$/.test(line), line);
    return Number(line.trim().split(":").at(-1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.child.status;
    while (!(await this.#output.read()).done);
  }
}

async function connect(port: number): Promise<RawClient> {
  return await RawClient.connect({ hostname: "127.0.0.1", port });
}

/** All that came to the end, and how it ended. */
async function transcript(client: RawClient): Promise<string> {
  const end = await client.closed();
  return `${new TextDecoder().decode(client.leftover)}[${end}]`;
}

/** Whether nobody listens on the port. */
async function isRefused(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return false;
  } catch (error) {
    // A reset instead: the listener closed while the connection waited to be accepted.
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

Deno.test("examples/custom_protocol.ts answers pipelined requests, whole and in bytes", async () => {
  await using server = new Server();
  const port = await server.port();
  const requests = "SET k 5\r\na\r\nb\nGET k\r\nDEL k\r\nDEL k\r\nGET k\r\nQUIT\r\n";
  const answers = "OK\r\nVALUE 5\r\na\r\nb\nOK\r\nNONE\r\nNONE\r\nOK\r\n[eof]";
  for (const pieces of [[requests], [...requests]]) {
    await using client = await connect(port);
    for (const piece of pieces) await client.send(piece);
    assertEquals(await transcript(client), answers);
  }
});

Deno.test("examples/custom_protocol.ts answers after a half-close, and says what was wrong", async () => {
  await using server = new Server();
  const port = await server.port();
  const rows = [
    ["GET k\r\n", "NONE\r\n[eof]"],
    ["SET k 9\r\nabc", "ERROR protocol ERR_KV_TRUNCATED\r\n[eof]"],
    ["SET k 65537\r\n", "ERROR protocol ERR_KV_VALUE_TOO_LARGE\r\n[eof]"],
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "ERROR protocol ERR_KV_BAD_LINE\r\n[eof]"],
    // Far more than is read: the client learns why all the same.
    ["x".repeat(100_000), "ERROR protocol ERR_KV_LINE_TOO_LONG\r\n[eof]"],
  ];
  for (const [sent, received] of rows) {
    await using client = await connect(port);
    await client.send(sent);
    await client.sendEnd();
    assertEquals(await transcript(client), received);
  }
});

Deno.test("examples/custom_protocol.ts is a client, too", async () => {
  await using server = new Server();
  const port = await server.port();
  const rows: readonly (readonly [string[], string])[] = [
    [["get", "k"], "NONE\n"],
    [["set", "k", "Grüße"], "OK\n"],
    [["get", "k"], "Grüße\n"],
    [["del", "k"], "OK\n"],
  ];
  for (const [command, printed] of rows) {
    const { text, code } = await runPeer(Deno.execPath(), [...RUN, `--port=${port}`, ...command]);
    assertEquals([text, code], [printed, 0]);
  }
});

const ignore = Deno.build.os === "windows"; // Nothing can be told to a process there as by Ctrl-C.

Deno.test({
  name: "examples/custom_protocol.ts answers what is open at Ctrl-C, then ends",
  ignore,
  async fn() {
    await using server = new Server("--grace-ms=20000");
    const port = await server.port();
    await using client = await connect(port);
    await client.send("GET k\r\nSET k 3\r\nab");
    await client.bytes("NONE\r\n".length);
    server.child.kill("SIGINT");
    for (let attempt = 0; !await isRefused(port); attempt++) assert(attempt < 10_000);
    await client.send("cQUIT\r\n");
    assertEquals(await transcript(client), "NONE\r\nOK\r\nOK\r\n[eof]");
    assertEquals((await server.child.status).code, 0);
  },
});

Deno.test({
  name: "examples/custom_protocol.ts cuts off who stays silent after Ctrl-C",
  ignore,
  async fn() {
    await using server = new Server("--grace-ms=10");
    const port = await server.port();
    await using client = await connect(port);
    await client.send("GET k\r\n");
    await client.bytes("NONE\r\n".length);
    server.child.kill("SIGINT");
    assert(["eof", "reset"].includes(await client.closed()));
    assertEquals((await server.child.status).code, 0);
  },
});
