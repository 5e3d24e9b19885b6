import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { shutdownSignal } from "../../nbio/shutdown_signal.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { eventually } from "../_support/peer.ts";

/** What waits for a signal does not keep the process alive: something else has to. */
async function alive<T>(waiting: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = waiting.finally(() => isSettled = true);
  const [result] = await Promise.all([settled, eventually(() => isSettled)]);
  return result;
}

/** Windows knows three signals, and cannot send them to one process. */
const ignore = Deno.build.os === "windows";

Deno.test({
  name: "shutdownSignal() resolves with the signal that came, once",
  ignore,
  async fn() {
    const asked = shutdownSignal({ signals: ["SIGUSR1", "SIGUSR2", "SIGUSR1"] });
    const alsoAsked = shutdownSignal({ signals: ["SIGUSR2"] });
    Deno.kill(Deno.pid, "SIGUSR2");
    assertEquals(await alive(Promise.all([asked, alsoAsked])), ["SIGUSR2", "SIGUSR2"]);
    const again = shutdownSignal({ signals: ["SIGUSR2"] });
    Deno.kill(Deno.pid, "SIGUSR2");
    assertEquals(await alive(again), "SIGUSR2");
  },
});

Deno.test("shutdownSignal() rejects with the reason of its signal, before and while it waits", async () => {
  const reason = new Error("enough");
  assertStrictEquals(
    await assertRejects(() => shutdownSignal({ signal: AbortSignal.abort(reason) })),
    reason,
  );
  const controller = new AbortController();
  const asked = shutdownSignal({ signal: controller.signal });
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => asked), reason);
});

Deno.test({
  name: "shutdownSignal() leaves no listener on its signal",
  ignore,
  async fn() {
    const counted = new CountedSignal();
    const asked = shutdownSignal({ signals: ["SIGUSR1"], signal: counted.signal });
    assertEquals(counted.listenerCount, 1);
    Deno.kill(Deno.pid, "SIGUSR1");
    await alive(asked);
    assertEquals(counted.listenerCount, 0);
  },
});

Deno.test("shutdownSignal() refuses what cannot be caught, and catches nothing then", async () => {
  await assertRejects(() => shutdownSignal({ signals: [] }), RangeError);
  const signals = ["SIGINT", "SIGKILL"] as const;
  await assertRejects(() => shutdownSignal({ signals }), TypeError);
});

const PROGRAM = `
import { serve } from "HTTP";
import { shutdownSignal } from "NBIO";
let release;
const servers = [0, 1].map(() => serve(async (ctx) => {
  console.log("request");
  await new Promise((resolve) => release = resolve);
  ctx.text("done");
}, { hostname: "127.0.0.1", port: 0 }));
console.log(servers[0].addr.port);
const name = await shutdownSignal();
console.log(name);
setTimeout(() => ARGUMENT && release?.(), 50);
await Promise.all(servers.map((server) => server.shutdown({ graceMs: 60_000 })));
console.log("over");
`;

/** Runs two servers with a request under way, and sends signals. */
async function runProgram(
  signals: readonly Deno.Signal[],
  answers: boolean,
): Promise<{ lines: string[]; status: Deno.CommandStatus; answer: string | undefined }> {
  const url = (path: string) => new URL(path, import.meta.url).href;
  const code = PROGRAM.replace("HTTP", url("../../http/mod.ts"))
    .replace("NBIO", url("../../nbio/mod.ts")).replace("ARGUMENT", String(answers));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines: string[] = [];
  let answer: Promise<string | undefined> = Promise.resolve(undefined);
  let pending = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    pending += text;
    for (let end; (end = pending.indexOf("\n")) >= 0; pending = pending.slice(end + 1)) {
      const line = pending.slice(0, end);
      lines.push(line);
      if (/^\d+$/.test(line)) {
        answer = fetch(`http://127.0.0.1:${line}/`).then((response) => response.text())
          .catch(() => undefined);
      }
      if (line === "request") child.kill(signals[0]!);
      if (line === signals[0] && signals[1] !== undefined) child.kill(signals[1]);
    }
  }
  return { lines: lines.slice(1), status: await child.status, answer: await answer };
}

Deno.test({
  name: "shutdownSignal() lets servers finish what is under way",
  ignore,
  async fn() {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      const { lines, status, answer } = await runProgram([name], true);
      assertEquals(lines, ["request", name, "over"]);
      assertEquals([status.code, status.signal, answer], [0, null, "done"]);
    }
  },
});

Deno.test({
  name: "a second signal ends the process at once",
  ignore,
  async fn() {
    const { lines, status, answer } = await runProgram(["SIGTERM", "SIGINT"], false);
    assertEquals(lines, ["request", "SIGTERM"]);
    assertEquals([status.signal, answer], ["SIGINT", undefined]);
  },
});
