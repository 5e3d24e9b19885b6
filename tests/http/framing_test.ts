import { assertEquals } from "@std/assert";
import { ControlFields } from "../../http/control_fields.ts";
import { FieldParser } from "../../http/field_parser.ts";
import { decideFraming, Framing, isPersistent, mayHaveBody } from "../../http/framing.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { refusalOf } from "../_support/wire.ts";

const UNLIMITED = { maxBytes: Infinity, maxCount: Infinity, bytesOption: "", countOption: "" };

function controlOf(lines: readonly string[]): ControlFields {
  const control = new ControlFields({});
  const parser = new FieldParser(UNLIMITED, {});
  const bytes = bytesOf(lines.map((line) => `${line}\r\n`).join("") + "\r\n");
  parser.parse(bytes, 0, bytes.length);
  control.read(bytes, 0, parser);
  return control;
}

const LENGTH = "Content-Length: 5";
const CHUNKED = "Transfer-Encoding: chunked";

interface Message {
  readonly method?: string;
  readonly status?: number;
  readonly minorVersion?: number;
  readonly lines?: readonly string[];
}

function decide({ method = "GET", status = 0, minorVersion = 1, lines = [] }: Message): number {
  return decideFraming({ status, minorVersion, control: controlOf(lines) }, method);
}

const DECISIONS: [name: string, message: Message, framing: number][] = [
  ["rule 1: HEAD with a length", { method: "HEAD", status: 200, lines: [LENGTH] }, 0],
  ["rule 1: HEAD with chunked", { method: "HEAD", status: 200, lines: [CHUNKED] }, 0],
  ["rule 1: HEAD without fields", { method: "HEAD", status: 200 }, 0],
  ["rule 1: 100", { status: 100, lines: [LENGTH] }, 0],
  ["rule 1: 101", { status: 101, lines: [CHUNKED] }, 0],
  ["rule 1: 199", { status: 199 }, 0],
  ["rule 1: 204 with a length", { status: 204, lines: [LENGTH] }, 0],
  ["rule 1: 304 with a length", { status: 304, lines: [LENGTH] }, 0],
  ["rule 2: CONNECT 200", { method: "CONNECT", status: 200, lines: [LENGTH] }, Framing.TUNNEL],
  ["rule 2: CONNECT 299", { method: "CONNECT", status: 299, lines: [CHUNKED] }, Framing.TUNNEL],
  ["rule 2 is not for 300", { method: "CONNECT", status: 300, lines: [LENGTH] }, 5],
  ["rule 2 is not for 407", { method: "CONNECT", status: 407 }, Framing.UNTIL_CLOSE],
  ["rule 4: chunked request", { method: "POST", lines: [CHUNKED] }, Framing.CHUNKED],
  ["rule 4: chunked response", { status: 200, lines: [CHUNKED] }, Framing.CHUNKED],
  ["rule 6: request with a length", { method: "POST", lines: [LENGTH] }, 5],
  ["rule 6: request with a length of 0", { method: "POST", lines: ["Content-Length: 0"] }, 0],
  ["rule 6: GET with a length", { lines: [LENGTH] }, 5],
  ["rule 6: HEAD request with a length", { method: "HEAD", lines: [LENGTH] }, 5],
  ["rule 6: response with a length", { status: 200, lines: [LENGTH] }, 5],
  ["rule 6: response with a length of 0", { status: 200, lines: ["Content-Length: 0"] }, 0],
  ["rule 6: HTTP/1.0 with a length", { method: "POST", minorVersion: 0, lines: [LENGTH] }, 5],
  ["rule 7: request without fields", { method: "POST" }, 0],
  ["rule 8: response without fields", { status: 200 }, Framing.UNTIL_CLOSE],
  ["rule 8: HTTP/1.0 response", { status: 404, minorVersion: 0 }, Framing.UNTIL_CLOSE],
  ["rule 8: 205", { status: 205 }, Framing.UNTIL_CLOSE],
];

for (const [name, message, framing] of DECISIONS) {
  Deno.test(`decideFraming() follows ${name}`, () => {
    assertEquals(decide(message), framing);
  });
}

const UNKNOWN_CODE = "ERR_HTTP_UNKNOWN_TRANSFER_CODING";
const REFUSALS: [
  name: string,
  lines: string[],
  minorVersion: number,
  code: string,
  hint: number,
][] = [
  ["a length and chunked", [LENGTH, CHUNKED], 1, "ERR_HTTP_LENGTH_AND_TRANSFER_CODING", 400],
  ["chunked and a length", [CHUNKED, LENGTH], 1, "ERR_HTTP_LENGTH_AND_TRANSFER_CODING", 400],
  [
    "chunked and a length of 0",
    [CHUNKED, "Content-Length: 0"],
    1,
    "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
    400,
  ],
  [
    "an unknown coding and a length",
    ["Transfer-Encoding: gzip", LENGTH],
    1,
    "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
    400,
  ],
  ["chunked in HTTP/1.0", [CHUNKED], 0, "ERR_HTTP_BAD_TRANSFER_ENCODING", 400],
  ["chunked and a length in HTTP/1.0", [CHUNKED, LENGTH], 0, "ERR_HTTP_BAD_TRANSFER_ENCODING", 400],
  [
    "an unknown coding in HTTP/1.0",
    ["Transfer-Encoding: x"],
    0,
    "ERR_HTTP_BAD_TRANSFER_ENCODING",
    400,
  ],
  ["an unknown coding", ["Transfer-Encoding: x"], 1, UNKNOWN_CODE, 501],
  [
    "an unknown coding in front of chunked",
    ["Transfer-Encoding: x, chunked"],
    1,
    UNKNOWN_CODE,
    501,
  ],
  ["identity", ["Transfer-Encoding: identity"], 1, UNKNOWN_CODE, 501],
];

for (const [name, lines, minorVersion, code, statusHint] of REFUSALS) {
  for (const status of [0, 200]) {
    Deno.test(`decideFraming() refuses a ${status === 0 ? "request" : "response"} with ${name}`, () => {
      const refusal = refusalOf(() => decide({ method: "POST", status, minorVersion, lines }));
      assertEquals(refusal, { code, statusHint, limit: undefined });
    });
  }
}

Deno.test("mayHaveBody() tells which responses never have one", () => {
  for (const status of [100, 101, 103, 199, 204, 304]) {
    assertEquals(mayHaveBody(status, "GET"), false);
  }
  for (const status of [200, 203, 205, 206, 303, 305, 404, 500, 999]) {
    assertEquals(mayHaveBody(status, "GET"), true);
    assertEquals(mayHaveBody(status, "HEAD"), false);
    assertEquals(mayHaveBody(status, "head"), true);
  }
});

for (
  const [connection, in10, in11] of [
    [undefined, false, true],
    ["close", false, false],
    ["keep-alive", true, true],
    ["Keep-Alive, close", false, false],
    ["close, keep-alive", false, false],
    ["upgrade", false, true],
    ["x-close", false, true],
  ] as const
) {
  Deno.test(`isPersistent() judges Connection: ${connection ?? "nothing"}`, () => {
    const control = controlOf(connection === undefined ? [] : [`Connection: ${connection}`]);
    assertEquals([isPersistent(0, control), isPersistent(1, control)], [in10, in11]);
  });
}
