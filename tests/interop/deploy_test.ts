import { assert, assertEquals } from "@std/assert";
import { dial } from "@nbio/net/websocket";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { freePort } from "../_support/listening_program.ts";
import { eventually, runPeer, startPeer } from "../_support/peer.ts";
import { CA_CERT, LEAF_CERT, LEAF_KEY } from "../_support/tls_server.ts";
import { DeployedInstance, Load, untilOk } from "./deployed_instance.ts";

const ROOT = new URL("../../", import.meta.url);
const FOLDER = new URL("examples/deploy/", ROOT);
const nginx = hasCommand("nginx");
const haproxy = hasCommand("haproxy");
const curl = hasCommand("curl");
const systemd = hasCommand("systemd-analyze");
const MIB = 1_048_576;
/** Twice the interval at which haproxy asks, and some more for a busy machine. */
const DRAIN_MS = 1_000;
const CLIENT_COUNT = 8;
const ROUND_COUNT = 2;
/** What systemd may find wanting in the unit: 0 is nothing, 100 is all. */
const MAX_EXPOSURE = 20;

/** A configuration with addresses and files of a test: each has to be there, and exactly once. */
async function adapted(name: string, replacements: Record<string, string>): Promise<string> {
  let text = await Deno.readTextFile(new URL(name, FOLDER));
  for (const [from, to] of Object.entries(replacements)) {
    assertEquals(text.split(from).length, 2, `${from} in ${name}`);
    text = text.replace(from, () => to);
  }
  return text;
}

interface Front {
  readonly folder: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly appPorts: readonly [number, number];
}

interface Deployment extends Front {
  readonly instances: readonly [DeployedInstance, DeployedInstance];
  /** Trusts the certificate of the proxy. */
  readonly client: Deno.HttpClient;
}

