import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import { DnsTextError } from "../../dns/errors.ts";
import { HostsFile } from "../../dns/hosts_file.ts";
import type { Question } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { Resolver } from "../../dns/resolver.ts";
import { DnsResponseError, DnsTimeoutError } from "../../dns/resolver_errors.ts";
import type { ResolverOptions } from "../../dns/resolver_options.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { dial } from "../../nbio/dial.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import type { Transport } from "../../nbio/transport.ts";
import { isSettled, ManualClock, settle } from "../../nbio/testing.ts";
import { addressRecord, honestAnswer, ScriptedDnsServer } from "../_support/dns_server.ts";

/** A resolver in virtual time over a function that answers questions. */
class Scene {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  readonly resolver: Resolver;
  #answer: (question: Question) => MessageInit | Promise<MessageInit>;

  constructor(
    answer: (question: Question) => MessageInit | Promise<MessageInit>,
    options: ResolverOptions = {},
  ) {
    this.#answer = answer;
    this.resolver = new Resolver({
      wheel: new DeadlineWheel(this.clock, { tickMs: 10 }),
      exchange: async (query) => {
        const { id, questions } = decodeMessage(query);
        const [question] = questions;
        this.asked.push(`${question!.name} ${question!.type}`);
        const parts = await this.#answer(question!);
        return encodeMessage({ id, questions, response: true, recursionAvailable: true, ...parts });
      },
      ...options,
    });
  }

  /** Answers otherwise from now on. */
  set answer(answer: (question: Question) => MessageInit | Promise<MessageInit>) {
    this.#answer = answer;
  }
}

function addresses({ name, type }: Question): MessageInit {
  if (type === "A") return { answers: [addressRecord(name, "192.0.2.1")] };
  return type === "AAAA" ? { answers: [addressRecord(name, "2001:db8::1")] } : {};
}

const NEVER = new Promise<never>(() => {});

Deno.test("Resolver.resolve() gives typed records with what is left of their TTL", async () => {
  const { resolver, clock, asked } = new Scene(() => ({
    answers: [parseRecord("example. 300 IN MX 10 mail.example.")],
  }));
  const [first] = await resolver.resolve("example", "MX");
  assertEquals([first?.data.preference, first?.data.exchange, first?.ttl], [
    10,
    "mail.example.",
    300,
  ]);
  clock.advance(100_000);
  const [second] = await resolver.resolve("EXAMPLE.", "MX");
  assertEquals([second?.ttl, asked.length], [200, 1]);
  clock.advance(200_001);
  await resolver.resolve("example", "MX");
  assertEquals(asked.length, 2);
});

Deno.test("Resolver.resolve() asks without the cache where it is told to, and keeps the answer", async () => {
  const { resolver, asked } = new Scene(addresses);
  await resolver.resolve("example", "A");
  await resolver.resolve("example", "A", { useCache: false });
  await resolver.resolve("example", "A");
  assertEquals(asked.length, 2);
  const uncached = new Scene(addresses, { cache: false });
  await uncached.resolver.resolve("example", "A");
  await uncached.resolver.resolve("example", "A");
  assertEquals([uncached.asked.length, uncached.resolver.cache], [2, undefined]);
});

Deno.test("Resolver.resolve() tells NXDOMAIN from NODATA, and keeps both", async () => {
  const soa = parseRecord("example. 300 IN SOA ns.example. root.example. 1 2 3 4 60");
  const { resolver, asked } = new Scene(({ name }) => ({
    rcode: name === "no.example." ? "NXDOMAIN" : "NOERROR",
    authorities: [soa],
  }));
  for (let round = 0; round < 2; round++) {
    const absent = await assertRejects(() => resolver.resolve("no.example", "A"), DnsResponseError);
    assertEquals([absent.code, absent.rcode], ["ERR_DNS_NXDOMAIN", "NXDOMAIN"]);
    const empty = await assertRejects(() => resolver.resolve("yes.example", "A"), DnsResponseError);
    assertEquals([empty.code, empty.rcode], ["ERR_DNS_NODATA", "NOERROR"]);
  }
  // What does not exist has no other types either.
  await assertRejects(() => resolver.resolve("no.example", "MX"), DnsResponseError);
  assertEquals(asked, ["no.example. A", "yes.example. A"]);
});

