import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import type { Question } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { type ResolverConfig, ResolverConfigs } from "../../dns/resolver_config.ts";
import { DnsResponseError, DnsTimeoutError } from "../../dns/resolver_errors.ts";
import { lookUpHost } from "../../dns/resolver_lookup.ts";
import { resolveResolverOptions } from "../../dns/resolver_options.ts";
import { QuestionAsker, toAskOptions } from "../../dns/resolver_query.ts";
import type { FindRecordsOptions } from "../../dns/resolver_records.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock, settle } from "../../nbio/testing.ts";

/** What lookups need, over a function that answers questions. */
function optionsOf(
  answer: (question: Question) => MessageInit | Promise<MessageInit>,
  changes: Partial<ResolverConfig> = {},
  clock: ManualClock = new ManualClock(),
): FindRecordsOptions {
  const settings = resolveResolverOptions({
    wheel: new DeadlineWheel(clock),
    attempts: 1,
    cache: false,
    exchange: async (query) => {
      const { id, questions } = decodeMessage(query);
      const parts = await answer(questions[0]!);
      return encodeMessage({ id, questions, response: true, recursionAvailable: true, ...parts });
    },
  });
  const config = { ...new ResolverConfigs(settings, () => {}).current!, ...changes };
  const asker = new QuestionAsker(settings);
  return { asker, config, ask: toAskOptions({}, {}), maxAliasCount: 8 };
}

function found(...texts: readonly string[]): MessageInit {
  return { answers: texts.map((text) => parseRecord(text)) };
}

function failed(rcode: string): MessageInit {
  return { rcode };
}

Deno.test("lookUpHost() asks for both families at once, unless it must not", async () => {
  for (const [singleRequest, want] of [[false, ["A", "AAAA"]], [true, ["A"]]] as const) {
    const asked: string[] = [];
    const gate = Promise.withResolvers<MessageInit>();
    const options = optionsOf(({ type }) => {
      asked.push(type);
      return gate.promise;
    }, { plan: { singleRequest } });
    const lookup = lookUpHost("a.example", undefined, options);
    await settle();
    assertEquals(asked, [...want]);
    gate.resolve({});
    assertEquals((await lookup).addresses, []);
    assertEquals(asked, ["A", "AAAA"]);
  }
});

Deno.test("lookUpHost() tells the canonical name at the end of the aliases", async () => {
  const options = optionsOf(({ name, type }) => {
    if (type !== "A") return failed("SERVFAIL");
    return name === "a.example."
      ? found("a.example. 60 IN CNAME b.example.")
      : found("b.example. 60 IN A 192.0.2.1");
  });
  assertEquals(await lookUpHost("a.example", undefined, options), {
    addresses: ["192.0.2.1"],
    canonicalName: "b.example.",
  });
});

Deno.test("lookUpHost() orders addresses by RFC 6724, then by sortlist", async () => {
  const answer = ({ type }: Question): MessageInit =>
    type === "A"
      ? found("a.example. 60 IN A 198.51.100.1", "a.example. 60 IN A 192.0.2.1")
      : found("a.example. 60 IN AAAA 2001:db8::1");
  const plain = await lookUpHost("a.example", undefined, optionsOf(answer));
  assertEquals(plain.addresses, ["2001:db8::1", "198.51.100.1", "192.0.2.1"]);
  const sortlist = [{ address: "192.0.2.0", mask: "255.255.255.0" }];
  const sorted = await lookUpHost("a.example", undefined, optionsOf(answer, { sortlist }));
  assertEquals(sorted.addresses, ["2001:db8::1", "192.0.2.1", "198.51.100.1"]);
});

Deno.test("lookUpHost() fails for one family only where that is wanted", async () => {
  const answer = ({ type }: Question): MessageInit =>
    type === "A" ? found("a.example. 60 IN A 192.0.2.1") : failed("SERVFAIL");
  const lenient = await lookUpHost("a.example", undefined, optionsOf(answer));
  assertEquals(lenient.addresses, ["192.0.2.1"]);
  const error = await assertRejects(
    () => lookUpHost("a.example", undefined, optionsOf(answer, { strictError: true })),
    DnsResponseError,
  );
  assertEquals(error.code, "ERR_DNS_SERVFAIL");
});

