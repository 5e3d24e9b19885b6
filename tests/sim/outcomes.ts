import { HttpProtocolError } from "../../http/errors.ts";
import { DnsResponseError, DnsTimeoutError } from "../../dns/resolver_errors.ts";
import { ConnectError } from "../../nbio/connect_error.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { WebSocketProtocolError, WebSocketStateError } from "../../websocket/errors.ts";
import { SimulationError } from "./simulation_error.ts";

const DOCUMENTED = [
  ConnectError,
  ConnectionClosedError,
  TimeoutError,
  HttpProtocolError,
  DnsResponseError,
  DnsTimeoutError,
  WebSocketProtocolError,
  WebSocketStateError,
  LimitExceededError,
] as const;

/**
 * The name of the failure of an operation, if it is one that the network may cause.
 *
 * @param error What was thrown.
 * @returns Class and code.
 * @throws {SimulationError} If it is what a checker found, or no documented error.
 */
export function failureOf(error: unknown): string {
  if (error instanceof SimulationError) throw error;
  if (DOCUMENTED.some((documented) => error instanceof documented)) {
    return `${(error as Error).name} ${(error as { readonly code?: string }).code ?? ""}`.trim();
  }
  throw new SimulationError(`There is an undocumented error: ${Deno.inspect(error)}`);
}

/** Whether an error is one that a bad link gives to who uses it without any library. */
export function isOfNetwork(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.TimedOut || error instanceof Deno.errors.UnexpectedEof;
}
