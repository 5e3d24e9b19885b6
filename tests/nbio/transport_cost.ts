/**
 * A program for `transport_test.ts`: serves echo connections, one after the other, by a bare loop
 * over `Deno.listen` and by `listen().serve()`, with the same code for a connection, and counts the
 * promises that `MESSAGES` of its messages make.
 *
 * For each way it prints its port and, when the connection is over, the promises. Run with
 * `--trace-ops` its standard error lists the operations; marks on it say where those messages begin
 * and end. It writes nothing else.
 */

import v8 from "node:v8";
import { listen } from "../../nbio/listen.ts";
import { sendAll } from "../../nbio/send_all.ts";
import type { Transport } from "../../nbio/transport.ts";

/** How many messages are counted, after some that are not. */
export const MESSAGES = 100;
export const WARM_UP_MESSAGES = 10;

/** Lines on standard error. */
export const BEGIN = "--- begin";
export const END = "--- end";

/** Echoes one connection to its end; gives back the promises made by the messages that count. */
type Echo = (transport: Transport) => Promise<number>;

/** One way to serve connections. */
interface Way {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** The ways, in the order in which they are run. */
export const WAYS: readonly Way[] = [
  { name: "bare loop", run: () => serveBare(echo) },
  { name: "listen().serve()", run: () => serveListener(echo) },
  { name: "bare loop, sendAll()", run: () => serveBare(echoAll) },
  { name: "listen().serve(), sendAll()", run: () => serveListener(echoAll) },
];

let promiseCount = 0;

/** Counts messages, and promises between the first and the last that count. */
class Counter {
  #messageCount = 0;
  #atBegin = 0;
  #madeCount = 0;

  get madeCount(): number {
    return this.#madeCount;
  }

  onMessage(): void {
    this.#messageCount++;
    if (this.#messageCount === WARM_UP_MESSAGES) {
      console.error(BEGIN);
      this.#atBegin = promiseCount;
    } else if (this.#messageCount === WARM_UP_MESSAGES + MESSAGES) {
      this.#madeCount = promiseCount - this.#atBegin;
      console.error(END);
    }
  }
}

const echo: Echo = async (transport) => {
  const counter = new Counter();
  const buffer = new Uint8Array(64);
  for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
    counter.onMessage();
    await transport.write(buffer.subarray(0, byteCount));
  }
  transport.close();
  return counter.madeCount;
};

const echoAll: Echo = async (transport) => {
  const counter = new Counter();
  const buffer = new Uint8Array(64);
  for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
    counter.onMessage();
    await sendAll(transport, buffer.subarray(0, byteCount));
  }
  transport.close();
  return counter.madeCount;
};

async function serveBare(handle: Echo): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  console.log(await handle(await listener.accept()));
}

async function serveListener(handle: Echo): Promise<void> {
  await using listener = listen({ hostname: "127.0.0.1" });
  const served = Promise.withResolvers<number>();
  listener.serve((transport) => handle(transport).then(served.resolve, served.reject));
  console.log((listener.addr as Deno.NetAddr).port);
  console.log(await served.promise);
}

if (import.meta.main) {
  v8.promiseHooks.onInit(() => promiseCount++);
  for (const { run } of WAYS) await run();
}
