/**
 * A protocol of one's own: a key-value store over lines. The protocol itself is in
 * `custom_protocol_core.ts`; this file moves its bytes, and knows sockets and time.
 *
 * ```sh
 * deno run --allow-net examples/custom_protocol.ts --port=7001
 * deno run --allow-net examples/custom_protocol.ts --port=7001 set greeting hello
 * deno run --allow-net examples/custom_protocol.ts --port=7001 get greeting
 * ```
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 7001, 0 for any), `--grace-ms`
 * (default 1000): what Ctrl-C leaves the connections to end by themselves.
 */

import { parseArgs } from "node:util";
import {
  closeQuietly,
  deadlines,
  type DeadlineWheel,
  dial,
  lingeringClose,
  listen,
  ReceiveBuffer,
  runOperation,
  sendAll,
  TaskGroup,
  TimeoutError,
  type Transport,
} from "@nbio/net/nbio";
import {
  isRequest,
  type KvAnswer,
  KvConnection,
  type KvMessage,
  type KvOptions,
  type KvRequest,
} from "./custom_protocol_core.ts";

/** Options of {@linkcode drive}. */
export interface DriveOptions {
  /**
   * Most milliseconds from one whole message to the next, so that a peer gains nothing by a byte
   * now and then; 30,000 by default. 0 and `Infinity` mean no limit.
   */
  readonly idleTimeoutMs?: number;
  /** Where the deadline waits; the wheel of the process by default. */
  readonly wheel?: DeadlineWheel;
  /** Closes the connection when aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a core over a transport to the end and closes the transport, in either role, and without a
 * word about the protocol.
 *
 * @param onMessage Called for each message. A server answers it before it returns.
 * @throws {TimeoutError} If no message was complete in time.
 * @throws {RangeError} If `idleTimeoutMs` is negative or not a number.
 * @throws {Error} What the core or the transport throws, or the signal's reason.
 */
export function drive(
  core: KvConnection,
  transport: Transport,
  onMessage: (message: KvMessage) => void,
  options: DriveOptions = {},
): Promise<void> {
  const { idleTimeoutMs = 30_000, wheel = deadlines } = options;
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    // The first one counts: what waits at the transport only fails because of it.
    failure ??= { error };
    closeQuietly(transport);
  };
  const writer = new OutputWriter(core, transport, fail);
  const idle = wheel.create(() => {
    const message = `Cannot go on: no message was complete in ${idleTimeoutMs} ms`;
    fail(new TimeoutError(message, { phase: "idle", timeoutMs: idleTimeoutMs }));
  });
  return runOperation(transport, "drive", options, async () => {
    try {
      idle.arm(idleTimeoutMs);
      await converse(core, transport, writer, (message) => {
        idle.arm(idleTimeoutMs);
        onMessage(message);
      });
    } catch (error) {
      failure ??= { error };
    }
    // Behind a mistake of the peer, too: it is to read what the core has said about that.
    await writer.flush();
    idle.cancel();
    await lingeringClose(transport, { wheel });
    if (failure !== undefined) throw failure.error;
  });
}

/** Reads, and tells what came, until the core is through. */
async function converse(
  core: KvConnection,
  transport: Transport,
  writer: OutputWriter,
  onMessage: (message: KvMessage) => void,
): Promise<void> {
  const buffer = new ReceiveBuffer();
  for (;;) {
    const event = core.nextEvent();
    if (event !== undefined && event.type !== "paused" && event.type !== "closed") {
      onMessage(event);
      continue;
    }
    // Reading goes on meanwhile, else two ends could wait for each other to read. A server that
    // has too much to write for that says that it is paused.
    const written = writer.flush();
    if (event?.type === "closed") return;
    if (event?.type === "paused") {
      await written;
      continue;
    }
    const byteCount = await transport.read(buffer.writable());
    if (byteCount === null) {
      core.receiveEnd();
    } else {
      buffer.commit(byteCount);
      core.receive(buffer.view());
      buffer.consume(byteCount);
    }
  }
}

/** Writes what a core has to say, one write at a time. */
class OutputWriter {
  readonly #core: KvConnection;
  readonly #transport: Transport;
  readonly #onError: (error: unknown) => void;
  #isWriting = false;
  #written: Promise<void> = Promise.resolve();

  constructor(core: KvConnection, transport: Transport, onError: (error: unknown) => void) {
    this.#core = core;
    this.#transport = transport;
    this.#onError = onError;
  }

