import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Prefork, prefork } from "../../nbio/prefork.ts";
import { PreforkError } from "../../nbio/prefork_error.ts";
import type { PreforkEvent } from "../../nbio/prefork_event.ts";
import type { PreforkOptions } from "../../nbio/prefork_options.ts";
import { LineReader } from "../bench/_support/line_reader.ts";
import { freePort } from "../_support/listening_program.ts";
import { eventually, runPeer } from "../_support/peer.ts";

/** Only there do several sockets share the connections of a port. */
const ignore = Deno.build.os !== "linux";
const MODULE = new URL("./prefork_program.ts", import.meta.url);
/** A worker starts slowly where the machine is busy. */
const PATIENCE_MS = 20_000;

interface Running extends AsyncDisposable {
  readonly port: number;
  readonly cluster: Prefork;
  readonly events: PreforkEvent[];
}

/** Workers that are killed at the end, whatever became of the test. */
async function run(ways: string[], options: Partial<PreforkOptions> = {}): Promise<Running> {
  const port = freePort();
  const events: PreforkEvent[] = [];
  const cluster = prefork({
    module: MODULE,
    workers: 2,
    args: [String(port), ...ways],
    drainMs: 0,
    handleSignals: false,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const kill = (): Promise<void> => cluster.kill().catch(() => {});
  try {
    await cluster.ready;
  } catch (error) {
    await kill();
    throw error;
  }
  return { port, cluster, events, [Symbol.asyncDispose]: kill };
}

/** The answer on a connection of its own. */
async function ask(port: number, path = "/"): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { connection: "close" },
  });
  return await response.text();
}

