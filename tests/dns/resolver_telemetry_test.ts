import { assertEquals, assertRejects } from "@std/assert";
import { HostsFile } from "../../dns/hosts_file.ts";
import { Resolver } from "../../dns/resolver.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { noTelemetry } from "../../nbio/telemetry.ts";
import { FakeTelemetry } from "../_support/fake_telemetry.ts";

const DURATION = "dns.lookup.duration";
const hosts = new HostsFile("192.0.2.1 db.internal\n");

Deno.test("Resolver.lookup() is measured, in seconds", async () => {
  const telemetry = new FakeTelemetry();
  await using resolver = new Resolver({ servers: ["192.0.2.53"], hosts, telemetry });
  assertEquals(await resolver.lookup("db.internal"), ["192.0.2.1"]);
  assertEquals(telemetry.attributesOf(DURATION), [{}]);
  assertEquals(telemetry.instruments[DURATION]!.unit, "s");
});

Deno.test("Resolver.lookup() that fails is measured with what it failed with", async () => {
  const telemetry = new FakeTelemetry();
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const exchange = (): Promise<never> => new Promise(() => {});
  await using resolver = new Resolver({ exchange, hosts, telemetry, wheel });
  const failure = assertRejects(
    () => resolver.lookup("a.example.", { timeoutMs: 1_000 }),
    TimeoutError,
  );
  await settle();
  clock.advance(1_200);
  await failure;
  assertEquals(telemetry.attributesOf(DURATION), [{ "error.type": "ERR_NET_TIMEOUT" }]);
  assertEquals(telemetry.valuesOf(DURATION)[0]! >= 1, true);
});

Deno.test("Resolver.lookup() tells nobody where nobody listens", async () => {
  await using resolver = new Resolver({ servers: ["192.0.2.53"], hosts, telemetry: noTelemetry });
  assertEquals(await resolver.lookup("db.internal"), ["192.0.2.1"]);
});
