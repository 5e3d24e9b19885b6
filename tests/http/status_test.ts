import { assert, assertEquals } from "@std/assert";
import { checkReason } from "../../http/field_text.ts";
import { reasonPhrase } from "../../http/status.ts";

for (
  const [status, phrase] of [
    [100, "Continue"],
    [200, "OK"],
    [204, "No Content"],
    [304, "Not Modified"],
    [400, "Bad Request"],
    [408, "Request Timeout"],
    [413, "Content Too Large"],
    [414, "URI Too Long"],
    [417, "Expectation Failed"],
    [431, "Request Header Fields Too Large"],
    [500, "Internal Server Error"],
    [501, "Not Implemented"],
    [505, "HTTP Version Not Supported"],
  ] as const
) {
  Deno.test(`reasonPhrase() names ${status}`, () => assertEquals(reasonPhrase(status), phrase));
}

Deno.test("reasonPhrase() is empty for what nobody registered", () => {
  for (const status of [0, 99, 105, 306, 418, 430, 509, 600, 999, 200.5, NaN]) {
    assertEquals(reasonPhrase(status), "");
  }
});

Deno.test("reasonPhrase() gives phrases that may stand in a status line", () => {
  let count = 0;
  for (let status = 100; status < 1000; status++) {
    const phrase = reasonPhrase(status);
    checkReason(phrase);
    if (phrase !== "") count++;
  }
  assert(count > 50);
});
