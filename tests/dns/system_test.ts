import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { SystemDnsReader, type SystemDnsReaderOptions } from "../../dns/system.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";

const canUseFiles = Deno.permissions.querySync({ name: "write" }).state === "granted";
const canRun = Deno.permissions.querySync({ name: "run" }).state === "granted";

interface Etc extends AsyncDisposable {
  readonly paths: Required<
    Pick<SystemDnsReaderOptions, "resolvConfPath" | "hostsPath" | "nsswitchPath">
  >;
  write(file: "resolv.conf" | "hosts" | "nsswitch.conf", text: string): Promise<void>;
  remove(file: string): Promise<void>;
}

/** A folder for the files of a system. */
async function etc(): Promise<Etc> {
  const folder = await Deno.makeTempDir();
  return {
    paths: {
      resolvConfPath: `${folder}/resolv.conf`,
      hostsPath: `${folder}/hosts`,
      nsswitchPath: `${folder}/nsswitch.conf`,
    },
    // A file of the same size and the same millisecond is another one all the same.
    async write(file, text) {
      await Deno.writeTextFile(`${folder}/${file}.new`, text);
      await Deno.rename(`${folder}/${file}.new`, `${folder}/${file}`);
    },
    remove: (file) => Deno.remove(`${folder}/${file}`),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: canUseFiles ? name : `${name} (needs --allow-write)`,
    ignore: !canUseFiles,
    fn,
  });
}

test("SystemDnsReader.read() reads all three files", async () => {
  await using files = await etc();
  await files.write(
    "resolv.conf",
    "nameserver 192.0.2.1\nnameserver ::1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n",
  );
  await files.write("hosts", "192.0.2.9 db\n");
  await files.write("nsswitch.conf", "hosts: dns files\n");
  const system = await new SystemDnsReader(files.paths).read();
  assertEquals(system.servers.map(({ address, port }) => `${address} ${port}`), [
    "192.0.2.1 53",
    "::1 53",
    "192.0.2.2 53",
  ]);
  assertEquals(system.resolvConf.nameservers.length, 4);
  assertEquals(system.hosts.lookup("db"), ["192.0.2.9"]);
  assertEquals(system.services.map(({ name }) => name), ["dns", "files"]);
  assertEquals(system.source, "files");
});

test("SystemDnsReader.read() takes missing files as the C library does", async () => {
  await using files = await etc();
  const system = await new SystemDnsReader(files.paths).read();
  assertEquals(system.servers, [{ address: "127.0.0.1", port: 53 }]);
  assertEquals(system.hosts.lookup("localhost"), []);
  assertEquals(system.services.map(({ name }) => name), ["files", "dns"]);
  assertEquals(system.source, "files");
});

test("SystemDnsReader.read() takes what is no regular file as empty", async () => {
  await using files = await etc();
  const [resolvConfPath, hostsPath] = [files.paths.resolvConfPath, "/dev/zero"] as const;
  await Deno.mkdir(resolvConfPath as string);
  const system = await new SystemDnsReader({ ...files.paths, hostsPath }).read();
  assertEquals(system.servers, [{ address: "127.0.0.1", port: 53 }]);
});

test("SystemDnsReader.read() gives the same object until a file has changed and time has passed", async () => {
  await using files = await etc();
  await files.write("resolv.conf", "nameserver 192.0.2.1\n");
  const clock = new ManualClock();
  const reader = new SystemDnsReader({ ...files.paths, clock });
  const first = await reader.read();
  await files.write("resolv.conf", "nameserver 192.0.2.2\n");
  clock.advance(4_999);
  assertStrictEquals(await reader.read(), first);
  clock.advance(1);
  const second = await reader.read();
  assertEquals(second.servers[0]?.address, "192.0.2.2");
  clock.advance(5_000);
  assertStrictEquals(await reader.read(), second);
  await files.write("hosts", "192.0.2.9 db\n");
  await files.write("nsswitch.conf", "hosts: dns\n");
  clock.advance(5_000);
  const third = await reader.read();
  assertEquals([third.hosts.lookup("db"), third.services.length], [["192.0.2.9"], 1]);
  assertStrictEquals(third.resolvConf, second.resolvConf);
});

test("SystemDnsReader.read() keeps what it has where a file has gone or grown too large", async () => {
  await using files = await etc();
  await files.write("resolv.conf", "nameserver 192.0.2.1\n");
  const reader = new SystemDnsReader({ ...files.paths, checkIntervalMs: 0, maxFileBytes: 50 });
  const first = await reader.read();
  await files.remove("resolv.conf");
  assertStrictEquals(await reader.read(), first);
  await files.write("resolv.conf", "#".repeat(51));
  assertStrictEquals(await reader.read(), first);
  await files.write("resolv.conf", "nameserver 192.0.2.2\n");
  assertEquals((await reader.read()).servers[0]?.address, "192.0.2.2");
});

test("SystemDnsReader.read() reads resolv.conf once with no-reload, and hosts again", async () => {
  await using files = await etc();
  await files.write("resolv.conf", "nameserver 192.0.2.1\noptions no-reload\n");
  const reader = new SystemDnsReader({ ...files.paths, checkIntervalMs: 0 });
  await reader.read();
  await files.write("resolv.conf", "nameserver 192.0.2.2\n");
  await files.write("hosts", "192.0.2.9 db\n");
  const { servers, hosts } = await reader.read();
  assertEquals([servers[0]?.address, hosts.lookup("db")], ["192.0.2.1", ["192.0.2.9"]]);
});

