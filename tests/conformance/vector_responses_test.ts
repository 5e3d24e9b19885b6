import { assertEquals } from "@std/assert";
import { Client } from "../../http/client.ts";
import { exchange } from "../../http/client_exchange.ts";
import type { ExchangeRequest } from "../../http/client_sender.ts";
import { NetError } from "../../nbio/errors.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";
import { bytesOfBase64 } from "./vector_message.ts";
import { boundedSplits } from "./vector_split.ts";

/** What a server has sent before it closed, and what a client must make of it. */
interface ResponseCase {
  readonly name: string;
  /** How curl was called, where the case is one of its. */
  readonly command?: string;
  readonly input: string;
  readonly expect: {
    readonly outcome: "ok" | "error";
    /** What curl has written, in Base64. */
    readonly body?: string;
    readonly bodyLength?: number;
  };
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: "curl/test66 HTTP GET without headers in the response",
    gives: "error ERR_HTTP_BAD_VERSION",
    clause: "RFC 9112 section 2.3",
    reason: "HTTP/0.9 is a switch of curl",
  },
  {
    name: "curl/test221 HTTP GET gzip compressed content with broken gzip header",
    gives: "ok 200",
    clause: "RFC 9110 section 8.4",
    reason: "codings of the content are not the exchange's to undo",
  },
  {
    name: "curl/test395 HTTP and out-of-range Content-Length",
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "curl reads on where a length is too large to count",
  },
  {
    name: "curl/test770 HTTP with Content-Length headers using comma separated list",
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "equal lengths are allowed by name only",
  },
  {
    name: "curl/test772 HTTP with two Location: headers triggers error",
    gives: "ok 200",
    clause: "RFC 9110 section 5.3",
    reason: "what a field means is for whoever follows it to say",
  },
  {
    name: "curl/test1122 HTTP GET gzip transfer-encoded content",
    gives: "error ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
    clause: "RFC 9112 section 6.3, rule 3",
    reason: "both framings at once are an attack, or look like one",
  },
  {
    name: "curl/test1124 HTTP GET gzip+chunked transfer-encoded content",
    gives: "error ERR_HTTP_UNKNOWN_TRANSFER_CODING",
    clause: "RFC 9112 section 7",
    reason: "no coding but chunked is asked for, so none may come",
  },
  {
    name: "curl/test1267 HTTP GET with an invalid HTTP/1 response line start",
    gives: "error ERR_HTTP_BAD_VERSION",
    clause: "RFC 9112 section 2.3",
    reason: "HTTP/0.9 is a switch of curl",
  },
  {
    name: 'wpt/content-lengths "Content-Length: 42,42"',
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "equal lengths are allowed by name only",
  },
  {
    name: 'wpt/content-lengths "Content-Length: 42\\r\\nContent-Length: 42,42"',
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "equal lengths are allowed by name only",
  },
  {
    name: 'wpt/content-lengths "Content-Length: 30,30"',
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "equal lengths are allowed by name only",
  },
  {
    name: 'wpt/content-lengths "Content-Length: 30\\r\\nContent-Length: 30,30"',
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "equal lengths are allowed by name only",
  },
  {
    name: 'wpt/content-lengths "Content-Length: aaaah, aaaah"',
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "browsers drop what is no number",
  },
  {
    name: 'wpt/content-lengths "Content-Length: 42s"',
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "browsers drop what is no number",
  },
  {
    name: 'wpt/content-lengths "Content-Length: -1"',
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9112 section 6.3, rule 5",
    reason: "browsers drop what is no number",
  },
  {
    name: 'wpt/content-lengths "Content-Length: 030"',
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "RFC 9110 section 8.6",
    reason: "a leading zero is read as octal by some, and sent by nobody",
  },
  {
    name: 'wpt/status-code HTTP/1.1 "1 OK"',
    gives: "error ERR_HTTP_BAD_STATUS_LINE",
    clause: "RFC 9110 section 15",
    reason: "a status has three digits, the first from 1 to 9",
  },
  {
    name: 'wpt/status-code HTTP/1.1 "099 HELLO"',
    gives: "error ERR_HTTP_BAD_STATUS_LINE",
    clause: "RFC 9110 section 15",
    reason: "no class of statuses begins with 0",
  },
];

/** Options of curl that make what it writes something else than the body as it came. */
const OTHER_OUTPUT = /(^| )(-i|--compressed|--tr-encoding|--raw|--max-filesize)( |$)/;

