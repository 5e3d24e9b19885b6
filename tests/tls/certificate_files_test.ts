import { assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../nbio/file_error.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { CertificateFiles, type CertificateFilesOptions } from "../../tls/certificate_files.ts";
import { issue, type OwnPems, server } from "../_support/tls_pki.ts";

const next = await issue(["localhost"]);

class Files implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync();

  async write({ cert, key }: OwnPems): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${this.folder}/key.pem`, key);
  }

  open(options: CertificateFilesOptions = {}): Promise<CertificateFiles> {
    return CertificateFiles.open(`${this.folder}/cert.pem`, `${this.folder}/key.pem`, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("CertificateFiles.select() reads the files again when it is time", async () => {
  await using files = new Files();
  await files.write(server);
  const clock = new ManualClock();
  const certificates = await files.open({ clock, maxAgeMs: 1_000 });
  await files.write(next);
  clock.advance(999);
  assertEquals(await certificates.select(), server);
  clock.advance(1);
  const both = await Promise.all([certificates.select(), certificates.select()]);
  assertEquals(both.map(({ cert }) => cert).includes(next.cert), true);
  assertEquals(await certificates.select(), next);
});

Deno.test("CertificateFiles keeps what it has when the files are not good", async () => {
  await using files = new Files();
  await files.write(server);
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const certificates = await files.open({
    clock,
    maxAgeMs: 1_000,
    onReloadError: (error) => errors.push(error),
  });
  await files.write({ cert: next.cert, key: server.key });
  clock.advance(1_000);
  assertEquals(await certificates.select(), server);
  assertEquals(await certificates.select(), server);
  assertEquals([errors.length, errors[0] instanceof RangeError], [1, true]);
  await assertRejects(() => certificates.reload(), RangeError);
  await files.write(next);
  await certificates.reload();
  assertEquals(await certificates.select(), next);
});

Deno.test("CertificateFiles.open() throws on files and options that are not good", async () => {
  await using files = new Files();
  await assertRejects(() => files.open(), FileError);
  await files.write(server);
  await assertRejects(() => files.open({ maxFileBytes: 16 }), LimitExceededError);
  await assertRejects(() => files.open({ maxFileBytes: 0 }), RangeError);
  await assertRejects(() => files.open({ maxAgeMs: -1 }), RangeError);
  await files.write({ cert: "", key: "" });
  await assertRejects(() => files.open(), TypeError);
});
