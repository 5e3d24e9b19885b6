import { assertEquals, assertThrows } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import type { Message } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { ResolverConfigs } from "../../dns/resolver_config.ts";
import { resolveResolverOptions, type ResolverOptions } from "../../dns/resolver_options.ts";
import { QuestionAsker, toAskOptions } from "../../dns/resolver_query.ts";
import { ConnectionClosedError, LimitExceededError } from "../../nbio/errors.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock, settle } from "../../nbio/testing.ts";

const QUESTION = { name: "a.example.", type: "A", class: "IN" };

/** An asker over a function, and the queries it sent. */
function askerOf(options: ResolverOptions = {}): {
  asker: QuestionAsker;
  config: ResolverConfigs["current"] & object;
  queries: Message[];
} {
  const queries: Message[] = [];
  const settings = resolveResolverOptions({
    wheel: new DeadlineWheel(new ManualClock()),
    exchange: (bytes) => {
      const query = decodeMessage(bytes);
      queries.push(query);
      const { id, questions } = query;
      const answers = [parseRecord("a.example. 60 IN A 192.0.2.1")];
      return Promise.resolve(
        encodeMessage({ id, questions, answers, response: true, recursionAvailable: true }),
      );
    },
    ...options,
  });
  const config = new ResolverConfigs(settings, () => {}).current!;
  return { asker: new QuestionAsker(settings), config, queries };
}

Deno.test("QuestionAsker.ask() sends the bits and options it is told to", async () => {
  const { asker, config, queries } = askerOf();
  const nsid = { type: "nsid", bytes: new Uint8Array(0) } as const;
  await asker.ask(QUESTION, config, toAskOptions({}, {}));
  await asker.ask(
    QUESTION,
    config,
    toAskOptions({
      dnssecOk: true,
      checkingDisabled: true,
      recursionDesired: false,
      ednsOptions: [nsid],
    }, {}),
  );
  const bits = queries.map(({ edns, checkingDisabled, recursionDesired, authenticData }) => {
    return [edns?.dnssecOk, checkingDisabled, recursionDesired, authenticData];
  });
  assertEquals(bits, [[false, false, true, false], [true, true, false, false]]);
  assertEquals(queries.map(({ edns }) => edns?.options), [[], [nsid]]);
});

Deno.test("QuestionAsker.ask() answers at once out of the cache, for the same bits alone", async () => {
  const { asker, config, queries } = askerOf();
  await asker.ask(QUESTION, config, toAskOptions({}, {}));
  const cached = asker.ask({ ...QUESTION, name: "A.Example." }, config, toAskOptions({}, {}));
  assertEquals("isCached" in cached && cached.isCached, true);
  for (const options of [{ dnssecOk: true }, { checkingDisabled: true }, { useCache: false }]) {
    await asker.ask(QUESTION, config, toAskOptions(options, {}));
  }
  assertEquals(queries.length, 4);
});

Deno.test("QuestionAsker.ask() neither shares nor keeps a question with options of its own", async () => {
  const { asker, config, queries } = askerOf();
  const options = toAskOptions({ ednsOptions: [{ type: "nsid", bytes: new Uint8Array(0) }] }, {});
  await Promise.all([1, 2].map(() => asker.ask(QUESTION, config, options)));
  await asker.ask(QUESTION, config, toAskOptions({}, {}));
  assertEquals(queries.length, 3);
});

Deno.test("QuestionAsker.ask() asks for AD where servers are trusted", async () => {
  const { asker, config, queries } = askerOf({ trustAd: true });
  await asker.ask(QUESTION, config, toAskOptions({}, {}));
  assertEquals(queries[0]?.authenticData, true);
});

Deno.test("QuestionAsker.ask() refuses one question too many", async () => {
  const { asker, config } = askerOf({
    exchange: () => new Promise(() => {}),
    maxConcurrentQueries: 1,
    maxWaitingQueries: 1,
  });
  const calls = ["a.", "b.", "c."].map((name) =>
    Promise.resolve(asker.ask({ ...QUESTION, name }, config, toAskOptions({}, {})))
      .catch((error) => error)
  );
  assertEquals((await calls[2]) instanceof LimitExceededError, true);
  await settle();
  assertEquals(asker.stats().waitingCount, 1);
  await asker.close();
  for (const call of calls.slice(0, 2)) {
    assertEquals((await call) instanceof ConnectionClosedError, true);
  }
  assertThrows(() => asker.ask(QUESTION, config, toAskOptions({}, {})), ConnectionClosedError);
});
