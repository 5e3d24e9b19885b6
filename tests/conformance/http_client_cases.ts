/** Cases for any HTTP client: what a server says to its GET, and what the client has to make of it. */

import type { ClientCase } from "./client_peer.ts";

/** What a server says to one request. */
export interface ServerScript {
  /** What it sends, a byte per character. */
  readonly send: string;
  /** Sent again and again behind that until the client leaves, up to 8 MiB. */
  readonly repeat?: string;
  /** Whether it is sent byte by byte. */
  readonly isTrickled?: boolean;
  /** Whether the connection is closed behind it. */
  readonly closes?: boolean;
}

/** One case. The result is status and body, `200 OK`. */
export interface HttpClientCase extends ClientCase {
  /** Answers to the requests of the case, over whichever connections they come. */
  readonly answers: readonly ServerScript[];
}

const OK = "200 OK";
const FRAMING = "RFC 9112 section 6.3";
const CHUNKED = "RFC 9112 section 7.1";
const FIELDS = "RFC 9112 section 5";

function head(...fields: string[]): string {
  return ["HTTP/1.1 200 Fine", ...fields, "", ""].join("\r\n");
}

function one(
  name: string,
  clause: string,
  send: string,
  expect: readonly unknown[],
  script: Omit<ServerScript, "send"> = {},
): HttpClientCase {
  return { name, clause, expect, answers: [{ send, ...script }] };
}

/** What a client has to understand. */
function good(name: string, clause: string, send: string, script?: Omit<ServerScript, "send">) {
  return one(name, clause, send, [OK], script);
}

/** What a client must not take for a whole response. */
function bad(name: string, clause: string, send: string, script?: Omit<ServerScript, "send">) {
  return one(name, clause, send, ["error"], { closes: true, ...script });
}

/** Where the clause leaves the choice. */
function either(name: string, clause: string, send: string, expect: unknown = OK) {
  return one(name, clause, send, [expect, "error"], { closes: true });
}

const CHUNKS = head("Transfer-Encoding: chunked");
const LENGTH = head("Content-Length: 2");

