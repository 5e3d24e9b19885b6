import { assertEquals } from "@std/assert";
import { HttpProtocolError } from "../../http/errors.ts";
import { parseFormUrlEncoded } from "../../http/form_urlencoded.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { parseAll, type Seen } from "../_support/multipart_script.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";
import { bytesOfBase64 } from "./vector_message.ts";
import { boundedSplits } from "./vector_split.ts";

interface ExpectedPart {
  readonly type: "field" | "file";
  readonly name: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly data: string;
}

interface MultipartCase {
  readonly name: string;
  readonly kind: "multipart" | "urlencoded";
  readonly input: string;
  readonly boundary?: string;
  readonly charset?: string;
  /** Limits of busboy; only the number of fields has a match here. */
  readonly limits?: Readonly<Record<string, number | null>>;
  /** What its source listened for; it skips parts of other kinds. */
  readonly eventsWatched?: readonly string[];
  readonly expect: {
    readonly outcome?: "ok" | "error";
    readonly parts?: readonly ExpectedPart[];
    readonly fields?: readonly { readonly name: string; readonly value: string }[];
  };
}

/**
 * busboy goes on without what passes one of its limits, and cuts what is too long; here
 * the form is refused, or there is no such limit.
 */
const DIFFERENCES: readonly Difference[] = [
  {
    name: "python-multipart/base64_encoding",
    gives: "ok: file file of 12",
    clause: "RFC 7578 section 4.7",
    reason: "Content-Transfer-Encoding is deprecated in forms and means nothing",
  },
  {
    name: "python-multipart/mixed_plain_and_base64_encoding",
    gives: "ok: field field1 of 12, field field2 of 15, field field3 of 20, field field4 of 20",
    clause: "RFC 7578 section 4.7",
    reason: "Content-Transfer-Encoding is deprecated in forms and means nothing",
  },
  {
    name: "busboy/Fields and files (limits: 0 files)",
    gives: "ok: field file_name_0 of 16, file upload_file_0 of 26",
    clause: "RFC 7578 section 4.2",
    reason: "no limit on files of its own: busboy drops a file, here the handler decides",
  },
  {
    name: "busboy/Empty content-type and empty content-disposition",
    gives: "ERR_HTTP_BAD_MULTIPART",
    clause: "RFC 7578 section 4.2",
    reason: "each part must name its field; busboy drops the part",
  },
  {
    name: "busboy/Skip field parts if no listener",
    gives: "ok: field file_name_0 of 65536, file upload_file_0 of 2",
    clause: "RFC 7578 section 4.2",
    reason: "busboy was not asked for fields",
  },
  {
    name: "busboy/Fields limit",
    gives: "ok: field file_name_0 of 1, field file_name_1 of 1",
    clause: "RFC 7578 section 4.2",
    reason: "busboy drops what is beyond its limit on fields; ours is on parts and refuses",
  },
  {
    name: "busboy/Oversized part header",
    gives: "maxPartHeaderBytes",
    clause: "RFC 7578 section 4.2",
    reason: "both refuse the part; busboy goes on with the next one first",
  },
];

function outcomeOf(seen: Seen): string {
  if (seen.outcome !== "end") return seen.outcome;
  return `ok: ${seen.parts.map((part) => describe(part, part.content)).join(", ")}`;
}

function describe({ name, filename }: Named, content: string): string {
  return `${filename === undefined ? "field" : "file"} ${name} of ${content.length}`;
}

interface Named {
  readonly name: string;
  readonly filename?: string | undefined;
}

/** What busboy allows; ours is half of that. */
const LIMITS = { maxPartHeaderBytes: 16 * 1024 };

function judgeMultipart(item: MultipartCase): Judgement {
  const input = bytesOfBase64(item.input);
  const seen = parseAll(item.boundary!, [input], LIMITS);
  for (const chunks of boundedSplits(input)) {
    assertEquals(
      parseAll(item.boundary!, chunks, LIMITS),
      seen,
      `${item.name} depends on its splits`,
    );
  }
  const { outcome, parts = [] } = item.expect;
  const wantedParts = parts.map((part) => describe(part, textOf(bytesOfBase64(part.data))));
  const wanted = outcome === "error" ? "error" : `ok: ${wantedParts.join(", ")}`;
  const isError = outcome === "error" && seen.outcome.startsWith("ERR_");
  const isSame = outcome === "ok" && seen.outcome === "end" &&
    seen.parts.length === parts.length &&
    seen.parts.every((part, index) => agrees(part, parts[index]!));
  return { name: item.name, wanted, got: outcomeOf(seen), isAgreed: isError || isSame };
}

function agrees(part: Seen["parts"][number], expected: ExpectedPart): boolean {
  const type = expected.contentType;
  return part.isWhole && part.name === expected.name &&
    (part.filename === undefined) === (expected.type === "field") &&
    (expected.filename === undefined || part.filename === expected.filename) &&
    // busboy gives the type without its parameters.
    (type === undefined || part.type === type || part.type.startsWith(`${type};`)) &&
    part.content === textOf(bytesOfBase64(expected.data));
}

const URLENCODED_DIFFERENCES: readonly Difference[] = [
  {
    name: "busboy/urlencoded: Limits: one field",
    gives: "maxFields",
    clause: "RFC 9110 section 15.5.14",
    reason: "busboy drops what is beyond its limit; here the form is refused",
  },
  ...["field name", "field name and value"].map((what) => ({
    name: `busboy/urlencoded: Limits: truncated ${what}`,
    gives: '[["foo","bar"],["baz","bla"]]',
    clause: "RFC 9110 section 15.5.14",
    reason: "nothing is cut: half of a value is another value",
  })),
  {
    name: "busboy/urlencoded: Limits: truncated zero field name and zero value limit",
    gives: '[["foo","bar"],["baz","bla"]]',
    clause: "RFC 9110 section 15.5.14",
    reason: "nothing is cut: half of a value is another value",
  },
];

function judgeUrlencoded(item: MultipartCase): Judgement {
  const wanted = JSON.stringify(item.expect.fields!.map(({ name, value }) => [name, value]));
  const got = readUrlencoded(item);
  return { name: item.name, wanted, got, isAgreed: wanted === got };
}

function readUrlencoded({ input, charset, limits }: MultipartCase): string {
  try {
    return JSON.stringify(parseFormUrlEncoded(bytesOfBase64(input), {
      ...charset !== undefined && { charset },
      ...limits?.fields && { maxFields: limits.fields },
    }));
  } catch (error) {
    if (error instanceof HttpProtocolError) return error.code;
    if (error instanceof LimitExceededError) return error.limit;
    throw error;
  }
}

const vectors = loadVectors<{ readonly cases: readonly MultipartCase[] }>("multipart");

Deno.test({
  name: "MultipartParser agrees with python-multipart and busboy",
  ignore: vectors === undefined,
  fn() {
    const cases = vectors!.cases.filter(({ kind }) => kind === "multipart");
    assertEquals(unlisted(cases.map(judgeMultipart), DIFFERENCES), []);
  },
});

Deno.test({
  name: "parseFormUrlEncoded() agrees with busboy",
  ignore: vectors === undefined,
  fn() {
    const cases = vectors!.cases.filter(({ kind }) => kind === "urlencoded");
    assertEquals(unlisted(cases.map(judgeUrlencoded), URLENCODED_DIFFERENCES), []);
  },
});
