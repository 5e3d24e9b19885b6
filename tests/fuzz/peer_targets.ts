/** Targets for what proxies, forms and coded bodies bring, and for what is written to streams. */

import { decodeContent } from "../../http/content_decoder.ts";
import { knownContentCodings } from "../../http/content_coding.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { parseFormUrlEncoded } from "../../http/form_urlencoded.ts";
import { connectThroughHttpProxy } from "../../http/http_proxy_dial.ts";
import { ProxyError } from "../../http/proxy_error.ts";
import {
  parseProxyHeader,
  ProxyProtocolError,
  startsWithProxyHeader,
} from "../../http/proxy_protocol.ts";
import { Socks5Client } from "../../http/socks5.ts";
import { encodeServerSentEvent } from "../../http/sse_encoder.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { type ErrorClass, outcomeOf } from "./fuzz_target.ts";
import { cut } from "./mutation.ts";
import {
  demand,
  demandSame,
  type InputTarget,
  inputTarget,
  readBothWays,
  textTarget,
} from "./input_target.ts";

const BYTES = [
  "\0",
  "\x01",
  "\x02",
  "\x03",
  "\x04",
  "\x05",
  "\x10",
  "\x7f",
  "\x80",
  "\xff",
] as const;
const V2 = "\r\n\r\n\0\r\nQUIT\n";
const HEADER_ERRORS = [ProxyProtocolError, LimitExceededError];

/** What a prefix says, the error too. */
function readPrefix(bytes: Uint8Array, maxHeaderBytes: number): string {
  try {
    const header = parseProxyHeader(bytes, { maxHeaderBytes });
    return header === undefined ? "more" : JSON.stringify(header);
  } catch (error) {
    return outcomeOf(error, HEADER_ERRORS);
  }
}

const proxyHeader = inputTarget({
  name: "peers/proxy_header",
  drives: ["http/proxy_protocol.ts"],
  pieces: [
    ...BYTES,
    "PROXY ",
    "TCP4 ",
    "TCP6 ",
    "UNKNOWN",
    " ",
    "\r\n",
    "1.2.3.4",
    "::1",
    "443",
    V2,
    "\x21\x11",
  ],
  throws: HEADER_ERRORS,
  run(input, random) {
    const maxHeaderBytes = random.pick([232, 4_096, 65_551]);
    const whole = readPrefix(input, maxHeaderBytes);
    // Who asks again with more gets "more" until the end, and the end stays.
    let decided = "more";
    for (let end = 0; end <= input.length; end += 1 + random.int(1 + (end >> 3))) {
      const answer = readPrefix(input.subarray(0, end), maxHeaderBytes);
      if (decided !== "more") demandSame(answer, decided, "more bytes change no answer");
      decided = answer;
    }
    if (decided !== "more") demandSame(whole, decided, "the whole says what a part has said");
    const header = parseProxyHeader(input, { maxHeaderBytes });
    if (header !== undefined) {
      demand(startsWithProxyHeader(input) === true, "a header begins as one");
      demand(header.length <= input.length, "a header is no longer than what came");
    }
    return header;
  },
});

const SOCKS_TARGETS = [
  { hostname: "example.com", port: 443 },
  { hostname: "192.0.2.1", port: 80 },
  { hostname: "2001:db8::1", port: 1 },
];

const socks5 = inputTarget({
  name: "peers/socks5",
  drives: ["http/socks5.ts"],
  pieces: [
    ...BYTES,
    "\x05\x00",
    "\x05\x02",
    "\x05\xff",
    "\x01\x00",
    "\x05\x00\x00\x01",
    "\x05\x05\x00\x03",
  ],
  throws: [ProxyError],
  run(input, random) {
    const target = random.pick(SOCKS_TARGETS);
    const hasCredentials = random.int(2) === 0;
    return readBothWays(input, random, (chunks) => {
      const client = new Socks5Client(target, {
        credentials: hasCredentials ? { username: "u", password: "p" } : undefined,
      });
      let sent = "";
      let behind = "";
      for (const chunk of chunks) {
        sent += textOf(client.takeOutput());
        // What comes then is no matter of the core's.
        if (client.state === "connected") behind += textOf(chunk);
        else client.receive(chunk);
      }
      sent += textOf(client.takeOutput());
      if (client.state !== "connected") client.receiveEnd();
      const event = client.nextEvent();
      return { event, sent, state: client.state, rest: textOf(client.leftover()) + behind };
    }, [ProxyError]);
  },
});

/** The proxy says that, whatever it is asked, and leaves. */
async function askProxy(chunks: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
  const [client, proxy] = memoryPipe();
  const answering = (async () => {
    const space = new Uint8Array(4_096);
    await proxy.read(space);
    for (const chunk of chunks) await sendAll(proxy, chunk);
    await proxy.closeWrite();
    while (await proxy.read(space) !== null);
  })();
  try {
    await connectThroughHttpProxy(client, { hostname: "example.com", port: 443 }, { timeoutMs: 0 });
    // Where it fails, it closes on its own.
    client.close();
    return "connected";
  } finally {
    await answering.catch(() => {});
    proxy.close();
  }
}