  /** Resolves when all output is written, also what is added meanwhile, or has failed. */
  flush(): Promise<void> {
    if (!this.#isWriting) this.#written = this.#write();
    return this.#written;
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let output; (output = this.#core.takeOutput()) !== undefined;) {
        await sendAll(this.#transport, output);
      }
    } catch (error) {
      this.#onError(error);
    }
    this.#isWriting = false;
  }
}

/** The store behind the server: what it holds is `maxKeys` values at most. */
export class KvStore {
  readonly #values: Map<string, Uint8Array> = new Map();
  readonly #maxKeys: number;

  /** @throws {RangeError} If `maxKeys` is negative or not whole. */
  constructor({ maxKeys = 1_000 }: { readonly maxKeys?: number } = {}) {
    if (!(Number.isSafeInteger(maxKeys) && maxKeys >= 0)) {
      throw new RangeError(`Cannot create store: maxKeys is ${maxKeys}, expected at least 0`);
    }
    this.#maxKeys = maxKeys;
  }

  answer(request: KvRequest): KvAnswer {
    switch (request.type) {
      case "set":
        if (!this.#values.has(request.key) && this.#values.size >= this.#maxKeys) {
          return { type: "error", code: "full", text: `The store holds ${this.#maxKeys} keys` };
        }
        this.#values.set(request.key, request.value);
        return { type: "ok" };
      case "get": {
        const value = this.#values.get(request.key);
        return value === undefined ? { type: "none" } : { type: "value", value };
      }
      case "del":
        return { type: this.#values.delete(request.key) ? "ok" : "none" };
      case "quit":
        return { type: "ok" };
    }
  }
}

/** Answers one connection to its end. Rejects as {@linkcode drive} does. */
export function serveConnection(
  transport: Transport,
  store: KvStore,
  options: DriveOptions & KvOptions = {},
): Promise<void> {
  const core = new KvConnection("server", options);
  return drive(core, transport, (message) => {
    if (isRequest(message)) core.send(store.answer(message));
  }, options);
}

/**
 * Makes requests, as many at a time as may be, and quits. Rejects as {@linkcode drive} does.
 *
 * @returns The answers; fewer than requests if the last one says that they break the protocol.
 */
export async function request(
  transport: Transport,
  requests: readonly KvRequest[],
  options: DriveOptions & KvOptions = {},
): Promise<KvAnswer[]> {
  const core = new KvConnection("client", options);
  const answers: KvAnswer[] = [];
  let sentCount = 0;
  const sendMore = (): void => {
    while (core.canRequest && sentCount <= requests.length) {
      core.send(requests[sentCount++] ?? { type: "quit" });
    }
  };
  try {
    sendMore();
    await drive(core, transport, (message) => {
      if (!isRequest(message)) answers.push(message);
      sendMore();
    }, options);
  } finally {
    closeQuietly(transport);
  }
  // The last one is the answer to QUIT.
  return answers.slice(0, requests.length);
}

async function serve(hostname: string, port: number, graceMs: number): Promise<void> {
  const store = new KvStore();
  // Peers fail all the time: a line each, which the group writes and not the listener.
  const connections = new TaskGroup({ onError: (error) => console.error(String(error)) });
  const listener = listen({ hostname, port, onError: () => {} });
  const stop = async (): Promise<void> => {
    Deno.removeSignalListener("SIGINT", stop);
    listener.close();
    await connections.drain({ timeoutMs: graceMs }).catch(() => connections.abort());
  };
  Deno.addSignalListener("SIGINT", stop);
  const addr = listener.addr as Deno.NetAddr;
  console.log(`Listening on ${addr.hostname}:${addr.port}`);
  await listener.serve((transport) =>
    connections.spawn((signal) => serveConnection(transport, store, { signal }))
  );
}

function parseCommand([verb, key = "", value = ""]: readonly string[]): KvRequest {
  if (verb === "get" || verb === "del") return { type: verb, key };
  if (verb === "set") return { type: verb, key, value: new TextEncoder().encode(value) };
  throw new TypeError(`Cannot do ${verb}: expected get, set or del`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      hostname: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "7001" },
      "grace-ms": { type: "string", default: "1000" },
    },
  });
  const { hostname } = values;
  const port = Number(values.port);
  if (positionals.length === 0) return await serve(hostname, port, Number(values["grace-ms"]));
  const command = parseCommand(positionals);
  const [answer] = await request(await dial({ hostname, port }), [command]);
  if (answer?.type === "value") console.log(new TextDecoder().decode(answer.value));
  else if (answer?.type === "error") console.log(`ERROR ${answer.code}: ${answer.text}`);
  else console.log(answer?.type.toUpperCase());
}

if (import.meta.main) await main();