const UNDERSTOOD: readonly HttpClientCase[] = [
  good("a body by its length", FRAMING, `${LENGTH}OK`),
  good("a response byte by byte", "RFC 9112 section 2.2", `${LENGTH}OK`, { isTrickled: true }),
  good("a body up to the end", FRAMING, `${head()}OK`, { closes: true }),
  good("a chunked body", CHUNKED, `${CHUNKS}1\r\nO\r\n1\r\nK\r\n0\r\n\r\n`),
  good("chunks byte by byte", CHUNKED, `${CHUNKS}1\r\nO\r\n1\r\nK\r\n0\r\n\r\n`, {
    isTrickled: true,
  }),
  good("a chunk extension", "RFC 9112 section 7.1.1", `${CHUNKS}2;a="b;c"\r\nOK\r\n0\r\n\r\n`),
  good("a size with zeros in front", CHUNKED, `${CHUNKS}0002\r\nOK\r\n000\r\n\r\n`),
  good("trailers", "RFC 9112 section 7.1.2", `${CHUNKS}2\r\nOK\r\n0\r\nX-Sum: 1\r\n\r\n`),
  good(
    "a coding in capitals",
    "RFC 9112 section 7",
    `${head("Transfer-Encoding: CHUNKED")}2\r\nOK\r\n0\r\n\r\n`,
  ),
  good("HTTP/1.0", "RFC 9110 section 2.5", "HTTP/1.0 200 OK\r\n\r\nOK", { closes: true }),
  good("an empty reason", "RFC 9112 section 4", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nOK"),
  good(
    "a reason beyond ASCII",
    "RFC 9112 section 4",
    "HTTP/1.1 200 \xc3\xa9\r\nContent-Length: 2\r\n\r\nOK",
  ),
  good("blanks around a value", FIELDS, `${head("Content-Length: \t 2 \t")}OK`),
  good("an empty value", FIELDS, `${head("X:", "Content-Length: 2")}OK`),
  good("a value beyond ASCII", FIELDS, `${head("X: \xe9", "Content-Length: 2")}OK`),
  good("100 before it", "RFC 9110 section 15.2", `HTTP/1.1 100 Continue\r\n\r\n${LENGTH}OK`),
  good("103 before it", "RFC 8297", `HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${LENGTH}OK`),
  one("204 has no body", FRAMING, "HTTP/1.1 204 None\r\n\r\n", ["204 "]),
  one(
    "304 has no body whatever its length",
    FRAMING,
    "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n",
    ["304 "],
  ),
  one(
    "a status nobody knows",
    "RFC 9110 section 15",
    "HTTP/1.1 299 X\r\nContent-Length: 2\r\n\r\nOK",
    ["299 OK"],
  ),
  one("a body of nothing", FRAMING, head("Content-Length: 0"), ["200 "]),
  {
    ...one("two requests, one connection or two", "RFC 9112 section 9.3", "", [
      "200 OK 200 second",
    ]),
    answers: [{ send: `${LENGTH}OK` }, { send: `${head("Content-Length: 6")}second` }],
  },
  {
    ...one("a connection that is closed is not used again", "RFC 9112 section 9.6", "", [
      "200 OK 200 second",
    ]),
    answers: [
      { send: `${head("Content-Length: 2", "Connection: close")}OK`, closes: true },
      { send: `${head("Content-Length: 6")}second` },
    ],
  },
];

const REFUSED: readonly HttpClientCase[] = [
  bad("a body that is too short", FRAMING, `${head("Content-Length: 5")}OK`),
  bad("chunks without their end", "RFC 9112 section 8", `${CHUNKS}2\r\nOK\r\n`),
  bad("a chunk that is too short", "RFC 9112 section 8", `${CHUNKS}5\r\nOK`),
  bad("trailers without their end", "RFC 9112 section 8", `${CHUNKS}2\r\nOK\r\n0\r\nX: 1\r\n`),
  bad("a head without its end", "RFC 9112 section 8", "HTTP/1.1 200 OK\r\nContent-Le"),
  bad("nothing at all", "RFC 9112 section 8", ""),
  bad("another protocol", "RFC 9112 section 4", "SSH-2.0-OpenSSH_9.0\r\n"),
  bad(
    "HTTP/2 where 1.1 was asked",
    "RFC 9112 section 2.3",
    "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nOK",
  ),
  bad(
    "a status of two digits",
    "RFC 9112 section 4",
    "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nOK",
  ),
  bad(
    "a status of four digits",
    "RFC 9112 section 4",
    "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nOK",
  ),
  bad(
    "a status that is none",
    "RFC 9112 section 4",
    "HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nOK",
  ),
  bad("a field without a colon", FIELDS, `${head("Nonsense", "Content-Length: 2")}OK`),
  bad("a blank before the colon", "RFC 9112 section 5.1", `${head("Content-Length : 2")}OK`),
  bad("a NUL in a value", "RFC 9110 section 5.5", `${head("X: a\0b", "Content-Length: 2")}OK`),
  bad("a CR in a value", "RFC 9112 section 2.2", `${head("X: a\rb", "Content-Length: 2")}OK`),
  bad("a name with a blank", "RFC 9110 section 5.1", `${head("X Y: 1", "Content-Length: 2")}OK`),
  bad("two lengths", FRAMING, `${head("Content-Length: 2", "Content-Length: 3")}OK!`),
  bad("a list of two lengths", FRAMING, `${head("Content-Length: 2, 3")}OK!`),
  bad("a negative length", FRAMING, `${head("Content-Length: -2")}OK`),
  bad("a length with a sign", FRAMING, `${head("Content-Length: +2")}OK`),
  bad("a length in hex", FRAMING, `${head("Content-Length: 0x2")}OK`),
  bad("a length nobody can count", FRAMING, `${head("Content-Length: 99999999999999999999")}OK`),
  bad("a size that is none", CHUNKED, `${CHUNKS}x\r\nOK\r\n0\r\n\r\n`),
  bad("a size with a prefix", CHUNKED, `${CHUNKS}0x2\r\nOK\r\n0\r\n\r\n`),
  bad("a negative size", CHUNKED, `${CHUNKS}-2\r\nOK\r\n0\r\n\r\n`),
  bad("a size that overflows", CHUNKED, `${CHUNKS}10000000000000002\r\nOK\r\n0\r\n\r\n`),
  bad("a chunk that is too long", CHUNKED, `${CHUNKS}2\r\nOKAY\r\n0\r\n\r\n`),
  bad("a chunk without its line end", CHUNKED, `${CHUNKS}2\r\nOK0\r\n\r\n`),
  bad("a header section without end", "RFC 9110 section 5.4", "HTTP/1.1 200 OK\r\n", {
    repeat: `X: ${"a".repeat(1000)}\r\n`,
  }),
  bad("a field without end", "RFC 9110 section 5.4", "HTTP/1.1 200 OK\r\nX: ", {
    repeat: "a".repeat(4096),
  }),
  bad("a status line without end", "RFC 9112 section 4", "HTTP/1.1 200 ", {
    repeat: "a".repeat(4096),
  }),
  bad("announcements without end", "RFC 9110 section 15.2", "", {
    repeat: "HTTP/1.1 103 X\r\n\r\n".repeat(50),
  }),
];

const CHOICES: readonly HttpClientCase[] = [
  either(
    "chunked and a length",
    "RFC 9112 section 6.3",
    `${head("Content-Length: 4", "Transfer-Encoding: chunked")}2\r\nOK\r\n0\r\n\r\n`,
  ),
  either("the same length twice", FRAMING, `${head("Content-Length: 2", "Content-Length: 2")}OK`),
  either("a folded field", "RFC 9112 section 5.2", `${head("X: a\r\n b", "Content-Length: 2")}OK`),
  either("line ends of LF", "RFC 9112 section 2.2", "HTTP/1.1 200 OK\nContent-Length: 2\n\nOK"),
  either(
    "no blank behind the status",
    "RFC 9112 section 4",
    "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nOK",
  ),
  // Whoever decodes has to fail; who has offered no coding may pass it on.
  either(
    "a content coding that is broken",
    "RFC 9110 section 8.4",
    `${head("Content-Encoding: gzip", "Content-Length: 2")}OK`,
  ),
  // What it has to fail is the request behind it: that must not get what was sent too much.
  {
    name: "a response nobody asked for",
    clause: "RFC 9112 section 9.2",
    expect: ["200 OK 200 second", "error"],
    answers: [
      { send: `${LENGTH}OK${head("Content-Length: 6")}poison` },
      { send: `${head("Content-Length: 6")}second` },
    ],
  },
  {
    name: "bytes behind a body",
    clause: "RFC 9112 section 6.3",
    expect: ["200 OK 200 second", "error"],
    answers: [{ send: `${LENGTH}OKAY` }, { send: `${head("Content-Length: 6")}second` }],
  },
];

/** All cases. */
export const HTTP_CLIENT_CASES: readonly HttpClientCase[] = [...UNDERSTOOD, ...REFUSED, ...CHOICES];
