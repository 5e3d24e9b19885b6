import { assertEquals } from "@std/assert";
import { splitAuthority } from "../../http/telemetry_authority.ts";

const ROWS: ReadonlyArray<
  readonly [value: string | undefined, scheme: string, read: ReturnType<typeof splitAuthority>]
> = [
  ["a.example", "http", { host: "a.example", port: 80 }],
  ["a.example", "https", { host: "a.example", port: 443 }],
  ["a.example:8080", "https", { host: "a.example", port: 8080 }],
  ["a.example:65535", "http", { host: "a.example", port: 65535 }],
  ["a.example:", "http", { host: "a.example", port: 80 }],
  ["[2001:db8::1]", "http", { host: "2001:db8::1", port: 80 }],
  ["[2001:db8::1]:81", "http", { host: "2001:db8::1", port: 81 }],
  ["a.example", "gopher", { host: "a.example", port: undefined }],
  ["a.example:65536", "http", undefined],
  ["a.example:123456", "http", undefined],
  ["a.example:8x", "http", undefined],
  ["2001:db8::1", "http", undefined],
  ["", "http", undefined],
  [undefined, "http", undefined],
];

for (const [value, scheme, read] of ROWS) {
  Deno.test(`splitAuthority() reads ${JSON.stringify(value)} with ${scheme}`, () => {
    assertEquals(splitAuthority(value, scheme), read);
  });
}
