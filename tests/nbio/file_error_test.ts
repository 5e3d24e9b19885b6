import { assert, assertEquals } from "@std/assert";
import { NetError } from "../../nbio/errors.ts";
import { FileError, type FileErrorCode } from "../../nbio/file_error.ts";

Deno.test("FileError tells the step, the path and the cause", () => {
  const cause = new Deno.errors.NotFound("gone");
  const error = new FileError("Cannot open a.txt: gone", { step: "open", path: "a.txt", cause });
  assert(error instanceof NetError);
  assertEquals([error.name, error.code, error.step, error.path], [
    "FileError",
    "ERR_NET_FILE",
    "open",
    "a.txt",
  ]);
  assert(error.cause === cause);
});

Deno.test("FileError keeps the path as the caller gave it", () => {
  const path = new URL("file:///tmp/a%20b");
  assert(new FileError("Cannot read", { step: "read", path }).path === path);
  assertEquals(new FileError("Cannot read", { step: "read" }).path, undefined);
});

for (const code of ["ERR_NET_FILE_ENDED", "ERR_NET_FILE_CLOSED"] satisfies FileErrorCode[]) {
  Deno.test(`FileError takes the code ${code}, and no cause`, () => {
    const error = new FileError("Cannot read", { step: "read", code });
    assertEquals([error.code, error.cause], [code, undefined]);
  });
}