Deno.test("Resolver.resolve() tells what the server says about a failure, and keeps it for seconds", async () => {
  const options = [{ type: "extended-error", infoCode: 22, text: "no luck" }] as const;
  const { resolver, clock, asked } = new Scene(() => ({
    rcode: "SERVFAIL",
    edns: { udpPayloadSize: 1_232, version: 0, dnssecOk: false, flags: 0, options },
  }));
  const error = await assertRejects(() => resolver.resolve("example", "A"), DnsResponseError);
  assertEquals(error.code, "ERR_DNS_SERVFAIL");
  assertEquals(error.extendedErrors, [{ infoCode: 22, text: "no luck" }]);
  assert(error.attempts.length > 0);
  const askedBefore = asked.length;
  const again = await assertRejects(() => resolver.resolve("example", "A"), DnsResponseError);
  assertEquals([again.code, asked.length], ["ERR_DNS_SERVFAIL", askedBefore]);
  clock.advance(5_001);
  await assertRejects(() => resolver.resolve("example", "A"), DnsResponseError);
  assert(asked.length > askedBefore);
});

Deno.test("Resolver.query() gives the message whatever its response code", async () => {
  for (const rcode of ["NXDOMAIN", "SERVFAIL", "REFUSED", "NOTIMP"]) {
    const { resolver } = new Scene(() => ({ rcode }));
    const { message, isCached, over, server } = await resolver.query("example", "A");
    assertEquals([message.rcode, isCached, over], [rcode, false, "tcp"]);
    assertEquals(server?.address, "exchange");
  }
});

Deno.test("Resolver.query() tells how old an answer out of the cache is", async () => {
  const { resolver, clock } = new Scene(addresses);
  const fresh = await resolver.query("example", "a");
  assertEquals([fresh.isCached, fresh.ageMs, fresh.bytes !== undefined], [false, 0, true]);
  clock.advance(1_500);
  const cached = await resolver.query("example", "A");
  assertEquals([cached.isCached, cached.ageMs, cached.server], [true, 1_500, undefined]);
  assertEquals(cached.message.answers[0]?.ttl, 299);
});

Deno.test("Resolver.query() believes AD only from servers that are trusted", async () => {
  const answer = (question: Question): MessageInit => {
    return { ...addresses(question), authenticData: true };
  };
  for (const trustAd of [false, true]) {
    const { resolver } = new Scene(answer, { trustAd });
    for (let round = 0; round < 2; round++) {
      const { message } = await resolver.query("example", "A");
      assertEquals(message.authenticData, trustAd);
    }
  }
});

Deno.test("Resolver asks once for equal questions that are under way", async () => {
  const gate = Promise.withResolvers<void>();
  const scene = new Scene(async (question) => {
    await gate.promise;
    return addresses(question);
  });
  const { resolver, asked } = scene;
  const found = Array.from({ length: 50 }, (_, index) => {
    return index % 2 === 0
      ? resolver.resolve("example", "A")
      : resolver.lookup("EXAMPLE", { family: 4 });
  });
  await settle();
  assertEquals([asked.length, resolver.stats().questionCount], [1, 1]);
  gate.resolve();
  await Promise.all(found);
  assertEquals([asked.length, resolver.stats().questionCount], [1, 0]);
});

Deno.test("Resolver gives up a question when the last who waits for it has left", async () => {
  let aborted = 0;
  const exchange = (_query: Uint8Array, { signal }: { signal: AbortSignal }) => {
    signal.addEventListener("abort", () => aborted++);
    return NEVER;
  };
  const { resolver } = new Scene(() => ({}), { exchange });
  const controllers = [new AbortController(), new AbortController()];
  const calls = controllers.map(({ signal }) => resolver.resolve("example", "A", { signal }));
  await settle();
  for (const [index, controller] of controllers.entries()) {
    const reason = new TypeError(`No longer wanted by ${index}`);
    controller.abort(reason);
    assertEquals(await calls[index]!.catch((error) => error), reason);
    assertEquals([aborted, resolver.stats().questionCount], index === 0 ? [0, 1] : [1, 0]);
  }
});

