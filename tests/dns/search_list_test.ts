import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import {
  combineOutcomes,
  SearchList,
  type SearchListOptions,
  type SearchOutcome,
} from "../../dns/search_list.ts";

/** Runs a search to its end; gives the names asked for and the one that decides. */
function run(
  name: string,
  options: SearchListOptions,
  outcomes: readonly SearchOutcome[],
): { readonly asked: string[]; readonly deciding: string | undefined } {
  const list = new SearchList(name, options);
  const asked: string[] = [];
  for (let next = list.next(); next !== undefined; next = list.next()) {
    assertEquals(list.next(), next);
    assertEquals(list.decidingName, undefined);
    asked.push(next);
    list.report(outcomes[asked.length - 1] ?? "nxdomain");
  }
  return { asked, deciding: list.decidingName };
}

const AB = ["a.", "b."];

interface Row extends SearchListOptions {
  readonly title: string;
  readonly name: string;
  readonly outcomes?: readonly SearchOutcome[];
  readonly asked: readonly string[];
  readonly deciding: string | undefined;
}

const ROWS: readonly Row[] = [
  {
    title: "a short name, then it alone",
    name: "x",
    search: AB,
    asked: ["x.a.", "x.b.", "x."],
    deciding: "x.",
  },
  {
    title: "a name with enough dots first",
    name: "x.y",
    search: AB,
    asked: ["x.y.", "x.y.a.", "x.y.b."],
    deciding: "x.y.",
  },
  {
    title: "a name with too few dots last",
    name: "x.y",
    search: AB,
    ndots: 2,
    asked: ["x.y.a.", "x.y.b.", "x.y."],
    deciding: "x.y.",
  },
  {
    title: "an absolute name only",
    name: "x.",
    search: AB,
    ndots: 3,
    asked: ["x."],
    deciding: "x.",
  },
  {
    title: "a short name first where ndots is 0",
    name: "x",
    search: AB,
    ndots: 0,
    asked: ["x.", "x.a.", "x.b."],
    deciding: "x.",
  },
  { title: "a name alone without a list", name: "x", asked: ["x."], deciding: "x." },
  { title: "the root", name: ".", search: AB, asked: ["."], deciding: "." },
  {
    title: "no further after an answer",
    name: "x",
    search: AB,
    outcomes: ["nxdomain", "answer"],
    asked: ["x.a.", "x.b."],
    deciding: undefined,
  },
  {
    title: "no further after an answer to the name as it is",
    name: "x.y",
    search: AB,
    outcomes: ["answer"],
    asked: ["x.y."],
    deciding: undefined,
  },
  {
    title: "on after no data, which decides",
    name: "x",
    search: AB,
    outcomes: ["nodata", "nxdomain", "nxdomain"],
    asked: ["x.a.", "x.b.", "x."],
    deciding: "x.a.",
  },
  {
    title: "on after SERVFAIL, which decides",
    name: "x",
    search: AB,
    outcomes: ["nxdomain", "servfail"],
    asked: ["x.a.", "x.b.", "x."],
    deciding: "x.b.",
  },
  {
    title: "no data before SERVFAIL",
    name: "x",
    search: AB,
    outcomes: ["servfail", "nodata"],
    asked: ["x.a.", "x.b.", "x."],
    deciding: "x.b.",
  },
  {
    title: "the first name before no data",
    name: "x.y",
    search: AB,
    outcomes: ["servfail", "nodata"],
    asked: ["x.y.", "x.y.a.", "x.y.b."],
    deciding: "x.y.",
  },
  {
    title: "only the name as it is after another failure",
    name: "x",
    search: AB,
    outcomes: ["failed"],
    asked: ["x.a.", "x."],
    deciding: "x.",
  },
  {
    title: "the list after the name as it is has failed",
    name: "x.y",
    search: AB,
    outcomes: ["failed"],
    asked: ["x.y.", "x.y.a.", "x.y.b."],
    deciding: "x.y.",
  },
  {
    title: "nothing more where no server can be reached",
    name: "x",
    search: AB,
    outcomes: ["nodata", "unreachable"],
    asked: ["x.a.", "x.b."],
    deciding: "x.b.",
  },
  {
    title: "the name as it is once if the root is in the list",
    name: "x",
    search: ["a.", ".", "b."],
    asked: ["x.a.", "x.", "x.b."],
    deciding: "x.b.",
  },
  {
    title: "no short name alone with no-tld-query",
    name: "x",
    search: AB,
    noTldQuery: true,
    asked: ["x.a.", "x.b."],
    deciding: "x.b.",
  },
  {
    title: "a short name alone with no-tld-query but no list",
    name: "x",
    noTldQuery: true,
    asked: ["x."],
    deciding: "x.",
  },
  {
    title: "a name with a dot also with no-tld-query",
    name: "x.y",
    search: ["a."],
    ndots: 2,
    noTldQuery: true,
    asked: ["x.y.a.", "x.y."],
    deciding: "x.y.",
  },
  {
    title: "no name that would be too long, and none of the list after it",
    name: `${`${"l".repeat(49)}.`.repeat(5)}x`,
    search: ["longer.", "b."],
    ndots: 15,
    asked: [`${`${"l".repeat(49)}.`.repeat(5)}x.`],
    deciding: `${`${"l".repeat(49)}.`.repeat(5)}x.`,
  },
];

for (const { title, name, outcomes = [], asked, deciding, ...options } of ROWS) {
  Deno.test(`SearchList.next() gives ${title}`, () => {
    assertEquals(run(name, options, outcomes), { asked, deciding });
  });
}

Deno.test("SearchList.report() throws where no name is asked for", () => {
  const list = new SearchList("x.");
  assertThrows(() => list.report("answer"), TypeError);
  list.next();
  list.report("nxdomain");
  assertThrows(() => list.report("nxdomain"), TypeError);
});

Deno.test("SearchList throws on what is no name, and on ndots out of its range", () => {
  for (const name of ["", "a..b", ".a", "a".repeat(64)]) {
    assertThrows(() => new SearchList(name), DnsTextError);
  }
  for (const ndots of [-1, 16, 0.5, NaN]) {
    assertThrows(() => new SearchList("a", { ndots }), RangeError);
  }
});

Deno.test("combineOutcomes() takes the outcome that says most", () => {
  assertEquals(combineOutcomes(["nodata", "nodata"]), "nodata");
  assertEquals(combineOutcomes(["nodata", "nxdomain"]), "nxdomain");
  assertEquals(combineOutcomes(["servfail", "nxdomain"]), "servfail");
  assertEquals(combineOutcomes(["servfail", "failed"]), "failed");
  assertEquals(combineOutcomes(["failed", "answer"]), "answer");
});
