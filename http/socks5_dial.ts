import { runOperation } from "../nbio/operation.ts";
import { sendAll } from "../nbio/send_all.ts";
import type { Transport } from "../nbio/transport.ts";
import { ProxyError } from "./proxy_error.ts";
import type { ProxyBounds } from "./http_proxy_dial.ts";
import { Socks5Client, type Socks5Options, type Socks5Target } from "./socks5.ts";

/**
 * Asks a SOCKS 5 proxy for a connection. Nothing behind its last reply is read.
 *
 * @param transport A connection to the proxy, on which nothing was said yet. It is
 * closed if this fails, for whatever reason.
 * @param target Where the proxy is to connect to; it looks a name up.
 * @param options Credentials, what errors call the proxy, deadline and signal.
 * @returns When the bytes of `transport` are the target's.
 * @throws {ProxyError} If the proxy refuses, fails, breaks the protocol or leaves.
 * @throws {TimeoutError} If the deadline passes, in the phase `"proxy"`.
 * @throws {TypeError} If the target or a credential cannot be sent.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Error} The reason of the signal.
 *
 * @example A proxy that agrees
 * ```ts
 * import { connectThroughSocks5 } from "@nbio/net/http";
 * import { memoryPipe, runTranscript } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, proxy] = memoryPipe();
 * const script = runTranscript(proxy, [
 *   { type: "expect", bytes: new Uint8Array([5, 1, 0]) },
 *   { type: "send", bytes: new Uint8Array([5, 0]) },
 *   { type: "expect", bytes: new Uint8Array([5, 1, 0, 1, 192, 0, 2, 1, 0, 80]) },
 *   { type: "send", bytes: new Uint8Array([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]) },
 *   { type: "send", bytes: "hello" },
 * ]);
 * await connectThroughSocks5(client, { hostname: "192.0.2.1", port: 80 });
 * assertEquals(await client.read(new Uint8Array(16)), 5);
 * await script;
 * client.close();
 * ```
 */
export async function connectThroughSocks5(
  transport: Transport,
  target: Socks5Target,
  options: Socks5Options & ProxyBounds = {},
): Promise<void> {
  await runOperation(transport, "proxy", options, () => converse(transport, target, options));
}

async function converse(
  transport: Transport,
  target: Socks5Target,
  options: Socks5Options,
): Promise<void> {
  const client = new Socks5Client(target, options);
  const space = new Uint8Array(512);
  for (;;) {
    if (client.nextEvent() !== undefined) return;
    const output = client.takeOutput();
    const count = await onConnection(options, async () => {
      if (output.length > 0) await sendAll(transport, output);
      return await transport.read(space.subarray(0, client.wantedBytes));
    });
    if (count === null) client.receiveEnd();
    else client.receive(space.subarray(0, count));
  }
}

/** What breaks here is the connection to the proxy, and nothing of the target's. */
async function onConnection<T>({ proxy }: Socks5Options, operate: () => Promise<T>): Promise<T> {
  try {
    return await operate();
  } catch (cause) {
    const message = `Cannot connect through ${proxy ?? "proxy"}: the connection broke`;
    throw new ProxyError("ERR_PROXY_CLOSED", message, { proxy, cause });
  }
}