Deno.test("Resolver begins nothing for a signal that is aborted already", async () => {
  const { resolver, asked } = new Scene(addresses);
  const signal = AbortSignal.abort("over");
  const calls = [
    () => resolver.query("example", "A", { signal }),
    () => resolver.resolve("example", "A", { signal }),
    () => resolver.lookup("example", { signal }),
    () => resolver.reverse("192.0.2.1", { signal }),
    () => resolver.lookupService("192.0.2.1", 80, { signal }),
  ];
  for (const call of calls) assertEquals(await call().catch((error) => error), "over");
  assertEquals(asked, []);
});

Deno.test("Resolver ends a call by its own deadline, over all its questions", async () => {
  const { resolver, clock } = new Scene(async ({ name }) => {
    if (name !== "example.") return await NEVER;
    return { answers: [parseRecord("example. 0 IN CNAME next.example.")] };
  });
  const call = resolver.resolve("example", "A", { timeoutMs: 700 });
  await clock.advanceAsync(690);
  assertEquals(await isSettled(call), false);
  await clock.advanceAsync(30);
  const error = await assertRejects(() => call, TimeoutError);
  assert(!(error instanceof DnsTimeoutError));
  assertEquals([error.phase, resolver.stats().questionCount], ["resolve", 0]);
});

Deno.test("Resolver ends a question in the time of resolv.conf", async () => {
  const { resolver, clock } = new Scene(() => NEVER, { timeoutMs: 3_000, attempts: 2 });
  const call = resolver.resolve("example", "A");
  await clock.advanceAsync(5_990);
  assertEquals(await isSettled(call), false);
  await clock.advanceAsync(40);
  const error = await assertRejects(() => call, DnsTimeoutError);
  assertEquals(error.attempts.map(({ outcome }) => outcome), ["timeout", "timeout"]);
});

Deno.test("Resolver.close() fails what is under way, and what comes later", async () => {
  const { resolver } = new Scene(() => NEVER, { maxConcurrentQueries: 1 });
  const calls = ["a.example", "b.example"].map((name) => resolver.resolve(name, "A"));
  await settle();
  assertEquals(resolver.stats(), {
    socketCount: 0,
    connectionCount: 0,
    questionCount: 2,
    waitingCount: 1,
  });
  await resolver.close();
  for (const call of calls) await assertRejects(() => call, ConnectionClosedError);
  await assertRejects(() => resolver.lookup("c.example"), ConnectionClosedError);
  assertEquals(resolver.isClosed, true);
  await resolver.close();
});

Deno.test("Resolver lets questions wait for their turn, and takes them in order", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const { resolver, asked } = new Scene(async (question) => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    return addresses(question);
  }, { maxConcurrentQueries: 2 });
  const names = ["a.", "b.", "c.", "d."];
  const calls = names.map((name) => resolver.resolve(name, "A"));
  await settle();
  assertEquals(asked, ["a. A", "b. A"]);
  gates[0]!.resolve();
  await settle();
  assertEquals(asked, ["a. A", "b. A", "c. A"]);
  for (let index = 1; index < 4; index++) {
    gates[index]!.resolve();
    await settle();
  }
  await Promise.all(calls);
  assertEquals(asked.length, 4);
});

Deno.test("Resolver.lookup() gives a stale answer when the servers fail, and when they are slow", async () => {
  const scene = new Scene(addresses, { cache: { staleTtlMs: 3_600_000 } });
  const { resolver, clock } = scene;
  await resolver.resolve("example", "A");
  clock.advance(400_000);
  scene.answer = () => ({ rcode: "SERVFAIL" });
  const failed = await resolver.query("example", "A");
  assertEquals([failed.isStale, failed.message.answers[0]?.ttl], [true, 30]);
  clock.advance(400_000);
  scene.answer = () => NEVER;
  const slow = resolver.query("example", "A");
  await clock.advanceAsync(1_790);
  assertEquals(await isSettled(slow), false);
  await clock.advanceAsync(20);
  assertEquals((await slow).isStale, true);
  await resolver.close();
});

