import { encodeHex } from "@std/encoding/hex";
import { type ExchangeTimeouts, resolveExchangeTimeouts } from "./client_options.ts";
import { resolveBound, resolveTime } from "./limits.ts";
import type { ReverseProxyOptions } from "./reverse_proxy_options.ts";
import type { Context } from "./server_context.ts";
import { TrustedAddresses } from "./trusted_addresses.ts";
import { checkViaName } from "./via.ts";

/** {@linkcode ReverseProxyOptions} as the inside of a proxy works with them. */
export interface ReverseProxySettings extends
  Required<
    Pick<
      ReverseProxyOptions,
      | "maxAttempts"
      | "totalTimeoutMs"
      | "tunnelIdleTimeoutMs"
      | "maxRequestBytes"
      | "name"
      | "forwarded"
      | "xForwarded"
      | "upgradeProtocols"
      | "rewritePath"
      | "onFailure"
    >
  > {
  /** Changes a request; `undefined` where nothing does. */
  readonly rewriteRequest: ReverseProxyOptions["rewriteRequest"];
  /** Changes a response; `undefined` where nothing does. */
  readonly rewriteResponse: ReverseProxyOptions["rewriteResponse"];
  /** Deadlines of one exchange. */
  readonly timeouts: Required<ExchangeTimeouts>;
  /** Statuses that count against the health of an upstream. */
  readonly failureStatuses: ReadonlySet<number>;
  /** Whether upstreams see the Host of the client. */
  readonly keepsHost: boolean;
  /** Whose word about clients is passed on. */
  readonly trusted: TrustedAddresses;
  /** What tells requests apart; `undefined` where it does not matter. */
  readonly hashKey: ((ctx: Context) => string) | undefined;
}

const NAME_BYTES = 6;
const MOST_ATTEMPTS = 100;

/**
 * Fills in what was not given.
 *
 * @param options What the caller set.
 * @returns Every setting.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If the name is no token.
 */
export function resolveReverseProxy(options: ReverseProxyOptions): ReverseProxySettings {
  const { maxAttempts = 3, failureStatuses = [], host = "upstream", balance } = options;
  const { name = randomName(), upgradeProtocols = ["websocket"], hashKey = addressOf } = options;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > MOST_ATTEMPTS) {
    throw badOption("maxAttempts", maxAttempts, `an integer from 1 to ${MOST_ATTEMPTS}`);
  }
  for (const status of failureStatuses) {
    if (Number.isInteger(status) && status >= 500 && status <= 599) continue;
    throw badOption("failureStatuses", status, "integers from 500 to 599");
  }
  if (host !== "upstream" && host !== "keep") {
    throw badOption("host", JSON.stringify(host), '"upstream" or "keep"');
  }
  checkViaName(name);
  return {
    timeouts: resolveExchangeTimeouts(options),
    totalTimeoutMs: resolveTime("totalTimeoutMs", options.totalTimeoutMs ?? Infinity),
    tunnelIdleTimeoutMs: resolveTime("tunnelIdleTimeoutMs", options.tunnelIdleTimeoutMs ?? 300_000),
    maxRequestBytes: resolveBound("maxRequestBytes", options.maxRequestBytes ?? Infinity),
    maxAttempts,
    failureStatuses: new Set(failureStatuses),
    name,
    keepsHost: host === "keep",
    trusted: new TrustedAddresses(options.trusted ?? []),
    forwarded: options.forwarded ?? true,
    xForwarded: options.xForwarded ?? false,
    upgradeProtocols: upgradeProtocols.map((protocol) => protocol.toLowerCase()),
    hashKey: balance === "hash" ? hashKey : undefined,
    rewritePath: options.rewritePath ?? ((target) => target),
    rewriteRequest: options.rewriteRequest,
    rewriteResponse: options.rewriteResponse,
    onFailure: options.onFailure ?? (() => {}),
  };
}

/** Two proxies of one name would take each other for themselves. */
function randomName(): string {
  return `nbio-${encodeHex(crypto.getRandomValues(new Uint8Array(NAME_BYTES)))}`;
}

function addressOf({ remoteAddr }: Context): string {
  return "hostname" in remoteAddr ? remoteAddr.hostname : "";
}

function badOption(name: string, value: unknown, expected: string): RangeError {
  return new RangeError(`Cannot use option ${name}: ${value} is not ${expected}`);
}
