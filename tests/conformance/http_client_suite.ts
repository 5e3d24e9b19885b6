/** The cases for any HTTP client, over raw sockets: a server that misbehaves by script. */

import { sendAll } from "../../nbio/send_all.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import {
  type ClientCaseResult,
  type ClientPeer,
  type PeerAnswer,
  resultOf,
} from "./client_peer.ts";
import { HTTP_CLIENT_CASES, type HttpClientCase, type ServerScript } from "./http_client_cases.ts";

const MAX_REPEATED_BYTES = 8 * 1024 * 1024;
const MAX_HEAD_BYTES = 16_384;

/** Runs cases against a client, one after the other. */
export async function runHttpClientSuite(
  peer: ClientPeer,
  cases: readonly HttpClientCase[] = HTTP_CLIENT_CASES,
): Promise<ClientCaseResult[]> {
  const results: ClientCaseResult[] = [];
  for (const item of cases) {
    await using server = new ScriptedServer(item.answers);
    const answers: PeerAnswer[] = [];
    for (let index = 0; index < item.answers.length; index++) {
      answers.push(await peer.ask([`http://127.0.0.1:${server.port}/${index}`]));
    }
    results.push(resultOf(item, peer, joined(answers)));
  }
  return results;
}

/** Several requests have one outcome: their results in a row, or the first that is none. */
function joined(answers: readonly PeerAnswer[]): PeerAnswer {
  const failed = answers.find((answer) => !("ok" in answer));
  if (failed !== undefined) return failed;
  return { ok: answers.map((answer) => (answer as { ok: string }).ok).join(" ") };
}

/** Answers the request for `/N` with the script of that number. */
class ScriptedServer implements AsyncDisposable {
  readonly #answers: readonly ServerScript[];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #tasks: Promise<void>[] = [];

  constructor(answers: readonly ServerScript[]) {
    this.#answers = answers;
    this.#tasks.push(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) closeQuietly(connection);
    await Promise.allSettled(this.#tasks);
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      this.#tasks.push(this.#serve(connection));
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    try {
      connection.setNoDelay(true);
      for (let text = ""; text.length < MAX_HEAD_BYTES;) {
        const space = new Uint8Array(4_096);
        const count = await connection.read(space);
        if (count === null) return;
        text += textOf(space.subarray(0, count));
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) continue;
        const index = Number(/^GET \/(\d+)/.exec(text)?.[1] ?? 0);
        text = text.slice(end + 4);
        const script = this.#answers[index] ?? this.#answers[0]!;
        await play(connection, script);
        if (script.closes === true) return;
      }
    } catch {
      // The client has left.
    } finally {
      closeQuietly(connection);
      this.#connections.delete(connection);
    }
  }
}

async function play(connection: Deno.TcpConn, script: ServerScript): Promise<void> {
  const bytes = bytesOf(script.send);
  if (script.isTrickled === true) {
    for (let at = 0; at < bytes.length; at++) await sendAll(connection, bytes.subarray(at, at + 1));
  } else {
    await sendAll(connection, bytes);
  }
  if (script.repeat === undefined) return;
  const piece = bytesOf(script.repeat);
  for (let sent = 0; sent < MAX_REPEATED_BYTES; sent += piece.length) {
    await sendAll(connection, piece);
  }
}
