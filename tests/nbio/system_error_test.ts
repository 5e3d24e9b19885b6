import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import fs from "node:fs";
import net from "node:net";
import { toSystemError } from "../../nbio/system_error.ts";

function systemError(code: unknown, syscall?: string): Error {
  return Object.assign(new Error("Call failed"), { code, syscall });
}

const CLASSES: readonly [code: string, errorClass: new (message: string) => Error][] = [
  ["EACCES", Deno.errors.PermissionDenied],
  ["EADDRINUSE", Deno.errors.AddrInUse],
  ["EADDRNOTAVAIL", Deno.errors.AddrNotAvailable],
  ["ECANCELED", Deno.errors.Interrupted],
  ["ECONNABORTED", Deno.errors.ConnectionAborted],
  ["ECONNREFUSED", Deno.errors.ConnectionRefused],
  ["ECONNRESET", Deno.errors.ConnectionReset],
  ["EEXIST", Deno.errors.AlreadyExists],
  ["EINTR", Deno.errors.Interrupted],
  ["EISDIR", Deno.errors.IsADirectory],
  ["ELOOP", Deno.errors.FilesystemLoop],
  ["ENETUNREACH", Deno.errors.NetworkUnreachable],
  ["ENOENT", Deno.errors.NotFound],
  ["ENOTCONN", Deno.errors.NotConnected],
  ["ENOTDIR", Deno.errors.NotADirectory],
  ["ENOTFOUND", Deno.errors.NotFound],
  ["ENOTSUP", Deno.errors.NotSupported],
  ["EOPNOTSUPP", Deno.errors.NotSupported],
  ["EPERM", Deno.errors.PermissionDenied],
  ["EPIPE", Deno.errors.BrokenPipe],
  ["ETIMEDOUT", Deno.errors.TimedOut],
];

for (const [code, errorClass] of CLASSES) {
  Deno.test(`toSystemError() gives ${errorClass.name} for ${code}`, () => {
    const error = systemError(code);
    const system = toSystemError(error);
    assertInstanceOf(system, errorClass);
    assertEquals((system as { code?: string }).code, code);
    assertEquals(system.message, error.message);
    assertStrictEquals(system.cause, error);
  });
}

Deno.test("toSystemError() gives NotCapable for a look-up that was not allowed", () => {
  assertInstanceOf(toSystemError(systemError("EPERM", "getaddrinfo")), Deno.errors.NotCapable);
});

class LibraryError extends Error {
  readonly code = "ECONNRESET";
}

for (
  const [name, error] of [
    ["an error without a code", new Error("plain")],
    ["a code that is none of the system's", systemError("ERR_STREAM_DESTROYED")],
    ["a code for which the runtime has no class", systemError("EHOSTUNREACH")],
    ["a code that names something every object has", systemError("constructor")],
    ["a code that is a number", systemError(104)],
    ["a code that cannot be made text", systemError(Object.create(null))],
    ["an error of the runtime's own", new Deno.errors.NotFound("gone")],
    ["an error of a library", new LibraryError("reset")],
    ["something that is like an error", { message: "reset", code: "ECONNRESET" }],
    ["text", "ECONNRESET"],
    ["nothing", undefined],
    ["null", null],
  ] as const
) {
  Deno.test(`toSystemError() leaves ${name} as it is`, () => {
    assertStrictEquals(toSystemError(error), error);
  });
}

/** What a call of a `node:` module fails with. */
function failureOf(call: (onError: (error: Error | null) => void) => void): Promise<Error> {
  return new Promise((resolve) => call((error) => resolve(error!)));
}

async function thrownBy(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("Nothing was thrown");
}

/** The same failure through both doors. */
interface Failure {
  readonly name: string;
  readonly node: (onError: (error: Error | null) => void) => void;
  readonly deno: () => unknown;
}

/** A port that is taken, and one that is not listened on. */
async function withPorts(run: (taken: number, free: number) => Promise<void>): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  await run(listener.addr.port, closed.addr.port);
}

Deno.test("toSystemError() makes of node's errors what Deno throws for the same thing", async () => {
  const file = await Deno.makeTempFile();
  const here = "127.0.0.1";
  await withPorts(async (taken, free) => {
    const failures: readonly Failure[] = [
      {
        name: "taken port",
        node: (onError) => net.createServer().on("error", onError).listen(taken, here),
        deno: () => Deno.listen({ hostname: here, port: taken }),
      },
      {
        name: "refused connection",
        node: (onError) => net.connect(free, here).on("error", onError),
        deno: () => Deno.connect({ hostname: here, port: free }),
      },
      {
        name: "missing file",
        node: (onError) => fs.open(`${file}.missing`, "r", onError),
        deno: () => Deno.open(`${file}.missing`),
      },
      {
        name: "file instead of a directory",
        node: (onError) => fs.open(`${file}/below`, "r", onError),
        deno: () => Deno.open(`${file}/below`),
      },
      {
        name: "existing file",
        node: (onError) => fs.mkdir(file, onError),
        deno: () => Deno.mkdir(file),
      },
    ];
    for (const { name, node, deno } of failures) {
      const system = toSystemError(await failureOf(node));
      const own = await thrownBy(deno);
      assertStrictEquals((system as Error).constructor, own.constructor, name);
      assert(own.constructor !== Error, name);
    }
  });
  await Deno.remove(file);
});