const httpProxy = inputTarget({
  name: "peers/http_proxy",
  drives: ["http/http_proxy_dial.ts"],
  pieces: [
    "\r\n",
    "\r\n\r\n",
    "HTTP/1.1 ",
    "200 OK",
    "407 ",
    "100 Continue",
    "502 ",
    "101 ",
    "Content-Length: 3",
    ":",
  ],
  throws: [ProxyError],
  // Bytes behind the head are seen only if they come with it: what is read is not cut.
  run: (input) => askProxy(input.length === 0 ? [] : [input]),
});

const urlencoded = inputTarget({
  name: "peers/form_urlencoded",
  drives: ["http/form_urlencoded.ts"],
  pieces: [
    "&",
    "=",
    "+",
    "%",
    "%20",
    "%zz",
    "%c3%a9",
    "%ff",
    "_charset_=",
    "utf-8",
    "a=b&".repeat(9),
    "\xc3\xa9",
  ],
  throws: [HttpProtocolError, LimitExceededError],
  run(input) {
    const pairs = parseFormUrlEncoded(input, { maxFields: 50 });
    demand(pairs.length <= 50, "there are no more fields than the bound");
    const text = new URLSearchParams(pairs).toString();
    const again = parseFormUrlEncoded(new TextEncoder().encode(text), { maxFields: 50 });
    demandSame(again, pairs, "what is written anew reads the same");
    return pairs;
  },
});

const CODED_ERRORS: readonly ErrorClass[] = [HttpProtocolError, LimitExceededError];

/** The content of an entry: the codings, a blank and the coded bytes. */
async function decodeEntry(
  codings: string,
  chunks: readonly Uint8Array<ArrayBuffer>[],
): Promise<string> {
  const list = knownContentCodings(codings, 5) ?? [];
  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    yield* chunks.filter(({ length }) => length > 0);
  }
  const bounds = { maxBytes: 100_000, maxCodedBytes: 100_000, maxRatio: 50, limit: "maxBodyBytes" };
  let text = "";
  for await (const piece of decodeContent(pieces(), list, bounds)) text += textOf(piece);
  demand(text.length <= bounds.maxBytes, "content is no longer than the bound");
  return text;
}

const contentDecoder = textTarget({
  name: "peers/content_decoder",
  drives: ["http/content_decoder.ts"],
  pieces: [...BYTES, "\x1f\x8b\x08", "\x78\x9c", "gzip", "deflate", "br", ","],
  throws: CODED_ERRORS,
  async run(text: string, random: SeededRandom) {
    const blank = text.indexOf(" ");
    const codings = blank < 0 ? "gzip" : text.slice(0, blank);
    const input = bytesOf(text.slice(blank + 1));
    const attempt = async (chunks: readonly Uint8Array<ArrayBuffer>[]): Promise<string> => {
      try {
        return `accepted ${await decodeEntry(codings, chunks)}`;
      } catch (error) {
        return outcomeOf(error, CODED_ERRORS);
      }
    };
    const outcomes = [await attempt([input]), await attempt(cut(input, random))];
    // Pieces may pass a bound before they come to what is wrong.
    const isBounded = outcomes.some((outcome) => outcome.startsWith(LimitExceededError.name));
    if (!isBounded) demandSame(outcomes[1], outcomes[0], "pieces decode as the whole does");
    return decodeEntry(codings, [input]);
  },
});

/** The data of all events as a page reads them. */
function readEvents(stream: string): string[] {
  const events: string[] = [];
  let data: string[] = [];
  for (const line of stream.split(/\r\n|\r|\n/)) {
    if (line === "" && data.length > 0) events.push(data.join("\n"));
    if (line === "") data = [];
    const match = /^data(?:: ?(.*))?$/s.exec(line);
    if (match !== null) data.push(match[1] ?? "");
  }
  return events;
}

const sse = textTarget({
  name: "peers/server_sent_event",
  drives: ["http/sse_encoder.ts"],
  pieces: [
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    ":",
    "data:",
    "data: ",
    "id: 1",
    "event: x",
    "retry: 1",
    "\0",
    " ",
  ],
  throws: [TypeError],
  run(text, random) {
    const event = random.int(2) === 0 ? { data: text } : { data: text, comment: text, retryMs: 5 };
    const events = readEvents(new TextDecoder().decode(encodeServerSentEvent(event)));
    demandSame(events, [text.replace(/\r\n|\r/g, "\n")], "one event is read, with that data");
    return encodeServerSentEvent({ id: text, event: text, data: "" });
  },
});

/** All of them. */
export const PEER_TARGETS: readonly InputTarget[] = [
  ...[proxyHeader, socks5, httpProxy, urlencoded, contentDecoder, sse],
];
