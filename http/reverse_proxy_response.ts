import { concatBytes } from "./_concat_bytes.ts";
import { tunnelBytes } from "./byte_tunnel.ts";
import { HttpError } from "./errors.ts";
import type { InformationalEvent } from "./events.ts";
import type { ExchangeResponse } from "./exchange_response.ts";
import { mayHaveBody } from "./framing.ts";
import type { HeaderList } from "./header_list.ts";
import { endToEndFields, endToEndTrailers } from "./hop_by_hop.ts";
import type { ProxiedResponse } from "./reverse_proxy_options.ts";
import type { ReverseProxySettings } from "./reverse_proxy_settings.ts";
import type { Context } from "./server_context.ts";
import type { UpstreamGroup, UpstreamLease } from "./upstream_group.ts";
import type { UpstreamExchange } from "./upstream_exchange.ts";
import { appendVia } from "./via.ts";
import { closeQuietly } from "../nbio/transport.ts";

/** A body that has come up to this size leaves together with its head. */
const MAX_AT_ONCE_BYTES = 64 * 1024;
const LOWEST_FINAL_STATUS = 200;
const HIGHEST_STATUS = 599;
const RESET_CONTENT = 205;

/**
 * Passes an informational response on; a 100 is asked for by reading the body.
 *
 * @param ctx The request.
 * @param event What came.
 */
export function relayInformational(ctx: Context, event: InformationalEvent): void {
  if (event.status === 100 || ctx.response.committed) return;
  const headers = withoutFraming(endToEndFields(event.headers));
  // It tells those who wait. Nobody waits here: what comes behind it is written later.
  void ctx.inform(event.status, headers);
}

/**
 * Why a response cannot be passed on, whatever a hook makes of it.
 *
 * @param response What came.
 * @param protocols What the request asked to change to.
 * @returns A 502; `undefined` if there is nothing against it.
 */
export function refusalOf(
  response: ExchangeResponse,
  protocols: readonly string[],
): HttpError | undefined {
  if (response.handover !== undefined) {
    return protocols.includes(protocolOf(response))
      ? undefined
      : new HttpError(502, "Upstream has changed to a protocol nobody asked for");
  }
  return isFinalStatus(response.status) ? undefined : badStatus(response.status);
}

/**
 * The head of a response as the client is to see it, but for what the caller's hook
 * changes.
 *
 * @param response What came.
 * @param upstream Where from.
 * @param settings Of the proxy.
 */
export function makeProxiedResponse(
  response: ExchangeResponse,
  upstream: URL,
  settings: ReverseProxySettings,
): ProxiedResponse {
  const headers = endToEndFields(response.headers);
  appendVia(headers, response.minorVersion, settings.name);
  return { status: response.status, headers, upstream };
}

/**
 * Answers with a head.
 *
 * @param ctx The request.
 * @param head What to answer with, without the fields of any connection.
 * @throws {HttpError} With 502, if no server may send its status.
 */
export function answerHead(ctx: Context, head: ProxiedResponse): void {
  const { status, headers } = head;
  if (!isFinalStatus(status)) throw badStatus(status);
  // Some upstreams tell a length where there is no body; what we send has to be right.
  if (mayTellNoLength(status)) withoutFraming(headers);
  ctx.status = status;
  headers.forEach((name, value) => ctx.append(name, value));
}

/**
 * Answers with a body, as it comes and as fast as the client takes it. Its head has
 * not left before, and may leave together with it.
 *
 * @param ctx The request, whose head was answered.
 * @param response Where the body comes from.
 * @param onBroken Told if the upstream fails, before that is thrown.
 * @throws {Error} As {@linkcode ExchangeResponse.read}, or as a writer of the context
 * if the client has left.
 */
export async function relayBody(
  ctx: Context,
  response: ExchangeResponse,
  onBroken: (error: unknown) => void,
): Promise<void> {
  const { status } = ctx.response;
  // What came with a status that has no body was not meant as one, or not for it.
  if (!mayHaveBody(status, "GET") || status === RESET_CONTENT) return;
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (!response.isComplete && length < MAX_AT_ONCE_BYTES) {
    const piece = response.take();
    if (piece === undefined) break;
    pieces.push(piece);
    length += piece.length;
  }
  const isWhole = response.isComplete && response.trailers === undefined;
  if (isWhole && mayLeaveAtOnce(ctx, length)) {
    if (length > 0) ctx.bytes(pieces.length === 1 ? pieces[0]! : concatBytes(pieces, length));
    return;
  }
  const writer = ctx.writer();
  for (const piece of pieces) await writer.write(piece);
  for (;;) {
    const piece = await readPiece(response, onBroken);
    if (piece === undefined) break;
    await writer.write(piece);
  }
  await writer.close(endToEndTrailers(response.trailers));
}

/**
 * Changes the protocol of both connections, and carries bytes between them from here
 * on. Nobody waits for their end.
 *
 * @param ctx The request.
 * @param exchanged A response with 101.
 * @param lease Ended with the tunnel.
 * @param group Where deadlines wait.
 * @param settings Of the proxy.
 * @throws {ConnectionClosedError} If the client has left.
 */
export async function relayUpgrade(
  ctx: Context,
  exchanged: UpstreamExchange,
  lease: UpstreamLease,
  group: UpstreamGroup,
  settings: ReverseProxySettings,
): Promise<void> {
  const { response } = exchanged;
  const back = response.handover!;
  try {
    const head = makeProxiedResponse(response, lease.upstream.url, settings);
    await settings.rewriteResponse?.(head, ctx);
    const front = await ctx.upgrade(
      protocolOf(response),
      withoutFraming(endToEndFields(head.headers)),
    );
    const idleTimeoutMs = settings.tunnelIdleTimeoutMs;
    const tunnel = tunnelBytes(front, back, { idleTimeoutMs, wheel: group.wheel });
    // However it ends, both connections are closed: that is all there is to say.
    void tunnel.catch(() => {}).then(() => lease.end());
  } catch (error) {
    closeQuietly(back.transport);
    lease.end();
    throw error;
  }
}

async function readPiece(
  response: ExchangeResponse,
  onBroken: (error: unknown) => void,
): Promise<Uint8Array | undefined> {
  try {
    return await response.read();
  } catch (error) {
    onBroken(error);
    throw error;
  }
}

/**
 * Whether the answer says of a body that is there what its upstream has said: no type
 * where there was none, and no length of one that HEAD was not told.
 */
function mayLeaveAtOnce(ctx: Context, length: number): boolean {
  const { headers } = ctx.response;
  if (length > 0) return headers.has("content-type");
  return ctx.method !== "HEAD" || headers.has("content-length");
}

/** RFC 9110 section 8.6: not with 204; a 205 ends with its head. */
function mayTellNoLength(status: number): boolean {
  return status === 204 || status === RESET_CONTENT;
}

function isFinalStatus(status: number): boolean {
  return status >= LOWEST_FINAL_STATUS && status <= HIGHEST_STATUS;
}

function badStatus(status: number): HttpError {
  return new HttpError(502, `Upstream has answered with status ${status}`);
}

function protocolOf(response: ExchangeResponse): string {
  return response.headers.get("upgrade")?.trim().toLowerCase() ?? "";
}

function withoutFraming(headers: HeaderList): HeaderList {
  headers.delete("content-length");
  return headers;
}