Deno.test("Resolver asks again beforehand for what is in use", async () => {
  const { resolver, clock, asked } = new Scene(addresses, { cache: { prefetchRatio: 0.1 } });
  await resolver.resolve("example", "A");
  clock.advance(200_000);
  await resolver.resolve("example", "A");
  assertEquals(asked.length, 1);
  clock.advance(80_000);
  assertEquals((await resolver.resolve("example", "A"))[0]?.ttl, 20);
  await settle();
  assertEquals(asked.length, 2);
  assertEquals((await resolver.resolve("example", "A"))[0]?.ttl, 300);
});

Deno.test("Resolver sends nothing for special names, unless it is told to", async () => {
  const { resolver, asked } = new Scene(addresses);
  assertEquals(await resolver.lookup("localhost"), ["::1", "127.0.0.1"]);
  assertEquals((await resolver.resolve("a.localhost", "A"))[0]?.data.address, "127.0.0.1");
  for (const name of ["x.invalid", "x.onion"]) {
    const error = await assertRejects(() => resolver.lookup(name), DnsResponseError);
    assertEquals(error.code, "ERR_DNS_NXDOMAIN");
    assertEquals((await resolver.query(name, "A")).message.rcode, "NXDOMAIN");
  }
  assertEquals(asked, []);
  const told = new Scene(addresses, { specialNames: false });
  await told.resolver.query("localhost", "A");
  assertEquals(told.asked, ["localhost. A"]);
});

Deno.test("Resolver.lookup() uses hosts file, search list and ndots; resolve() does not", async () => {
  const { resolver, asked } = new Scene((question) => {
    return question.name === "www.b.example." ? addresses(question) : { rcode: "NXDOMAIN" };
  }, {
    search: ["a.example.", "b.example."],
    ndots: 2,
    hosts: new HostsFile("192.0.2.7 db\n2001:db8::7 db\n"),
  });
  assertEquals(await resolver.lookup("db"), ["2001:db8::7", "192.0.2.7"]);
  assertEquals(await resolver.lookup("db", { family: 4 }), ["192.0.2.7"]);
  assertEquals(await resolver.lookup("db", { all: false }), ["2001:db8::7"]);
  assertEquals(asked, []);
  assertEquals(await resolver.lookup("www", { family: 4 }), ["192.0.2.1"]);
  assertEquals(asked, ["www.a.example. A", "www.b.example. A"]);
  await assertRejects(() => resolver.resolve("db", "A"), DnsResponseError);
  assertEquals(asked.at(-1), "db. A");
});

Deno.test("Resolver.lookup() gives an address back, and nothing of another family", async () => {
  const { resolver, asked } = new Scene(addresses);
  assertEquals(await resolver.lookup("192.0.2.9"), ["192.0.2.9"]);
  assertEquals(await resolver.lookup("192.0.2.9", { family: 6 }), []);
  assertEquals(asked, []);
});

Deno.test("Resolver.lookup() gives no addresses where a host has none of the family", async () => {
  const { resolver } = new Scene(({ name, type }) => {
    return type === "A" ? { answers: [addressRecord(name, "192.0.2.1")] } : {};
  });
  assertEquals(await resolver.lookup("example.", { family: 6 }), []);
  assertEquals(await resolver.lookup("example."), ["192.0.2.1"]);
});

Deno.test("Resolver.lookup() converts a name of another script", async () => {
  const { resolver, asked } = new Scene(addresses);
  await resolver.lookup("b\u00fccher.example", { family: 4 });
  assertEquals(asked, ["xn--bcher-kva.example. A"]);
});