test("SystemDnsReader.read() throws on a file that is too large at first", async () => {
  await using files = await etc();
  await files.write("hosts", "#".repeat(51));
  const at = (maxFileBytes: number) => new SystemDnsReader({ ...files.paths, maxFileBytes }).read();
  await assertRejects(() => at(50), LimitExceededError);
  await at(51);
  await at(0);
});

test("SystemDnsReader.read() reads once for all who ask at the same time", async () => {
  await using files = await etc();
  await files.write("resolv.conf", "nameserver 192.0.2.1\n");
  const reader = new SystemDnsReader({ ...files.paths, checkIntervalMs: 0 });
  const all = await Promise.all(Array.from({ length: 1_000 }, () => reader.read()));
  assertEquals(new Set(all).size, 1);
});

test("SystemDnsReader.read() rejects with the reason of the signal, and others get their answer", async () => {
  await using files = await etc();
  await files.write("resolv.conf", "nameserver 192.0.2.1\n");
  const reader = new SystemDnsReader(files.paths);
  const reason = new Error("enough");
  await assertRejects(() => reader.read({ signal: AbortSignal.abort(reason) }), Error, "enough");
  const controller = new AbortController();
  const aborted = reader.read({ signal: controller.signal });
  const other = reader.read();
  controller.abort(reason);
  assertStrictEquals(await aborted.catch((error) => error), reason);
  assertEquals((await other).servers.length, 1);
  // One that nobody waits for any more is no hindrance.
  const again = new SystemDnsReader(files.paths);
  const lone = new AbortController();
  const left = again.read({ signal: lone.signal });
  lone.abort(reason);
  assertStrictEquals(await left.catch((error) => error), reason);
  assertEquals((await again.read()).servers.length, 1);
});

Deno.test("SystemDnsReader throws on options out of their range", () => {
  for (
    const options of [{ checkIntervalMs: -1 }, { checkIntervalMs: NaN }, { maxFileBytes: -1 }, {
      maxFileBytes: 1.5,
    }]
  ) {
    assertThrows(() => new SystemDnsReader(options), RangeError);
  }
});

/** Reads in a process with other permissions and another environment; gives what it prints. */
async function readElsewhere(
  permissions: readonly string[],
  env: Record<string, string> = {},
): Promise<unknown> {
  const module = new URL("../../dns/system.ts", import.meta.url).href;
  const program = `
    import { SystemDnsReader } from ${JSON.stringify(module)};
    const path = Deno.args[0] ?? false;
    const options = { resolvConfPath: path, hostsPath: false, nsswitchPath: false };
    try {
      const { servers, source, resolvConf } = await new SystemDnsReader(options).read();
      console.log(JSON.stringify({ servers: servers.length, source, search: resolvConf.search, ndots: resolvConf.ndots }));
    } catch (error) {
      console.log(JSON.stringify({ error: error.name, message: error.message }));
    }
  `;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  const conf = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, program);
    await Deno.writeTextFile(conf, "nameserver 192.0.2.1\nsearch a.example\n");
    const allowed = permissions.map((permission) => permission.replace("CONF", conf));
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const args = ["run", "--no-prompt", "--config", config, ...allowed, file, conf];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    return JSON.parse(new TextDecoder().decode(stdout).replaceAll(conf, "CONF"));
  } finally {
    await Deno.remove(file);
    await Deno.remove(conf);
  }
}

function processTest(name: string, fn: () => Promise<void>): void {
  const ignore = !canUseFiles || !canRun;
  Deno.test({ name: ignore ? `${name} (needs --allow-run --allow-write)` : name, ignore, fn });
}

processTest("SystemDnsReader.read() takes the environment where it may be read", async () => {
  const env = { LOCALDOMAIN: "b.example", RES_OPTIONS: "ndots:4" };
  const head = { servers: 1, source: "files" };
  assertEquals(await readElsewhere(["--allow-read=CONF"], env), {
    ...head,
    search: ["a.example."],
    ndots: 1,
  });
  assertEquals(
    await readElsewhere(["--allow-read=CONF", "--allow-env=LOCALDOMAIN,RES_OPTIONS"], env),
    {
      ...head,
      search: ["b.example."],
      ndots: 4,
    },
  );
});

processTest(
  "SystemDnsReader.read() asks the runtime where resolv.conf may not be read",
  async () => {
    const got = await readElsewhere(["--allow-sys=networkInterfaces"]) as Record<string, unknown>;
    // A system without any servers has another error.
    assert(got["source"] === "runtime" || got["error"] === "NotFound");
  },
);

processTest("SystemDnsReader.read() says which permissions are missing", async () => {
  const got = await readElsewhere([]) as Record<string, string>;
  assertEquals(got["error"], "NotCapable");
  // For once the message is what counts.
  assert(got["message"]!.includes("--allow-read=CONF"));
  assert(got["message"]!.includes("--allow-sys=networkInterfaces"));
});
