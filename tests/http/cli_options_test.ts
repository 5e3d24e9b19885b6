import { assertEquals, assertThrows } from "@std/assert";
import { CLI_USAGE, parseCliOptions } from "../../http/cli_options.ts";

const DEFAULTS = {
  module: "app.ts",
  port: 8000,
  hostname: "0.0.0.0",
  unix: undefined,
  workers: 1,
  tlsCert: undefined,
  tlsKey: undefined,
  log: undefined,
};

for (
  const [args, changed] of [
    [["app.ts"], {}],
    [["--port=0", "app.ts"], { port: 0 }],
    [["app.ts", "--port", "65535", "--hostname", "::1"], { port: 65535, hostname: "::1" }],
    [["app.ts", "--unix=/run/a.sock"], { unix: "/run/a.sock" }],
    [["app.ts", "--workers=1024"], { workers: 1024 }],
    [["app.ts", "--tls-cert=a", "--tls-key=b=c"], { tlsCert: "a", tlsKey: "b=c" }],
    [["--log", "app.ts"], { log: "common" }],
    [["app.ts", "--log=json"], { log: "json" }],
  ] as const
) {
  Deno.test(`parseCliOptions() reads ${args.join(" ")}`, () => {
    assertEquals(parseCliOptions(args), { ...DEFAULTS, ...changed });
  });
}

for (
  const args of [
    [],
    ["a.ts", "b.ts"],
    ["a.ts", "--port=65536"],
    ["a.ts", "--port=-1"],
    ["a.ts", "--port=1e3"],
    ["a.ts", "--port="],
    ["a.ts", "--port"],
    ["a.ts", "--port=1", "--port=2"],
    ["a.ts", "--workers=0"],
    ["a.ts", "--workers=1025"],
    ["a.ts", "--workers=2", "--port=0"],
    ["a.ts", "--workers=2", "--unix=a"],
    ["a.ts", "--unix=a", "--port=1"],
    ["a.ts", "--tls-cert=a"],
    ["a.ts", "--tls-key=a"],
    ["a.ts", "--log=xml"],
    ["a.ts", "--frob"],
    ["a.ts", "-p"],
  ]
) {
  Deno.test(`parseCliOptions() throws on ${args.join(" ") || "nothing"}`, () => {
    assertThrows(() => parseCliOptions(args), TypeError);
  });
}

Deno.test("parseCliOptions() gives nothing for help, which names every option", () => {
  assertEquals(parseCliOptions(["--help", "--port=1"]), undefined);
  for (const name of ["port", "hostname", "unix", "workers", "tls-cert", "tls-key", "log"]) {
    assertEquals(CLI_USAGE.includes(`--${name}`), true);
  }
});