/** The indices and ids that answer. */
async function askMany(port: number, count: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const name = (await ask(port)).split(" ").slice(0, 2).join(" ");
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function exits(events: readonly PreforkEvent[]) {
  return events.filter((event) => event.type === "exit");
}

function isAlive(pid: number): boolean {
  try {
    // One that is dead and was not looked after yet is as good as gone.
    return !/^\d+ \(.*\) Z/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

for (const mode of ["processes", "threads"] as const) {
  Deno.test(`${mode} share a port, and the spread is even`, { ignore }, async () => {
    await using running = await run([], { mode });
    const counts = await askMany(running.port, 200);
    assertEquals([...counts.keys()].sort(), ["0 1", "1 2"]);
    // 200 fair coins are beyond this once in 10^9.
    assert(Math.min(...counts.values()) > 55, `${[...counts.values()]}`);
    const pids = new Set(running.cluster.workers().map(({ pid }) => pid));
    assertEquals(pids.has(Deno.pid), mode === "threads");
  });

  Deno.test(`stop() ends ${mode} in order: what is under way is answered`, {
    ignore,
  }, async () => {
    await using running = await run([], { mode });
    const answer = ask(running.port, "/slow");
    // Told that it has come by one that comes later and goes to every worker.
    await askMany(running.port, 20);
    await running.cluster.stop();
    assert(/^[01] [12] /.test(await answer));
    assertEquals(exits(running.events).map(({ exit, expected }) => [exit.code, expected]), [
      [0, true],
      [0, true],
    ]);
    await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port: running.port }));
  });

  Deno.test(
    `restart() of ${mode} under load loses nothing that is tried again`,
    { ignore },
    async () => {
      await using running = await run([], { mode, drainMs: 50 });
      const { port, cluster } = running;
      let isOver = false;
      let count = 0;
      const load = (async () => {
        // A connection that was still in the queue of a closing port is reset: it is tried again.
        for (; !isOver; count++) await ask(port).catch(() => ask(port));
      })();
      await cluster.restart();
      isOver = true;
      await load;
      assert(count > 0);
      assertEquals([...(await askMany(port, 40)).keys()].sort(), ["0 3", "1 4"]);
      assertEquals(exits(running.events).every(({ expected }) => expected), true);
    },
  );

  for (const [path, exit] of [["/exit", 9], ["/throw", 1]] as const) {
    Deno.test(`${mode} that end by ${path} are replaced`, { ignore }, async () => {
      await using running = await run([], { mode, restart: { backoffMs: 10 } });
      const isReady = () => running.events.filter(({ type }) => type === "ready").length === 3;
      await ask(running.port, path).catch(() => {});
      assert(await eventually(isReady, PATIENCE_MS));
      const [crash] = exits(running.events);
      assertEquals([crash!.exit.code, crash!.exit.signal, crash!.expected], [exit, null, false]);
      assertEquals((await askMany(running.port, 40)).size, 2);
    });
  }

  Deno.test(`a restart of ${mode} with a broken module leaves the old ones`, {
    ignore,
  }, async () => {
    const folder = await Deno.makeTempDir({ prefix: "nbio_prefork_" });
    try {
      const flag = `${folder}/broken`;
      await using running = await run([`broken=${flag}`], { mode });
      await Deno.writeTextFile(flag, "");
      const error = await assertRejects(() => running.cluster.restart(), PreforkError);
      assertEquals([error.code, error.exit?.code], ["ERR_NET_PREFORK_RESTART", 3]);
      assertEquals([...(await askMany(running.port, 40)).keys()].sort(), ["0 1", "1 2"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test(`${mode} that never get ready are killed, and end it all at last`, async () => {
    const cluster = prefork({
      module: MODULE,
      mode,
      workers: 1,
      args: ["1", "silent"],
      readyTimeoutMs: 50,
      restart: { max: 1, backoffMs: 0 },
      handleSignals: false,
    });
    const error = await assertRejects(() => cluster.finished, PreforkError);
    assertEquals([error.code, error.exit?.signal], ["ERR_NET_PREFORK_CRASHED", "SIGKILL"]);
  });

  Deno.test(`a port that somebody has does not let ${mode} get ready`, { ignore }, async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const cluster = prefork({
      module: MODULE,
      mode,
      workers: 1,
      args: [String(taken.addr.port)],
      restart: { max: 0 },
      handleSignals: false,
    });
    const error = await assertRejects(() => cluster.finished, PreforkError);
    assertEquals([error.code, error.exit?.code], ["ERR_NET_PREFORK_CRASHED", 1]);
  });
}

Deno.test("a process that does not end in time is killed", { ignore }, async () => {
  await using running = await run(["stuck"], { graceMs: 200, workers: 1 });
  await running.cluster.stop();
  const [end] = exits(running.events);
  // By the supervisor, or by itself at the same instant.
  assert(end!.exit.signal === "SIGKILL" || end!.exit.code === 1);
});

Deno.test("a killed process is replaced under load, and requests go on", { ignore }, async () => {
  await using running = await run([]);
  const { port, events, cluster } = running;
  let isOver = false;
  let lost = 0;
  const load = Promise.all(Array.from({ length: 4 }, async () => {
    while (!isOver) await ask(port).catch(() => lost++);
  }));
  const victim = cluster.workers()[0]!;
  Deno.kill(victim.pid!, "SIGKILL");
  const isReady = () => events.filter(({ type }) => type === "ready").length === 3;
  assert(await eventually(isReady, PATIENCE_MS));
  isOver = true;
  await load;
  assertEquals(exits(events).map(({ exit }) => exit.signal), ["SIGKILL"]);
  // No more than those that were with it, and one each in its queue.
  assert(lost <= 8, `${lost} requests were lost`);
  assertEquals((await askMany(port, 40)).size, 2);
});

Deno.test("SIGTERM to one process ends it in order, and it is replaced", { ignore }, async () => {
  await using running = await run([], { restart: { backoffMs: 0 } });
  const { events, cluster } = running;
  Deno.kill(cluster.workers()[0]!.pid!, "SIGTERM");
  const isReady = () => events.filter(({ type }) => type === "ready").length === 3;
  assert(await eventually(isReady, PATIENCE_MS));
  assertEquals(exits(events).map(({ exit }) => exit.code), [0]);
});

Deno.test("processes have the permissions they are given, and no settings for others", {
  ignore,
}, async () => {
  for (
    const [permissions, expected] of [
      [["--allow-net=127.0.0.1"], " undefined"],
      [["--allow-net", "--allow-env=HOME,LANG", "--allow-sys"], "net,sys undefined"],
      [["-A"], "read,write,net,env,run,sys,ffi,import undefined"],
      [undefined, "read,write,net,env,run,sys,ffi,import undefined"],
    ] as const
  ) {
    const options = permissions === undefined ? {} : { permissions };
    await using running = await run([], { workers: 1, ...options });
    assertEquals(await ask(running.port, "/permissions"), expected);
  }
});

/** The program as a supervisor, in a process of its own. */
class Supervisor implements AsyncDisposable {
  readonly port: number = freePort();
  readonly child: Deno.ChildProcess;
  readonly #lines: LineReader;
  pids: number[] = [];

  constructor(options: object, ways: readonly string[] = []) {
    const json = JSON.stringify({ workers: 2, drainMs: 0, ...options });
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", MODULE.pathname, json, String(this.port), ...ways],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#lines = new LineReader(this.child.stdout);
  }

  async ready(): Promise<void> {
    for (let line; (line = await this.#lines.next()) !== undefined;) {
      if (!line.startsWith("ready ")) continue;
      this.pids = line.split(" ").slice(1).map(Number);
      return;
    }
    throw new Error("The supervisor has ended");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of [this.child.pid, ...this.pids]) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // Gone already.
      }
    }
    await this.child.status;
    await this.#lines.cancel();
  }
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} to the supervisor ends all in order, with 0`, { ignore }, async () => {
    await using supervisor = new Supervisor({});
    await supervisor.ready();
    // As at a terminal, where all get it.
    if (signal === "SIGINT") { for (const pid of supervisor.pids) Deno.kill(pid, signal); }
    Deno.kill(supervisor.child.pid, signal);
    assertEquals((await supervisor.child.status).code, 0);
    assertEquals(supervisor.pids.filter(isAlive), []);
  });
}

Deno.test("a second SIGTERM to the supervisor kills all", { ignore }, async () => {
  await using supervisor = new Supervisor({ graceMs: 1e9 }, ["stuck"]);
  await supervisor.ready();
  Deno.kill(supervisor.child.pid, "SIGTERM");
  const refuses = async (): Promise<boolean> => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port: supervisor.port })).close();
      return false;
    } catch {
      return true;
    }
  };
  // The first signal closes the port.
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!await refuses()) assert(performance.now() < deadlineMs);
  Deno.kill(supervisor.child.pid, "SIGTERM");
  assertEquals((await supervisor.child.status).code, 0);
  assertEquals(supervisor.pids.filter(isAlive), []);
});

for (const ways of [[], ["stuck"]]) {
  Deno.test(`no worker outlives a supervisor that is killed${ways.map((way) => `, ${way}`)}`, {
    ignore,
  }, async () => {
    await using supervisor = new Supervisor({ graceMs: 500 }, ways);
    await supervisor.ready();
    assertEquals(supervisor.pids.filter(isAlive).length, 2);
    supervisor.child.kill("SIGKILL");
    assert(await eventually(() => !supervisor.pids.some(isAlive), PATIENCE_MS));
  });
}

Deno.test("output of workers goes where that of the supervisor goes", { ignore }, async () => {
  const args = ["run", "-A", MODULE.pathname];
  const options = { workers: 1, restart: { max: 0 } };
  const result = await runPeer(Deno.execPath(), [
    ...args,
    JSON.stringify(options),
    "1",
    "print",
    "broken=/",
  ]);
  assertEquals([result.code, result.text], [1, "out 0\n"]);
  assert(result.stderr.startsWith("err 0\n"));
});

Deno.test("a supervisor needs no more than to run Deno and one variable", { ignore }, async () => {
  const script = `
    import { prefork } from ${JSON.stringify(new URL("../../nbio/prefork.ts", import.meta.url))};
    const module = "data:text/javascript,Deno.exit(5)";
    const cluster = prefork({ module, workers: 1, restart: { max: 0 } });
    console.log((await cluster.finished.catch((error) => error)).exit.code);`;
  const { text } = await runPeer(Deno.execPath(), [
    "run",
    "--no-prompt",
    `--allow-run=${Deno.execPath()}`,
    "--allow-env=NODE_V8_COVERAGE",
    `data:text/javascript,${encodeURIComponent(script)}`,
  ]);
  assertEquals(text, "5\n");
});

const PROCESS_MODULE = new URL("../../nbio/prefork_process.ts", import.meta.url).href;
const PERMISSIONS_SCRIPT = `import { inheritedPermissions } from ${JSON.stringify(PROCESS_MODULE)};
console.log(inheritedPermissions().join(" "));`;

for (
  const [flags, expected] of [
    [[], ""],
    [["--allow-net", "--allow-read"], "--allow-read --allow-net"],
    [["--allow-net=127.0.0.1:80", "--allow-sys"], "--allow-sys"],
    [["--allow-net", "--deny-net=127.0.0.2", "--allow-env"], "--allow-env"],
    [
      ["-A", "--deny-ffi", "--deny-write=/etc", "--deny-run"],
      "--allow-read --allow-net --allow-env --allow-sys --allow-import",
    ],
  ] as const
) {
  Deno.test(`inheritedPermissions() of "${flags.join(" ")}" is "${expected}"`, async () => {
    const { text } = await runPeer(Deno.execPath(), [
      "run",
      "--no-prompt",
      ...flags,
      `data:text/javascript,${encodeURIComponent(PERMISSIONS_SCRIPT)}`,
    ]);
    assertEquals(text, `${expected}\n`);
  });
}
