import { assertEquals } from "@std/assert";
import { hostOf, nameMethod } from "../../http/telemetry_conventions.ts";

Deno.test("nameMethod() keeps a known method", () => {
  assertEquals(nameMethod("PATCH"), { attribute: "PATCH", word: "PATCH", original: undefined });
});

for (const method of ["get", "PROPFIND", "", "X".repeat(1000)]) {
  Deno.test(`nameMethod() does not take ${JSON.stringify(method.slice(0, 8))} for a name`, () => {
    assertEquals(nameMethod(method), { attribute: "_OTHER", word: "HTTP", original: method });
  });
}

Deno.test("hostOf() knows hosts from paths", () => {
  const tcp = { transport: "tcp", hostname: "::1", port: 7 } as const;
  assertEquals(hostOf(tcp)?.port, 7);
  assertEquals(hostOf({ transport: "unix", path: "/a" }), undefined);
});
