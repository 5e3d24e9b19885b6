import { assertEquals } from "@std/assert";
import { HostsFile } from "../../dns/hosts_file.ts";

const HOSTS = new HostsFile(`# comment
127.0.0.1\tlocalhost loop
::1 localhost ip6-localhost
  192.0.2.1   Db.Example\t db # primary
2001:DB8:0::1 db
192.0.2.1 db other DB
192.0.2.2 spare
fe80::1%eth0 link
999.0.0.1 bad
127.1 short
192.0.2.3
#192.0.2.4 hidden
192.0.2.5 #nameless
nonsense\r
192.0.2.6 cr\r
`);

Deno.test("HostsFile.lookup() gives the addresses of all lines once, in their order", () => {
  assertEquals(HOSTS.lookup("db"), ["192.0.2.1", "2001:db8::1"]);
  assertEquals(HOSTS.lookup("localhost"), ["127.0.0.1", "::1"]);
  assertEquals(HOSTS.lookup("link"), ["fe80::1%eth0"]);
  assertEquals(HOSTS.lookup("cr"), ["192.0.2.6"]);
});

Deno.test("HostsFile.lookup() gives one family where it is asked to", () => {
  assertEquals(HOSTS.lookup("db", 4), ["192.0.2.1"]);
  assertEquals(HOSTS.lookup("db", 6), ["2001:db8::1"]);
  assertEquals(HOSTS.lookup("spare", 6), []);
});

Deno.test("HostsFile.lookup() takes any case and a dot at the end, but no part of a name", () => {
  for (const name of ["db.example", "DB.EXAMPLE", "Db.Example."]) {
    assertEquals(HOSTS.lookup(name), ["192.0.2.1"]);
  }
  for (const name of ["example", "d", "db.", "", ".", "constructor", "__proto__"]) {
    assertEquals(HOSTS.lookup(name), name === "db." ? ["192.0.2.1", "2001:db8::1"] : []);
  }
});

Deno.test("HostsFile.lookup() knows nothing of lines without an address or a name, and comments", () => {
  for (const name of ["bad", "short", "hidden", "nameless", "primary", "#", "192.0.2.3"]) {
    assertEquals(HOSTS.lookup(name), []);
  }
});

Deno.test("HostsFile.canonicalName() gives the first name of the first line", () => {
  assertEquals(HOSTS.canonicalName("DB"), "Db.Example");
  assertEquals(HOSTS.canonicalName("other"), "db");
  assertEquals(HOSTS.canonicalName("nobody"), undefined);
});

Deno.test("HostsFile.reverse() gives the names of all lines once, the address in any form", () => {
  assertEquals(HOSTS.reverse("192.0.2.1"), ["Db.Example", "db", "other", "DB"]);
  assertEquals(HOSTS.reverse("0:0:0:0:0:0:0:1"), ["localhost", "ip6-localhost"]);
  assertEquals(HOSTS.reverse("fe80::1%eth0"), ["link"]);
  assertEquals([HOSTS.reverse("fe80::1"), HOSTS.reverse("192.0.2.9"), HOSTS.reverse("db")], [
    [],
    [],
    [],
  ]);
});

Deno.test("HostsFile gives lists that are the caller's own", () => {
  const hosts = new HostsFile("192.0.2.1 a\n");
  (hosts.lookup("a") as string[]).push("x");
  (hosts.reverse("192.0.2.1") as string[]).push("x");
  assertEquals([hosts.lookup("a"), hosts.reverse("192.0.2.1")], [["192.0.2.1"], ["a"]]);
});

Deno.test("HostsFile is empty without a text", () => {
  assertEquals(new HostsFile().lookup("localhost"), []);
});

Deno.test("HostsFile takes a time linear in long lines and in many names of one address", () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `ad${index}.example`);
  const hosts = new HostsFile(
    `0.0.0.0 ${names.join(" ")}\n${names.map((name) => `0.0.0.0 ${name}\n`).join("")}`,
  );
  assertEquals(hosts.reverse("0.0.0.0").length, 100_000);
  assertEquals(hosts.lookup("ad99999.example"), ["0.0.0.0"]);
});