function requestOf({ command = "" }: ResponseCase): ExchangeRequest {
  const request = { target: "/", headers: { host: "a" } };
  if (command.includes("--head")) return { ...request, method: "HEAD" };
  return command.includes("-d ")
    ? { ...request, method: "POST", body: new Uint8Array(3) }
    : request;
}

/** The outcome of an exchange, in words; with what came as a body. */
interface Outcome {
  readonly got: string;
  readonly body: string;
}

async function outcomeOf(
  reads: readonly Uint8Array[],
  request: ExchangeRequest,
): Promise<Outcome> {
  const transport = new ScriptedTransport({ reads });
  let got: string;
  let body = "";
  try {
    const response = await exchange(transport, request, {
      // Most of these servers end their lines so; what else they show is of use.
      lenience: { allowBareLf: true },
    });
    body = textOf(await response.bytes());
    got = `ok ${response.status}`;
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    got = `error ${error.code}`;
  }
  await Promise.resolve();
  assertEquals(transport.closedCount, 1);
  return { got, body };
}

async function judge(item: ResponseCase): Promise<Judgement> {
  const bytes = bytesOfBase64(item.input);
  const request = requestOf(item);
  const { got, body } = await outcomeOf([bytes], request);
  for (const chunks of boundedSplits(bytes)) {
    assertEquals(await outcomeOf(chunks, request), { got, body }, item.name);
  }
  const { outcome, body: wantedBody, bodyLength } = item.expect;
  if (!got.startsWith("ok") || outcome !== "ok") {
    return { name: item.name, wanted: outcome, got, isAgreed: got.startsWith(outcome) };
  }
  const isSame = (bodyLength ?? body.length) === body.length &&
    (wantedBody === undefined || OTHER_OUTPUT.test(item.command ?? "") ||
      textOf(bytesOfBase64(wantedBody)) === body);
  const told = `${got}${isSame ? "" : ` with another body of ${body.length} bytes`}`;
  return { name: item.name, wanted: outcome, got: told, isAgreed: isSame };
}

const vectors = loadVectors<{ readonly cases: readonly ResponseCase[] }>("responses");

Deno.test({
  name: "exchange() agrees with curl and wpt about responses",
  ignore: vectors === undefined,
  async fn() {
    const judgements: Judgement[] = [];
    for (const item of vectors!.cases) judgements.push(await judge(item));
    assertEquals(unlisted(judgements, DIFFERENCES), []);
  },
});

/** Reads one request and gives the answer, however little that is one; then it ends. */
async function answerOne(listener: Deno.TcpListener, answer: Uint8Array): Promise<void> {
  const connection = await listener.accept();
  try {
    const space = new Uint8Array(4_096);
    let request = "";
    // What has not been read would make the end a reset.
    while (!isWhole(request)) request += textOf(space.subarray(0, (await connection.read(space))!));
    for (let at = 0; at < answer.length;) at += await connection.write(answer.subarray(at));
    await connection.closeWrite();
    // The client has all it wants when it closes.
    while (await connection.read(space) !== null);
  } catch {
    // It had enough before the end.
  } finally {
    closeQuietly(connection);
  }
}

function isWhole(request: string): boolean {
  const headEnd = request.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = Number(/^content-length: (\d+)/im.exec(request)?.[1] ?? 0);
  return request.length >= headEnd + 4 + length;
}

/** The same by sockets and a whole client, which has to be clean afterwards. */
async function liveOutcomeOf(
  bytes: Uint8Array,
  { method = "GET", body }: ExchangeRequest,
): Promise<Outcome> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answering = answerOne(listener, bytes);
  await using client = new Client({
    connection: { lenience: { allowBareLf: true } },
    retry: false,
    redirect: "manual",
    decompress: false,
  });
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  let outcome: Outcome;
  try {
    const response = await client.request(method, url, {
      ...body instanceof Uint8Array && { body },
    });
    const { status } = response;
    outcome = { got: `ok ${status}`, body: textOf(await response.bytes()) };
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    outcome = { got: `error ${error.code}`, body: "" };
  }
  const { connections, idle } = client.stats();
  assertEquals(connections, idle);
  await client.close();
  await answering;
  return outcome;
}

Deno.test({
  name: "Client makes of responses what exchange() makes of them",
  ignore: vectors === undefined,
  async fn() {
    for (const item of vectors!.cases) {
      const bytes = bytesOfBase64(item.input);
      const request = requestOf(item);
      const wanted = await outcomeOf([bytes], request);
      assertEquals(await liveOutcomeOf(bytes, request), wanted, item.name);
    }
  },
});