Deno.test("Resolver.reverse() and lookupService() name an address", async () => {
  const { resolver, asked } = new Scene(({ name }) => {
    if (!name.startsWith("1.")) return { rcode: "NXDOMAIN" };
    return { answers: [parseRecord(`${name} 60 IN PTR host.example.`)] };
  }, { hosts: new HostsFile("192.0.2.9 known\n") });
  assertEquals(await resolver.reverse("192.0.2.1"), ["host.example."]);
  assertEquals(asked, ["1.2.0.192.in-addr.arpa. PTR"]);
  const services = [["192.0.2.1", 22], ["192.0.2.9", 80], ["192.0.2.2", 4_444]] as const;
  const found = [];
  for (const [address, port] of services) found.push(await resolver.lookupService(address, port));
  assertEquals(found, [
    { hostname: "host.example", service: "ssh" },
    { hostname: "known", service: "http" },
    { hostname: "192.0.2.2", service: "4444" },
  ]);
  await assertRejects(() => resolver.reverse("192.0.2"), TypeError);
  await assertRejects(() => resolver.lookupService("192.0.2.1", 65_536), RangeError);
});

Deno.test("Resolver refuses names, types and families that are none", async () => {
  const { resolver, asked } = new Scene(addresses);
  await assertRejects(() => resolver.resolve("a..example", "A"), DnsTextError);
  await assertRejects(() => resolver.query("example", "NONE"), RangeError);
  await assertRejects(() => resolver.query("example", "A", { class: "XX" }), RangeError);
  await assertRejects(() => resolver.lookup("a..example"), DnsTextError);
  await assertRejects(() => resolver.lookup("example", { family: 5 as 4 }), RangeError);
  await assertRejects(() => resolver.lookup("example", { timeoutMs: -1 }), RangeError);
  assertEquals(asked, []);
});

Deno.test("Resolver() refuses a server that is no address", () => {
  assertThrows(() => new Resolver({ servers: ["dns.example"] }), TypeError);
});

Deno.test("dial() connects through a Resolver, both families at once", async () => {
  await using server = await ScriptedDnsServer.open((query) => query.send(honestAnswer(query)));
  await using resolver = new Resolver({ servers: [server.address] });
  const tried: string[] = [];
  const connect = (address: { hostname: string } | { path: string }): Promise<Transport> => {
    tried.push("hostname" in address ? address.hostname : "");
    return Promise.reject(new Deno.errors.ConnectionRefused("Refused"));
  };
  await assertRejects(() =>
    dial({ hostname: "www.example", port: 80, resolver, connect, attemptDelayMs: 10 })
  );
  assertEquals(tried, ["2001:db8::1", "192.0.2.1"]);
  const types = server.queries.map(({ message }) => message.questions[0]!.type);
  assertEquals(types.sort(), ["A", "AAAA"]);
});

Deno.test("Resolver has 10000 questions under way on bounded sockets", async () => {
  await using server = await ScriptedDnsServer.open((query) => query.send(honestAnswer(query)));
  await using resolver = new Resolver({ servers: [server.address], cache: false });
  let maxSocketCount = 0;
  const names = Array.from({ length: 10_000 }, (_, index) => `n${index}.example.`);
  const found = await Promise.all(names.map(async (name) => {
    const [record] = await resolver.resolve(name, "A");
    maxSocketCount = Math.max(maxSocketCount, resolver.stats().socketCount);
    return record?.data.address;
  }));
  assertEquals(new Set(found), new Set(["192.0.2.1"]));
  assert(maxSocketCount <= 256, `there were ${maxSocketCount} sockets`);
  assertEquals(resolver.stats().questionCount, 0);
});

Deno.test("Resolver does not keep the process alive", async () => {
  await using server = await ScriptedDnsServer.open((query) => query.send(honestAnswer(query)));
  const url = new URL("../../dns/resolver.ts", import.meta.url).href;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  for (const useTcp of [false, true]) {
    const options = JSON.stringify({ servers: [server.address], useTcp });
    const code = `import { Resolver } from "${url}";
      console.log(await new Resolver(${options}).lookup("www.example", { family: 4 }));`;
    const startMs = performance.now();
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--config", config, code],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), '[ "192.0.2.1" ]\n');
    // The idle time-outs are 10 s.
    assert(performance.now() - startMs < 9_000);
  }
});
