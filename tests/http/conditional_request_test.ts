import { assertEquals } from "@std/assert";
import { evaluateConditions, rangeApplies } from "../../http/conditional_request.ts";
import { formatHttpDate } from "../../http/date.ts";
import { parseEntityTag } from "../../http/entity_tag.ts";
import { HeaderList } from "../../http/header_list.ts";

const MODIFIED_MS = Date.UTC(2020, 0, 1, 12) + 400;
const NOW_MS = MODIFIED_MS + 3_600_000;
const SAME = formatHttpDate(MODIFIED_MS);
const BEFORE = formatHttpDate(MODIFIED_MS - 1000);
const AFTER = formatHttpDate(MODIFIED_MS + 1000);

type Fields = Readonly<Record<string, string>>;

function request(method: string, fields: Fields, nowMs = NOW_MS) {
  return { method, headers: new HeaderList(Object.entries(fields)), nowMs };
}

function validators(etag: string | undefined, lastModifiedMs: number | undefined = MODIFIED_MS) {
  return { etag: etag === undefined ? undefined : parseEntityTag(etag), lastModifiedMs };
}

const MATCH = "if-match";
const NONE_MATCH = "if-none-match";
const SINCE = "if-modified-since";
const UNSINCE = "if-unmodified-since";

for (
  const [name, fields, wanted, method = "GET"] of [
    ["no condition", {}, "proceed"],
    ["If-Match with the tag", { [MATCH]: '"x", "a"' }, "proceed"],
    ["If-Match with another tag", { [MATCH]: '"x"' }, "precondition-failed"],
    ["If-Match with a weak tag", { [MATCH]: 'W/"a"' }, "precondition-failed"],
    ["If-Match with a star", { [MATCH]: "*" }, "proceed"],
    ["a malformed If-Match", { [MATCH]: "a" }, "precondition-failed"],
    ["If-Unmodified-Since the same", { [UNSINCE]: SAME }, "proceed"],
    ["If-Unmodified-Since before", { [UNSINCE]: BEFORE }, "precondition-failed"],
    ["If-Unmodified-Since after", { [UNSINCE]: AFTER }, "proceed"],
    ["a malformed If-Unmodified-Since", { [UNSINCE]: "x" }, "proceed"],
    // Step 2 only if there is no If-Match.
    ["If-Match over dates", { [MATCH]: '"a"', [UNSINCE]: BEFORE }, "proceed"],
    ["If-None-Match with the tag", { [NONE_MATCH]: '"a"' }, "not-modified"],
    ["If-None-Match with a weak tag", { [NONE_MATCH]: 'W/"a"' }, "not-modified"],
    ["If-None-Match with another", { [NONE_MATCH]: '"x"' }, "proceed"],
    ["If-None-Match with a star", { [NONE_MATCH]: "*" }, "not-modified"],
    ["a malformed If-None-Match", { [NONE_MATCH]: "a" }, "proceed"],
    ["If-None-Match of a HEAD", { [NONE_MATCH]: '"a"' }, "not-modified", "HEAD"],
    ["If-None-Match of a PUT", { [NONE_MATCH]: "*" }, "precondition-failed", "PUT"],
    ["If-Modified-Since the same", { [SINCE]: SAME }, "not-modified"],
    ["If-Modified-Since after", { [SINCE]: AFTER }, "not-modified"],
    ["If-Modified-Since before", { [SINCE]: BEFORE }, "proceed"],
    ["a malformed If-Modified-Since", { [SINCE]: "x" }, "proceed"],
    ["If-Modified-Since of a HEAD", { [SINCE]: SAME }, "not-modified", "HEAD"],
    ["If-Modified-Since of a PUT", { [SINCE]: SAME }, "proceed", "PUT"],
    // Step 4 only if there is no If-None-Match.
    ["If-None-Match over dates", { [NONE_MATCH]: '"x"', [SINCE]: SAME }, "proceed"],
    ["If-None-Match beside dates", { [NONE_MATCH]: '"a"', [SINCE]: BEFORE }, "not-modified"],
    // Steps 1 and 2 come first, and a passed one does not end the order.
    ["If-Match first", { [MATCH]: '"x"', [NONE_MATCH]: '"a"' }, "precondition-failed"],
    ["If-Match, then If-None-Match", { [MATCH]: '"a"', [NONE_MATCH]: '"a"' }, "not-modified"],
    ["both dates", { [UNSINCE]: SAME, [SINCE]: SAME }, "not-modified"],
    ["both dates before", { [UNSINCE]: BEFORE, [SINCE]: BEFORE }, "precondition-failed"],
  ] as const satisfies readonly (readonly [string, Fields, string, string?])[]
) {
  Deno.test(`evaluateConditions() on ${name} gives ${wanted}`, () => {
    assertEquals(evaluateConditions(request(method, fields), validators('"a"')), wanted);
  });
}

for (
  const [name, fields, wanted] of [
    ["If-Match", { [MATCH]: "*" }, "precondition-failed"],
    ["If-None-Match", { [NONE_MATCH]: "*" }, "proceed"],
    ["If-Modified-Since", { [SINCE]: AFTER }, "proceed"],
    ["If-Unmodified-Since", { [UNSINCE]: BEFORE }, "proceed"],
  ] as const satisfies readonly (readonly [string, Fields, string])[]
) {
  Deno.test(`evaluateConditions() on ${name} of nothing gives ${wanted}`, () => {
    assertEquals(evaluateConditions(request("PUT", fields), undefined), wanted);
  });
}

Deno.test("evaluateConditions() without validators matches only a star", () => {
  const bare = { etag: undefined, lastModifiedMs: undefined };
  assertEquals(evaluateConditions(request("GET", { [NONE_MATCH]: "*" }), bare), "not-modified");
  assertEquals(evaluateConditions(request("GET", { [NONE_MATCH]: '"a"' }), bare), "proceed");
  assertEquals(evaluateConditions(request("GET", { [MATCH]: "*" }), bare), "proceed");
  assertEquals(evaluateConditions(request("GET", { [SINCE]: AFTER }), bare), "proceed");
});

for (
  const [name, field, etag, wanted] of [
    ["nothing", undefined, '"a"', true],
    ["the tag", '"a"', '"a"', true],
    ["another tag", '"b"', '"a"', false],
    ["a weak tag", 'W/"a"', '"a"', false],
    ["the tag of what has a weak one", '"a"', 'W/"a"', false],
    ["both weak", 'W/"a"', 'W/"a"', false],
    ["a tag of what has none", '"a"', undefined, false],
    ["the date", SAME, '"a"', true],
    ["a later date", AFTER, '"a"', false],
    ["an earlier date", BEFORE, '"a"', false],
    ["a star", "*", '"a"', false],
    ["two tags", '"a", "b"', '"a"', false],
    ["nonsense", "a", '"a"', false],
  ] as const
) {
  Deno.test(`rangeApplies() is ${wanted} for If-Range with ${name}`, () => {
    const fields: Fields = field === undefined ? {} : { "if-range": field };
    assertEquals(rangeApplies(request("GET", fields), validators(etag)), wanted);
  });
}

Deno.test("rangeApplies() takes a date for strong a minute after it only", () => {
  for (const [ageMs, wanted] of [[59_999, false], [60_000, true]] as const) {
    const asked = request("GET", { "if-range": SAME }, MODIFIED_MS + ageMs);
    assertEquals(rangeApplies(asked, validators(undefined)), wanted);
  }
});

Deno.test("rangeApplies() only to GET", () => {
  assertEquals(rangeApplies(request("HEAD", {}), validators('"a"')), false);
});
