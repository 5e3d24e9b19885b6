import { assertEquals } from "@std/assert";
import { selectRanges } from "../../http/byte_range.ts";
import { serveFile } from "../../http/serve_file.ts";
import { RawServer, TestFolder } from "../_support/file_server.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";

/** A `Range` field, and what becomes of it. */
interface RangeCase {
  readonly name: string;
  /** About the field alone, or about what a server sends. */
  readonly kind: "parse" | "serve";
  readonly header: string;
  readonly size: number;
  readonly expect: {
    readonly outcome?: string;
    readonly status?: number;
    readonly ranges?: readonly (readonly [number, number])[];
  };
}

const ONE_WRONG = "one wrong range makes the whole field invalid; it skips that one";

const DIFFERENCES: readonly Difference[] = [
  {
    name: 'range-parser "bytes=500-20" size 200',
    gives: "whole",
    clause: "RFC 9110 section 14.1.1",
    reason: "a last position before the first is no range of the grammar's; it takes it for one",
  },
  {
    name: 'range-parser "bytes=500-999,xyz-uvw" size 200',
    gives: "whole",
    clause: "RFC 9110 section 14.1.1",
    reason: ONE_WRONG,
  },
  {
    name: 'range-parser "bytes=100-200,x-" size 1000',
    gives: "whole",
    clause: "RFC 9110 section 14.1.1",
    reason: ONE_WRONG,
  },
  {
    name: 'range-parser "bytes=0-50,abc-def,100-150" size 1000',
    gives: "whole",
    clause: "RFC 9110 section 14.1.1",
    reason: ONE_WRONG,
  },
  {
    name: 'range-parser "items=0-5" size 1000',
    gives: "whole",
    clause: "RFC 9110 section 14.2",
    reason: "a unit that is not understood is ignored; it leaves that to its caller",
  },
  {
    name: 'range-parser "bytes=0-4,90-99,5-75,100-199,101-102" size 150 combine',
    gives: "partial [[0,4],[90,99],[5,75],[100,149],[101,102]]",
    clause: "RFC 9110 section 15.3.7.2",
    reason: "ranges may be sent one by one as they were asked for; it was told to join them",
  },
];

const vectors = loadVectors<{ readonly cases: readonly RangeCase[] }>("ranges");

/** What a source calls the outcome, in our words. */
const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  "full": ["whole"],
  "malformed": ["whole"],
  "unsatisfiable": ["unsatisfiable"],
  "invalid-or-unsatisfiable": ["whole", "unsatisfiable"],
};

function judgeParsed({ name, header, size, expect }: RangeCase): Judgement {
  const selection = selectRanges(header, size);
  const got = selection.type !== "partial"
    ? selection.type
    : `partial ${JSON.stringify(selection.ranges.map(({ first, last }) => [first, last]))}`;
  const wanted = expect.outcome === "partial"
    ? [`partial ${JSON.stringify(expect.ranges)}`]
    : OUTCOMES[expect.outcome!]!;
  return { name, wanted: wanted.join(" or "), got, isAgreed: wanted.includes(got) };
}

async function judgeServed(
  path: string,
  { name, header, size, expect }: RangeCase,
): Promise<Judgement> {
  const content = "0123456789abcdefghijklmnopqrstuvwxyz".slice(0, size);
  await Deno.writeTextFile(path, content);
  await using server = new RawServer((ctx) => serveFile(ctx, path));
  const fields = header === "" ? [] : [`Range: ${header}`];
  const { status, body } = await server.ask("GET /", fields);
  assertEquals(server.errors, []);
  const parts = (expect.ranges ?? []).map(([first, last]) => content.slice(first, last + 1));
  const isBody = status === 416 || (status === 200 ? body === content : holdsParts(body, parts));
  return {
    name,
    wanted: String(expect.status),
    got: `${status}${isBody ? "" : ` with ${JSON.stringify(body)}`}`,
    isAgreed: status === expect.status && isBody,
  };
}

/** Whether a body is one part, or several between boundaries. */
function holdsParts(body: string, parts: readonly string[]): boolean {
  if (parts.length === 1) return body === parts[0];
  const boundary = body.slice(0, body.indexOf("\r\n"));
  const found = body.split(boundary).slice(1, -1).map((part) =>
    part.slice(part.indexOf("\r\n\r\n") + 4, -2)
  );
  return JSON.stringify(found) === JSON.stringify(parts);
}

Deno.test({
  name: "ranges are selected as Go and range-parser select them",
  ignore: vectors === undefined,
  fn() {
    const cases = vectors!.cases.filter(({ kind }) => kind === "parse");
    assertEquals(cases.length, 42);
    assertEquals(unlisted(cases.map(judgeParsed), DIFFERENCES), []);
  },
});

Deno.test({
  name: "ranges are served as Go serves them",
  ignore: vectors === undefined,
  async fn() {
    const cases = vectors!.cases.filter(({ kind }) => kind === "serve");
    assertEquals(cases.length, 11);
    await using folder = new TestFolder();
    const path = await folder.write("a.txt", "");
    const judgements: Judgement[] = [];
    for (const item of cases) judgements.push(await judgeServed(path, item));
    assertEquals(unlisted(judgements, []), []);
  },
});