/** Starts a proxy with its configuration of `examples/deploy`, and gives its URLs to the work. */
async function behind(
  start: (front: Front) => Promise<readonly [string, ...string[]]>,
  work: (deployment: Deployment) => Promise<void>,
  drainMs = 0,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nbio_deploy_" });
  try {
    // A program that changes its user still has to see its files.
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(`${folder}/site.crt`, LEAF_CERT);
    await Deno.writeTextFile(`${folder}/site.key`, LEAF_KEY);
    await Deno.writeTextFile(`${folder}/site.pem`, LEAF_CERT + LEAF_KEY);
    const [httpPort, httpsPort, first, second] = fourPorts();
    const front = { folder, httpPort, httpsPort, appPorts: [first, second] } as const;
    await using one = new DeployedInstance(first, drainMs);
    await using two = new DeployedInstance(second, drainMs);
    await Promise.all([one.start(), two.start()]);
    const [command, ...args] = await start(front);
    await using _proxy = startPeer(command, args, 110_000);
    using client = Deno.createHttpClient({ caCerts: [CA_CERT] });
    await untilOk(`https://localhost:${httpsPort}/`, { client });
    await work({ ...front, instances: [one, two], client });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** All different: a port that is free stays so until somebody takes it. */
function fourPorts(): [number, number, number, number] {
  const ports = new Set<number>();
  while (ports.size < 4) ports.add(freePort());
  return [...ports] as [number, number, number, number];
}

async function startNginx(front: Front): Promise<readonly [string, ...string[]]> {
  const { folder, httpPort, httpsPort, appPorts: [first, second] } = front;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
  const text = await adapted("nginx.conf", {
    "listen 80;": `listen 127.0.0.1:${httpPort};`,
    "listen 443 ": `listen 127.0.0.1:${httpsPort} `,
    "server 127.0.0.1:8001 ": `server 127.0.0.1:${first} `,
    "server 127.0.0.1:8002 ": `server 127.0.0.1:${second} `,
    "/etc/nginx/site.crt": `${folder}/site.crt`,
    "/etc/nginx/site.key": `${folder}/site.key`,
    "/run/nginx.pid": `${folder}/nginx.pid`,
    "/var/log/nginx/error.log": "/dev/null",
    "worker_processes auto;": "worker_processes 2;",
    "http {": `http {\n${temporary}`,
  });
  const path = `${folder}/nginx.conf`;
  await Deno.writeTextFile(path, text);
  const args = [
    "-p",
    folder,
    "-c",
    path,
    "-e",
    "/dev/null",
    "-g",
    "daemon off; master_process off;",
  ] as const;
  const { code, stderr } = await runPeer("nginx", [...args, "-t"]);
  assertEquals([code, /\[(error|emerg)\]/.test(stderr)], [0, false], stderr);
  return ["nginx", ...args];
}

async function startHaproxy(front: Front): Promise<readonly [string, ...string[]]> {
  const { folder, httpPort, httpsPort, appPorts: [first, second] } = front;
  const text = await adapted("haproxy.cfg", {
    "bind :80\n": `bind 127.0.0.1:${httpPort}\n`,
    "bind :443 ": `bind 127.0.0.1:${httpsPort} `,
    "app1 127.0.0.1:8001": `app1 127.0.0.1:${first}`,
    "app2 127.0.0.1:8002": `app2 127.0.0.1:${second}`,
    "/etc/haproxy/site.pem": `${folder}/site.pem`,
  });
  const path = `${folder}/haproxy.cfg`;
  await Deno.writeTextFile(path, text);
  const { code, text: said, stderr } = await runPeer("haproxy", ["-c", "-f", path]);
  assertEquals([code, /WARNING|ALERT/.test(said + stderr)], [0, false], said + stderr);
  return ["haproxy", "-q", "-db", "-f", path];
}

for (
  const [name, ignore, start] of [
    ["nginx", !interopEnabled || !nginx, startNginx],
    ["haproxy", !interopEnabled || !haproxy, startHaproxy],
  ] as const
) {
  Deno.test({
    name: `${name} with the configuration of examples/deploy serves the application`,
    ignore,
    fn: () =>
      behind(start, async ({ httpPort, httpsPort, client }) => {
        const url = `https://localhost:${httpsPort}`;
        const names = new Set<string>();
        for (let index = 0; index < 20; index++) {
          // What a client says of itself is not believed.
          const headers = { "x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1" };
          const text = await (await fetch(`${url}/`, { client, headers })).text();
          assert(text.endsWith(": https from 127.0.0.1\n"), text);
          names.add(text);
        }
        assertEquals(names.size, 2);

        const body = new Uint8Array(3 * MIB);
        const posted = await fetch(`${url}/bytes`, { client, method: "POST", body });
        assertEquals(await posted.json(), { count: 3 * MIB });

        for (const path of ["/healthz", "/readyz"]) {
          const hidden = await fetch(`${url}${path}`, { client });
          assertEquals([hidden.status, (await hidden.text()).includes("ready")], [404, false]);
        }
        const plain = await fetch(`http://127.0.0.1:${httpPort}/a?b`, { redirect: "manual" });
        await plain.body?.cancel();
        assertEquals(plain.status, 301);
        assertEquals(new URL(plain.headers.get("location")!).protocol, "https:");
      }),
  });

  Deno.test({
    name: `${name} with the configuration of examples/deploy passes WebSockets through`,
    ignore,
    fn: () =>
      behind(start, async ({ httpsPort }) => {
        await using ws = await dial(`wss://localhost:${httpsPort}/echo`, {
          tls: { caCerts: [CA_CERT] },
        });
        for (const message of ["", "hello", "x".repeat(200_000)]) {
          await ws.send(message);
          assertEquals((await ws.readMessage())?.data, message);
        }
        await ws.close();
        assertEquals((await ws.closed).clean, true);
      }),
  });

  Deno.test({
    name: `${name} with the configuration of examples/deploy does without an instance that is gone`,
    ignore,
    fn: () =>
      behind(start, async ({ httpsPort, instances: [first, second], client }) => {
        await first.stop();
        const url = `https://localhost:${httpsPort}`;
        for (let index = 0; index < 20; index++) {
          const text = await (await fetch(`${url}/`, { client })).text();
          assertEquals(text, `${second.name}: https from 127.0.0.1\n`);
          const body = new Uint8Array(100_000);
          const posted = await fetch(`${url}/bytes`, { client, method: "POST", body });
          assertEquals(await posted.json(), { count: 100_000 });
        }
      }),
  });

  Deno.test({
    name: `${name} with the configuration of examples/deploy speaks HTTP/2 to clients`,
    ignore: ignore || !curl,
    fn: () =>
      behind(start, async ({ folder, httpsPort }) => {
        await Deno.writeTextFile(`${folder}/ca.pem`, CA_CERT);
        const { code, text, stderr } = await runPeer("curl", [
          ...["--silent", "--show-error", "--http2", "--cacert", `${folder}/ca.pem`],
          ...["--output", "/dev/null", "--write-out", "%{http_version} %{response_code}"],
          `https://localhost:${httpsPort}/`,
        ]);
        assertEquals([code, text], [0, "2 200"], stderr);
      }),
  });
}

Deno.test({
  name: "a rolling restart behind haproxy under load fails no request",
  ignore: !interopEnabled || !haproxy,
  fn: () =>
    behind(startHaproxy, async ({ httpsPort, instances }) => {
      const load = new Load(`https://localhost:${httpsPort}`, CLIENT_COUNT);
      try {
        assert(await eventually(() => load.names.size === instances.length, 15_000));
        for (let round = 0; round < ROUND_COUNT; round++) {
          for (const instance of instances) {
            await instance.restart();
            // The next one goes when this one has work again.
            assert(await eventually(() => load.names.has(instance.name), 15_000));
          }
        }
      } finally {
        await load.stop();
      }
      assertEquals(load.failures, []);
      assertEquals(load.names.size, instances.length * (1 + ROUND_COUNT));
      assert(load.okCount > 100, `${load.okCount} requests`);
    }, DRAIN_MS),
});

Deno.test({
  name: "the load counts what an instance that is killed behind haproxy breaks",
  ignore: !interopEnabled || !haproxy,
  fn: () =>
    behind(startHaproxy, async ({ httpsPort, instances: [first, second] }) => {
      const load = new Load(`https://localhost:${httpsPort}`, CLIENT_COUNT);
      try {
        assert(await eventually(() => load.names.has(first.name) && load.okCount > 20, 15_000));
        // Nearly always an upload is under way in each.
        for (let kills = 0; kills < 5 && load.failures.length === 0; kills++) {
          await first.kill();
          await first.start();
          assert(await eventually(() => load.names.has(first.name), 15_000));
        }
        assert(load.names.has(second.name));
      } finally {
        await load.stop();
      }
      assert(load.failures.length > 0);
    }, DRAIN_MS),
});

Deno.test({
  name: "the unit of examples/deploy is what systemd takes, and little exposed",
  ignore: !interopEnabled || !systemd,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "nbio_deploy_" });
    try {
      // It looks whether the programs are there.
      const text = await adapted("nbio-app@.service", {
        "/usr/local/bin/deno": Deno.execPath(),
        "/usr/bin/curl": Deno.execPath(),
        "WorkingDirectory=/srv/nbio-app": `WorkingDirectory=${folder}`,
      });
      const path = `${folder}/nbio-app@8001.service`;
      await Deno.writeTextFile(path, text);
      const verified = await runPeer("systemd-analyze", ["verify", path]);
      assertEquals([verified.code, verified.stderr], [0, ""]);
      const threshold = `--threshold=${MAX_EXPOSURE}`;
      const args = ["security", "--offline=yes", "--no-pager", threshold, path];
      const rated = await runPeer("systemd-analyze", args);
      assertEquals(rated.code, 0, rated.text);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** The instructions of the Dockerfile: name and rest, lines joined, comments left out. */
async function dockerInstructions(): Promise<[string, string][]> {
  const text = await Deno.readTextFile(new URL("Dockerfile", FOLDER));
  return text.replace(/^#.*\n/gm, "").replaceAll("\\\n", " ").split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line)!;
      return [name!, rest!.trim()];
    });
}

/** The list of arguments of the only instruction with a name, which no shell sees. */
function execForm(instructions: readonly [string, string][], name: string): string[] {
  const found = instructions.filter(([other]) => other === name);
  assertEquals(found.length, 1, name);
  return JSON.parse(found[0]![1].replace(/^.*?(?=\[)/, ""));
}

// There is no docker where these tests run: they look at the facts, and run what it would run.
Deno.test("the Dockerfile is pinned, has no root and permits one address", async () => {
  const instructions = await dockerInstructions();
  const of = (wanted: string) => instructions.filter(([name]) => name === wanted);
  const version = (await Deno.readTextFile(new URL(".ci/deno_version", ROOT))).trim();
  for (const [, image] of of("FROM")) assertEquals(image.split("@")[0], `denoland/deno:${version}`);
  assertEquals(of("USER"), [["USER", "deno:deno"]]);
  const names = instructions.map(([name]) => name);
  assertEquals(names.lastIndexOf("RUN") < names.indexOf("USER"), true);
  assertEquals(of("ADD"), []);
  for (const name of ["HEALTHCHECK", "CMD"]) {
    const permissions = execForm(instructions, name)
      .filter((argument) => /^-A|^--(allow|deny|unstable)/.test(argument));
    assertEquals(permissions.length, 1, name);
    assert(/^--allow-net=(0\.0\.0\.0|127\.0\.0\.1):8000$/.test(permissions[0]!), name);
    assert(execForm(instructions, name).includes("--no-prompt"));
    assert(execForm(instructions, name).includes("--cached-only"));
  }
  assertEquals(of("EXPOSE"), [["EXPOSE", "8000"]]);
});

/** What COPY takes of the checkout, in a folder. */
async function copyContext(instructions: readonly [string, string][], to: string): Promise<void> {
  for (const [, rest] of instructions.filter(([name]) => name === "COPY")) {
    const paths = rest.split(/\s+/);
    const target = `${to}/${paths.pop()}`;
    await Deno.mkdir(target, { recursive: true });
    for (const path of paths) {
      const source = new URL(path, ROOT).pathname;
      const from = path.endsWith("/") ? `${source}.` : source;
      const { code, stderr } = await runPeer("cp", ["-R", from, target]);
      assertEquals(code, 0, stderr);
    }
  }
}

Deno.test({
  name: "what the Dockerfile copies is enough for its command and its health check",
  ignore: !interopEnabled || Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "nbio_deploy_" });
    try {
      const instructions = await dockerInstructions();
      await copyContext(instructions, folder);
      const port = freePort();
      const own = (args: string[]) =>
        args.filter((argument) => argument !== "deno")
          .map((argument) =>
            argument.replace("8000", String(port)).replace(/^examples/, `${folder}/$&`)
          )
          .flatMap((argument) =>
            argument === "run" ? ["run", `--config=${folder}/deno.json`] : argument
          );
      const health = own(execForm(instructions, "HEALTHCHECK"));
      {
        await using app = startPeer(Deno.execPath(), own(execForm(instructions, "CMD")), 60_000);
        await app.ready(/^Listening on http:\/\/0\.0\.0\.0:/);
        const well = await runPeer(Deno.execPath(), health);
        assertEquals([well.code, well.text], [0, "alive\n"], well.stderr);
      }
      const ill = await runPeer(Deno.execPath(), health);
      assertEquals(ill.code, 1, ill.stderr);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
