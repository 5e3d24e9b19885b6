import { assert, assertEquals } from "@std/assert";
import { listenTls } from "../../tls/listen_tls.ts";
import { ca, server } from "../_support/tls_pki.ts";

const example = new URL("../../examples/certinfo.ts", import.meta.url).pathname;
const path = (name: string): string => new URL(name, import.meta.url).pathname;
const CA = path("ca.pem");
const LEAF = path("leaf.pem");

/** Runs the example as a user would. */
async function certinfo(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "--allow-net", example, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("examples/certinfo.ts prints a certificate, its fingerprint, pin and expiry", async () => {
  const { code, stdout } = await certinfo(CA);
  assertEquals(code, 0);
  for (const start of ["Certificate:", "SHA-256: ", "Pin: ", "Expiry: "]) {
    assertEquals(stdout.split("\n").filter((line) => line.startsWith(start)).length, 1);
  }
  assert(!stdout.includes("Verdict"));
});

Deno.test("examples/certinfo.ts verifies a leaf against roots", async () => {
  const { code, stdout } = await certinfo(LEAF, "--roots", CA, "--name", "localhost", "--brief");
  assert(stdout.includes("Verdict: verified"), stdout);
  assertEquals(code, 0);
});

Deno.test("examples/certinfo.ts says why a leaf is refused", async () => {
  const { code, stdout } = await certinfo(LEAF, "--roots", CA, "--name", "example.com", "--brief");
  assert(stdout.includes("Verdict: refused (ERR_X509_NAME_MISMATCH)"), stdout);
  assertEquals(code, 1);
});

Deno.test("examples/certinfo.ts ends with 2 for what it cannot read", async () => {
  for (const args of [[], [`${CA}.missing`], [example], [LEAF, "--roots", CA, "--purpose", "x"]]) {
    const { code, stderr } = await certinfo(...args);
    assertEquals(code, 2);
    assert(/^(?:Usage|Cannot read certificates): /.test(stderr), stderr);
  }
});

Deno.test("examples/certinfo.ts shows the chain of a server, trusted or not", async () => {
  const roots = await Deno.makeTempFile();
  await Deno.writeTextFile(roots, ca.certificatePem);
  await using listener = listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const { port } = listener.addr as Deno.NetAddr;
  try {
    const at = ["--connect", `127.0.0.1:${port}`, "--brief"];
    const unknown = await certinfo(...at);
    assert(unknown.stdout.includes("Session: TLSv1.3 TLS_"), unknown.stdout + unknown.stderr);
    assert(unknown.stdout.includes("Verdict: refused (ERR_TLS_CERTIFICATE)"), unknown.stdout);
    assertEquals(unknown.code, 1);
    const known = await certinfo(...at, "--roots", roots, "--name", "localhost");
    assert(known.stdout.includes("Verdict: verified"), known.stdout + known.stderr);
    assertEquals(known.code, 0);
    const other = await certinfo(...at, "--roots", roots, "--name", "other.test");
    assert(other.stdout.includes("Verdict: refused (ERR_X509_NAME_MISMATCH)"), other.stdout);
    assertEquals(other.code, 1);
  } finally {
    await Deno.remove(roots);
  }
});

Deno.test("examples/certinfo.ts ends with 2 for a server that is not there", async () => {
  for (const place of ["127.0.0.1:1", "127.0.0.1", "::1:443"]) {
    assertEquals((await certinfo("--connect", place)).code, 2);
  }
});
