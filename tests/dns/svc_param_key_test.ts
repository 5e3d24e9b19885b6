import { assertEquals } from "@std/assert";
import { formatSvcParamKey, parseSvcParamKey } from "../../dns/svc_param_key.ts";

Deno.test("parseSvcParamKey() gives back what formatSvcParamKey() was given", () => {
  for (let code = 0; code <= 0xffff; code++) {
    assertEquals(parseSvcParamKey(formatSvcParamKey(code)), code);
  }
});

for (
  const text of ["", "key", "key01", "key65536", "KEY1", "Alpn", "key-1", "key1x", "__proto__"]
) {
  Deno.test(`parseSvcParamKey() refuses "${text}"`, () => {
    assertEquals(parseSvcParamKey(text), undefined);
  });
}