for (const silent of ["A", "AAAA"]) {
  Deno.test(`lookUpHost() waits for ${silent} alone for one retry and no longer`, async () => {
    const clock = new ManualClock();
    const address = silent === "A" ? "2001:db8::1" : "192.0.2.1";
    const asked: string[] = [];
    const options = optionsOf(
      ({ type }) => {
        asked.push(type);
        return type === silent
          ? Promise.withResolvers<MessageInit>().promise
          : found(`a.example. 60 IN ${type} ${address}`);
      },
      { timeoutMs: 5_000, attempts: 4 },
      clock,
    );
    let addresses: readonly string[] | undefined;
    const lookup = lookUpHost("a.example", undefined, options).then((host) => {
      addresses = host.addresses;
    });
    await settle();
    await clock.advance(5_900);
    // The retry has its chance.
    assertEquals([addresses, asked.filter((type) => type === silent).length], [undefined, 2]);
    await clock.advance(300);
    await lookup;
    assertEquals(addresses, [address]);
    // Nothing is left behind.
    assertEquals(options.asker.stats().questionCount, 0);
  });
}

Deno.test("lookUpHost() takes the answer to a retry of one family", async () => {
  const clock = new ManualClock();
  let lostCount = 0;
  const options = optionsOf(
    ({ type }) => {
      if (type === "A") return found("a.example. 60 IN A 192.0.2.1");
      return lostCount++ === 0
        ? Promise.withResolvers<MessageInit>().promise
        : found("a.example. 60 IN AAAA 2001:db8::1");
    },
    { timeoutMs: 5_000, attempts: 2 },
    clock,
  );
  const lookup = lookUpHost("a.example", undefined, options);
  await settle();
  await clock.advance(5_100);
  assertEquals((await lookup).addresses, ["2001:db8::1", "192.0.2.1"]);
});

Deno.test("lookUpHost() waits for both families to the end where one failure is to count", async () => {
  const clock = new ManualClock();
  const options = optionsOf(
    ({ type }) =>
      type === "A"
        ? found("a.example. 60 IN A 192.0.2.1")
        : Promise.withResolvers<MessageInit>().promise,
    { timeoutMs: 5_000, attempts: 2, strictError: true },
    clock,
  );
  const lookup = assertRejects(
    () => lookUpHost("a.example", undefined, options),
    DnsTimeoutError,
  );
  await settle();
  await clock.advance(10_100);
  await lookup;
});

Deno.test("lookUpHost() ends at once with the signal's reason while it waits for one family", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const options = optionsOf(({ type }) =>
    type === "A"
      ? found("a.example. 60 IN A 192.0.2.1")
      : Promise.withResolvers<MessageInit>().promise
  );
  const ask = toAskOptions({}, { signal: controller.signal });
  const lookup = lookUpHost("a.example", undefined, { ...options, ask });
  await settle();
  controller.abort(reason);
  assertStrictEquals(await lookup.catch((error) => error), reason);
  assertEquals(options.asker.stats().questionCount, 0);
});

Deno.test("lookUpHost() fails with the weightier of two failures", async () => {
  const rows = [
    ["SERVFAIL", "NOERROR", "ERR_DNS_SERVFAIL"],
    ["NOERROR", "REFUSED", "ERR_DNS_REFUSED"],
    ["NXDOMAIN", "NXDOMAIN", "ERR_DNS_NXDOMAIN"],
  ] as const;
  for (const [a, aaaa, code] of rows) {
    const options = optionsOf(({ type }) => failed(type === "A" ? a : aaaa));
    const lookup = lookUpHost("a.example", undefined, options);
    assertEquals((await assertRejects(() => lookup, DnsResponseError)).code, code);
  }
});

Deno.test("lookUpHost() goes on with the search list, and fails with the name that decides", async () => {
  const asked: string[] = [];
  const plan = { search: ["one.example.", "two.example."] };
  const options = optionsOf(({ name }) => {
    asked.push(name);
    return failed("NXDOMAIN");
  }, { plan });
  const error = await assertRejects(() => lookUpHost("www", 4, options), DnsResponseError);
  assertEquals(asked, ["www.one.example.", "www.two.example.", "www."]);
  assertEquals([error.code, asked.includes(error.question.name)], ["ERR_DNS_NXDOMAIN", true]);
});

Deno.test("lookUpHost() does not go on when the caller has given up", async () => {
  const asked: string[] = [];
  const controller = new AbortController();
  const plan = { search: ["one.example.", "two.example."] };
  const options = optionsOf(({ name }) => {
    asked.push(name);
    controller.abort("over");
    return failed("NXDOMAIN");
  }, { plan });
  const ask = toAskOptions({}, { signal: controller.signal });
  const reason = await lookUpHost("www", 4, { ...options, ask }).catch((reason) => reason);
  assertEquals([reason, asked], ["over", ["www.one.example."]]);
});
