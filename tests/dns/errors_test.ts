import { assert, assertEquals } from "@std/assert";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { NetError } from "../../nbio/errors.ts";

Deno.test("DnsMessageError carries code, offset and cause", () => {
  const cause = new Error("below");
  const error = new DnsMessageError("ERR_DNS_BAD_OPT", "Cannot", { offset: 3, cause });
  assert(error instanceof NetError);
  assertEquals([error.name, error.code, error.offset], ["DnsMessageError", "ERR_DNS_BAD_OPT", 3]);
  assert(error.cause === cause);
  assertEquals(new DnsMessageError("ERR_DNS_BAD_OPT", "Cannot").offset, undefined);
});

Deno.test("DnsTextError carries file, line and column", () => {
  const error = new DnsTextError("ERR_DNS_BAD_TEXT", "Cannot", { file: "a", line: 2, column: 3 });
  assertEquals([error.code, error.file, error.line, error.column], ["ERR_DNS_BAD_TEXT", "a", 2, 3]);
  const { file, line, column } = new DnsTextError("ERR_DNS_BAD_TEXT", "Cannot");
  assertEquals([file, line, column], [undefined, 1, 1]);
});
