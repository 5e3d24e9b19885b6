import { assertEquals, assertThrows } from "@std/assert";
import { encodeServerSentEvent, type ServerSentEvent } from "../../http/sse_encoder.ts";

const decoder = new TextDecoder();

/** What the parser of the HTML standard (section 9.2.6) makes of a stream. */
interface Seen {
  readonly events: { type: string; data: string; id: string }[];
  readonly retryMs: number | undefined;
}

function parse(stream: string): Seen {
  const events: { type: string; data: string; id: string }[] = [];
  let data = "";
  let type = "";
  let id = "";
  let retryMs: number | undefined;
  const lines = stream.split(/\r\n|\r|\n/);
  // What follows the last line end is no line.
  lines.pop();
  for (const line of lines) {
    if (line === "") {
      if (data !== "") events.push({ type: type || "message", data: data.slice(0, -1), id });
      data = "";
      type = "";
      continue;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data += `${value}\n`;
    else if (name === "event") type = value;
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d+$/.test(value)) retryMs = Number(value);
  }
  return { events, retryMs };
}

const WIRE: readonly { name: string; event: ServerSentEvent; wire: string }[] = [
  { name: "nothing", event: {}, wire: ":\n\n" },
  { name: "data", event: { data: "a" }, wire: "data: a\n\n" },
  { name: "empty data", event: { data: "" }, wire: "data: \n\n" },
  { name: "a blank in front", event: { data: " a" }, wire: "data:  a\n\n" },
  { name: "LF", event: { data: "a\nb" }, wire: "data: a\ndata: b\n\n" },
  { name: "CR LF", event: { data: "a\r\nb" }, wire: "data: a\ndata: b\n\n" },
  { name: "CR", event: { data: "a\rb" }, wire: "data: a\ndata: b\n\n" },
  { name: "LF CR", event: { data: "a\n\rb" }, wire: "data: a\ndata: \ndata: b\n\n" },
  { name: "a line end at the end", event: { data: "a\n" }, wire: "data: a\ndata: \n\n" },
  { name: "an empty id", event: { id: "", data: "a" }, wire: "id: \ndata: a\n\n" },
  { name: "only an id", event: { id: "7" }, wire: "id: 7\n\n" },
  { name: "a comment of two lines", event: { comment: "a\nb" }, wire: ": a\n: b\n\n" },
  { name: "retry", event: { retryMs: 0 }, wire: "retry: 0\n\n" },
  {
    name: "everything",
    event: { comment: "c", event: "e", id: "1", retryMs: 5, data: "d" },
    wire: ": c\nevent: e\nid: 1\nretry: 5\ndata: d\n\n",
  },
];

for (const { name, event, wire } of WIRE) {
  Deno.test(`encodeServerSentEvent() encodes ${name}`, () => {
    assertEquals(decoder.decode(encodeServerSentEvent(event)), wire);
  });
}

Deno.test("encodeServerSentEvent() gives what a page reads back, whatever the data is", () => {
  const rows = [
    "",
    " ",
    "a",
    "id: 1",
    ":x",
    "\n",
    "\n\n",
    "a\r\n\r\nevent: b\ndata: c",
    "ü€😀",
    "\0",
  ];
  for (const data of rows) {
    const { events } = parse(decoder.decode(encodeServerSentEvent({ id: "é", event: "n", data })));
    assertEquals(events, [{ type: "n", data: data.replace(/\r\n|\r/g, "\n"), id: "é" }], data);
  }
});

Deno.test("encodeServerSentEvent() says how long to wait", () => {
  assertEquals(parse(decoder.decode(encodeServerSentEvent({ retryMs: 1_500 }))).retryMs, 1_500);
});

for (
  const [name, event] of [
    ["LF in a name", { event: "a\ndata: b" }],
    ["CR in a name", { event: "a\rb" }],
    ["LF in an id", { id: "a\n\ndata: b" }],
    ["CR in an id", { id: "\r" }],
    ["NUL in an id", { id: "a\0" }],
  ] as const
) {
  Deno.test(`encodeServerSentEvent() throws on ${name}`, () => {
    assertThrows(() => encodeServerSentEvent(event), TypeError);
  });
}

for (const retryMs of [-1, 0.5, NaN, Infinity]) {
  Deno.test(`encodeServerSentEvent() throws on retry ${retryMs}`, () => {
    assertThrows(() => encodeServerSentEvent({ retryMs }), RangeError);
  });
}
