import { assert, assertEquals } from "@std/assert";
import { LineReader } from "../bench/_support/line_reader.ts";
import { freePort } from "../_support/listening_program.ts";

const EXAMPLE = new URL("../../examples/cluster.ts", import.meta.url).pathname;

async function ask(port: number, path = "/"): Promise<string> {
  const headers = { connection: "close" };
  return await (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).text();
}

Deno.test("examples/cluster.ts serves with two workers, and replaces them on SIGHUP", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const port = freePort();
  const flags = ["--no-prompt", "--allow-net", "--allow-run", "--allow-env=NODE_V8_COVERAGE"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, EXAMPLE, `--port=${port}`, "--workers=2", "--drain-ms=0"],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines = new LineReader(child.stdout);
  const until = async (start: string): Promise<void> => {
    for (let line; (line = await lines.next()) !== undefined;) if (line.startsWith(start)) return;
    throw new Error(`Ended without a line like ${start}`);
  };
  const namesOf = async (): Promise<string[]> => {
    const names = new Set<string>();
    for (let i = 0; i < 64; i++) names.add((await ask(port)).split(" ").slice(0, 4).join(" "));
    return [...names].sort();
  };
  try {
    await until("Listening on ");
    assertEquals(await namesOf(), ["worker 0, the 1.", "worker 1, the 2."]);
    assertEquals(await ask(port, "/health"), "ready\n");
    Deno.kill(child.pid, "SIGHUP");
    await until("restarted");
    assertEquals(await namesOf(), ["worker 0, the 3.", "worker 1, the 4."]);
    Deno.kill(child.pid, "SIGTERM");
    assertEquals((await child.status).code, 0);
    const gone = (): Promise<boolean> =>
      Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => {
        conn.close();
        return false;
      }, () => true);
    assert(await gone());
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended, as it should.
    }
    await child.status;
    await lines.cancel();
  }
});
