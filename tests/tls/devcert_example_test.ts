import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { parseCertificates } from "../../tls/certificate.ts";
import { createDevelopmentCa } from "../../tls/development_certificate.ts";
import { verifyChain } from "../../tls/verify_chain.ts";

const example = new URL("../../examples/devcert.ts", import.meta.url).pathname;

/** A folder for one test, and the example with permission for nothing else. */
class Workshop implements AsyncDisposable {
  readonly root: string;
  readonly folder: string;

  constructor(root: string) {
    this.root = root;
    this.folder = `${root}/certs`;
  }

  static async create(): Promise<Workshop> {
    return new Workshop(await Deno.makeTempDir());
  }

  async run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const permissions = [`--allow-read=${this.folder}`, `--allow-write=${this.folder}`];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...permissions, example, `--folder=${this.folder}`, ...args],
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(`${this.folder}/${name}`);
  }

  names(): string[] {
    return Array.from(Deno.readDirSync(this.folder), ({ name }) => name).sort();
  }

  mode(name: string): number {
    return Deno.statSync(`${this.folder}/${name}`).mode! & 0o777;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

const FILES = ["ca.pem", "ca_key.pem", "leaf.pem", "leaf_key.pem"];

async function verified(workshop: Workshop, leaf: string, name: string): Promise<void> {
  const roots = parseCertificates(await workshop.read("ca.pem"));
  const [certificate] = parseCertificates(await workshop.read(leaf));
  await verifyChain(certificate!, { roots, name });
}

Deno.test("examples/devcert.ts writes a CA and a leaf, the keys for the owner only", async () => {
  await using workshop = await Workshop.create();
  const { code, stdout, stderr } = await workshop.run();
  assertEquals([code, stderr], [0, ""]);
  assertEquals(workshop.names(), FILES);
  if (Deno.build.os !== "windows") {
    for (const name of FILES) {
      const mode = workshop.mode(name);
      if (name.endsWith("_key.pem")) assertEquals(mode, 0o600);
      else assertEquals(mode & 0o133, 0);
    }
  }
  for (const name of ["localhost", "127.0.0.1", "::1"]) await verified(workshop, "leaf.pem", name);
  for (const word of ["localhost, 127.0.0.1, ::1", "Ubuntu", "macOS", "Windows", "Firefox"]) {
    assert(stdout.includes(word), stdout);
  }
});

Deno.test("examples/devcert.ts uses a CA again, and writes over a leaf with --force only", async () => {
  await using workshop = await Workshop.create();
  assertEquals((await workshop.run("--quiet")).code, 0);
  const before = await Promise.all(FILES.map((name) => workshop.read(name)));
  assertEquals((await workshop.run("a.test")).code, 1);
  assertEquals(await Promise.all(FILES.map((name) => workshop.read(name))), before);
  const { code, stdout } = await workshop.run("--force", "--quiet", "a.test", "bücher.test");
  assertEquals(code, 0);
  assert(stdout.includes("used again"), stdout);
  const after = await Promise.all(FILES.map((name) => workshop.read(name)));
  assertEquals(after.slice(0, 2), before.slice(0, 2));
  assertNotEquals(after.slice(2), before.slice(2));
  assertEquals(workshop.names(), FILES);
  assertEquals(workshop.mode("leaf_key.pem"), 0o600);
  for (const name of ["a.test", "xn--bcher-kva.test"]) await verified(workshop, "leaf.pem", name);
  assertEquals((await workshop.run("--prefix=second", "--quiet", "b.test")).code, 0);
  await verified(workshop, "second.pem", "b.test");
});

Deno.test({
  name: "examples/devcert.ts replaces a file or a link, and never writes into it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using workshop = await Workshop.create();
    await Deno.mkdir(workshop.folder);
    const victim = `${workshop.root}/victim`;
    await Deno.writeTextFile(victim, "untouched");
    await Deno.symlink(victim, `${workshop.folder}/leaf_key.pem`);
    await Deno.writeTextFile(`${workshop.folder}/leaf.pem`, "old", { mode: 0o666 });
    assertEquals((await workshop.run()).code, 1);
    assertEquals(workshop.names(), ["leaf.pem", "leaf_key.pem"]);
    assertEquals((await workshop.run("--force", "--quiet")).code, 0);
    assertEquals(await Deno.readTextFile(victim), "untouched");
    assertEquals(workshop.mode("leaf_key.pem"), 0o600);
    assertEquals(Deno.lstatSync(`${workshop.folder}/leaf_key.pem`).isSymlink, false);
  },
});

Deno.test("examples/devcert.ts refuses half of a CA, and one that is broken", async () => {
  await using workshop = await Workshop.create();
  await Deno.mkdir(workshop.folder);
  const [one, other] = [await createDevelopmentCa(), await createDevelopmentCa()];
  await Deno.writeTextFile(`${workshop.folder}/ca.pem`, one.certificatePem);
  assertEquals((await workshop.run()).code, 1);
  await Deno.writeTextFile(`${workshop.folder}/ca_key.pem`, other.privateKeyPem);
  assertEquals((await workshop.run()).code, 2);
  assertEquals(workshop.names(), ["ca.pem", "ca_key.pem"]);
});

Deno.test("examples/devcert.ts restricts a new CA", async () => {
  await using workshop = await Workshop.create();
  const args = ["--quiet", "--permit=app.test", "--key=Ed25519", "--days=7", "--client"];
  assertEquals((await workshop.run(...args, "b.test")).code, 2);
  assertEquals((await workshop.run(...args, "a.app.test")).code, 0);
  const [leaf] = parseCertificates(await workshop.read("leaf.pem"));
  assertEquals(leaf?.subjectPublicKeyInfo.algorithm.name, "ED25519");
  assertEquals(leaf?.extendedKeyUsage?.length, 2);
  assertEquals((leaf!.notAfter - leaf!.notBefore + 1_000) / 86_400_000, 7);
  const [ca] = parseCertificates(await workshop.read("ca.pem"));
  assertEquals(ca?.nameConstraints?.permitted?.length, 1);
  assertEquals((await workshop.run("--force", "--permit=b.test", "a.app.test")).code, 1);
});

Deno.test("examples/devcert.ts ends with 2 for what it cannot do", async () => {
  await using workshop = await Workshop.create();
  const wrong = [
    ["*.test"],
    ["https://a.test"],
    ["a b"],
    ["--days=398"],
    ["--days=x"],
    ["--key=DSA"],
    ["--prefix=../leaf"],
    ["--prefix=ca"],
    ["--nonsense"],
    [`--folder=${workshop.root}`],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await workshop.run(...args);
    assertEquals([args, code, stdout], [args, 2, ""]);
    assert(stderr.startsWith("Cannot make certificate: "), stderr);
  }
  assertEquals(Array.from(Deno.readDirSync(workshop.root)), []);
});
