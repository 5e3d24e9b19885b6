import { assertEquals } from "@std/assert";
import { endsLookup, type NameServiceStatus, parseNsswitchConf } from "../../dns/nsswitch_conf.ts";

function hosts(line: string) {
  return parseNsswitchConf(`hosts: ${line}\n`).get("hosts");
}

Deno.test("parseNsswitchConf() reads databases and skips all else", () => {
  const databases = parseNsswitchConf(
    "# hosts: x\n passwd :\tfiles  # y\nnothing\n:a\nhosts:\nhosts: a b\n",
  );
  assertEquals([...databases.keys()], ["passwd", "hosts"]);
  assertEquals(databases.get("passwd"), [{ name: "files", actions: [] }]);
  assertEquals(databases.get("hosts")?.map(({ name }) => name), ["a", "b"]);
});

Deno.test("parseNsswitchConf() reads actions in any case and spacing", () => {
  assertEquals(hosts("a[NOTFOUND=return]b [ !UnAvail = Continue  success=merge ] c"), [
    { name: "a", actions: [{ status: "notfound", negate: false, action: "return" }] },
    {
      name: "b",
      actions: [
        { status: "unavail", negate: true, action: "continue" },
        { status: "success", negate: false, action: "merge" },
      ],
    },
    { name: "c", actions: [] },
  ]);
});

Deno.test("parseNsswitchConf() skips actions that are none", () => {
  assertEquals(hosts("[x=y] a [= b= =c ! d !=e f==g h"), [{ name: "a", actions: [] }]);
  assertEquals(hosts("a []"), [{ name: "a", actions: [] }]);
  assertEquals(hosts(""), []);
});

Deno.test("parseNsswitchConf() takes a time linear in a text that is no file of its kind", () => {
  assertEquals(hosts(`a [${"x".repeat(100_000)}${" ".repeat(100_000)}${"=".repeat(100_000)}`), [
    { name: "a", actions: [] },
  ]);
});

const ENDS: readonly [string, readonly NameServiceStatus[]][] = [
  ["a", ["success"]],
  ["a [NOTFOUND=return]", ["success", "notfound"]],
  ["a [!UNAVAIL=return]", ["success", "notfound", "tryagain"]],
  ["a [SUCCESS=continue]", []],
  ["a [SUCCESS=merge]", ["success"]],
  ["a [!UNAVAIL=return NOTFOUND=continue]", ["success", "tryagain"]],
  ["a [TRYAGAIN=nonsense]", ["success"]],
];

for (const [line, wanted] of ENDS) {
  Deno.test(`endsLookup() of "${line}" is true for ${wanted.join(", ") || "nothing"}`, () => {
    const [service] = hosts(line)!;
    const statuses = ["success", "notfound", "unavail", "tryagain"] as const;
    assertEquals(statuses.filter((status) => endsLookup(service!, status)), [...wanted]);
  });
}
