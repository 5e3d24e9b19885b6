import { assertEquals, assertThrows } from "@std/assert";
import { TrustedAddresses } from "../../http/trusted_addresses.ts";

const tcp = (hostname: string): Deno.Addr => ({ transport: "tcp", hostname, port: 1 });
const unix: Deno.Addr = { transport: "unix", path: "/run/a" };

Deno.test("TrustedAddresses.has() knows addresses, ranges and Unix sockets", () => {
  const trusted = new TrustedAddresses(["unix", "10.0.0.0/8", "::1"]);
  assertEquals(
    [tcp("10.1.1.1"), tcp("::ffff:10.1.1.1"), tcp("::1"), unix].map((addr) => trusted.has(addr)),
    [true, true, true, true],
  );
  assertEquals([tcp("11.1.1.1"), tcp("unix"), tcp("")].map((addr) => trusted.has(addr)), [
    false,
    false,
    false,
  ]);
  assertEquals([trusted.hasAddress("10.0.0.1"), trusted.hasAddress("unix")], [true, false]);
});

Deno.test("TrustedAddresses trusts nobody it was not told of", () => {
  assertEquals(new TrustedAddresses([]).has(unix), false);
  assertEquals(new TrustedAddresses(["0.0.0.0/0", "::/0"]).has(unix), false);
  assertThrows(() => new TrustedAddresses(["Unix"]), RangeError);
});
