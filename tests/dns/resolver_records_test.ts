import { assertEquals, assertRejects } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { ResolverConfigs } from "../../dns/resolver_config.ts";
import { DnsResponseError } from "../../dns/resolver_errors.ts";
import { resolveResolverOptions } from "../../dns/resolver_options.ts";
import { QuestionAsker, toAskOptions } from "../../dns/resolver_query.ts";
import { findRecords, type FindRecordsOptions } from "../../dns/resolver_records.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing.ts";

const QUESTION = { name: "a.example.", type: "A", class: "IN" };

/** What it needs, over a function that answers questions by name. */
function optionsOf(answer: (name: string) => MessageInit, maxAliasCount = 8): FindRecordsOptions {
  const settings = resolveResolverOptions({
    wheel: new DeadlineWheel(new ManualClock()),
    attempts: 1,
    exchange: (query) => {
      const { id, questions } = decodeMessage(query);
      const parts = { id, questions, response: true, recursionAvailable: true };
      return Promise.resolve(encodeMessage({ ...parts, ...answer(questions[0]!.name) }));
    },
  });
  const config = new ResolverConfigs(settings, () => {}).current!;
  const asker = new QuestionAsker(settings);
  return { asker, config, ask: toAskOptions({}, {}), maxAliasCount };
}

function zone(...texts: readonly string[]): (name: string) => MessageInit {
  const records = texts.map((text) => parseRecord(text));
  return (name) => ({ answers: records.filter((record) => record.name === name) });
}

Deno.test("findRecords() follows aliases over as many questions as it takes", async () => {
  const options = optionsOf(zone(
    "a.example. 60 IN CNAME b.example.",
    "b.example. 30 IN CNAME c.example.",
    "c.example. 90 IN A 192.0.2.1",
  ));
  for (let round = 0; round < 2; round++) {
    const { name, records } = await findRecords(QUESTION, options);
    assertEquals([name, records.length], ["c.example.", 1]);
  }
});

Deno.test("findRecords() follows a DNAME", async () => {
  const options = optionsOf((name) =>
    name === "a.b.example."
      ? { answers: [parseRecord("b.example. 60 IN DNAME c.example.")] }
      : { answers: [parseRecord("a.c.example. 60 IN A 192.0.2.1")] }
  );
  const found = await findRecords({ ...QUESTION, name: "a.b.example." }, options);
  assertEquals(found.name, "a.c.example.");
});

Deno.test("findRecords() follows so many aliases and no more", async () => {
  const chain = zone(
    "a.example. 60 IN CNAME b.example.",
    "b.example. 60 IN CNAME c.example.",
    "c.example. 60 IN A 192.0.2.1",
  );
  assertEquals((await findRecords(QUESTION, optionsOf(chain, 2))).name, "c.example.");
  const error = await assertRejects(
    () => findRecords(QUESTION, optionsOf(chain, 1)),
    DnsResponseError,
  );
  assertEquals(error.code, "ERR_DNS_ALIAS_LIMIT");
});

Deno.test("findRecords() tells what was asked, not where the aliases led", async () => {
  const options = optionsOf((name) =>
    name === "a.example."
      ? { answers: [parseRecord("a.example. 60 IN CNAME b.example.")] }
      : { rcode: "NXDOMAIN" }
  );
  const error = await assertRejects(() => findRecords(QUESTION, options), DnsResponseError);
  assertEquals([error.code, error.question], ["ERR_DNS_NXDOMAIN", QUESTION]);
  assertEquals(error.attempts.map(({ outcome }) => outcome), ["NXDOMAIN"]);
});

Deno.test("findRecords() names every failure", async () => {
  const rows: readonly [MessageInit, string][] = [
    [{}, "ERR_DNS_NODATA"],
    [{ rcode: "NXDOMAIN" }, "ERR_DNS_NXDOMAIN"],
    [{ rcode: "SERVFAIL" }, "ERR_DNS_SERVFAIL"],
    [{ rcode: "REFUSED" }, "ERR_DNS_REFUSED"],
    [{ rcode: "NOTIMP" }, "ERR_DNS_NOTIMP"],
    [{ rcode: "YXDOMAIN" }, "ERR_DNS_RCODE"],
  ];
  for (const [answer, code] of rows) {
    const options = optionsOf(() => answer);
    // The second time SERVFAIL comes out of the cache.
    for (let round = 0; round < 2; round++) {
      const error = await assertRejects(() => findRecords(QUESTION, options), DnsResponseError);
      assertEquals([error.code, error.question], [code, QUESTION]);
    }
  }
});
