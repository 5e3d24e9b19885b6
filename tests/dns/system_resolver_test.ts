import { assertEquals, assertStrictEquals } from "@std/assert";
import { systemResolver } from "../../dns/system_resolver.ts";

Deno.test("systemResolver() gives the same resolver until somebody closes it", async () => {
  const first = systemResolver();
  assertStrictEquals(systemResolver(), first);
  await first.close();
  const second = systemResolver();
  assertEquals([second === first, second.isClosed], [false, false]);
  await second.close();
});

Deno.test(
  "systemResolver() says which permission is missing",
  { permissions: "none" },
  async () => {
    const resolver = systemResolver();
    const error = await resolver.lookup("www.example").catch((error) => error);
    assertEquals(error instanceof Deno.errors.NotCapable, true);
    assertEquals(
      /--allow-read=\/etc\/resolv\.conf/.test(error.message),
      Deno.build.os !== "windows",
    );
    await resolver.close();
  },
);
