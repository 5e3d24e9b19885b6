import { assertEquals } from "@std/assert";
import { CloseCode, isSendableCloseCode } from "../../websocket/close_code.ts";

Deno.test("isSendableCloseCode() knows every code of two bytes", () => {
  // RFC 6455 section 7.4 and the IANA registry, as ranges.
  const ranges = [[1000, 1003], [1007, 1014], [3000, 4999]] as const;
  for (let code = 0; code < 65_536; code++) {
    const expected = ranges.some(([first, last]) => code >= first && code <= last);
    assertEquals(isSendableCloseCode(code), expected, String(code));
  }
});

for (const code of [NaN, Infinity, -1000, 1000.5, 70_000, 3000.1]) {
  Deno.test(`isSendableCloseCode() refuses ${code}`, () => {
    assertEquals(isSendableCloseCode(code), false);
  });
}

Deno.test("CloseCode has three codes that are never on the wire", () => {
  const local = Object.values(CloseCode).filter((code) => !isSendableCloseCode(code));
  assertEquals(local, [1005, 1006, 1015]);
});
