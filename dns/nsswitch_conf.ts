// This module is sans-I/O.

/** What is done after a service, if its status is, or is not, a certain one. */
export interface NameServiceAction {
  /** In lower case: `success`, `notfound`, `unavail`, `tryagain`. */
  readonly status: string;
  /** Whether it holds for every other status. */
  readonly negate: boolean;
  /** In lower case: `return`, `continue`, `merge`. */
  readonly action: string;
}

/** A service of nsswitch.conf, and what is done after it. */
export interface NameService {
  /** Its name, such as `files` or `dns`. */
  readonly name: string;
  /** What is done otherwise than usual: to return on success, and to continue on all else. */
  readonly actions: readonly NameServiceAction[];
}

/** How a service of names may end. */
export type NameServiceStatus = "success" | "notfound" | "unavail" | "tryagain";

/**
 * Parses `/etc/nsswitch.conf`: databases, and the services that are asked for each. Lines that are
 * none are skipped, of several for one database the last one holds. Takes time linear in the text.
 *
 * @param text The file.
 * @returns The services by the name of the database.
 *
 * @example Where hosts are looked for
 * ```ts
 * import { parseNsswitchConf } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const databases = parseNsswitchConf("hosts: files mdns4_minimal [NOTFOUND=return] dns # usual\n");
 * assertEquals(databases.get("hosts"), [
 *   { name: "files", actions: [] },
 *   { name: "mdns4_minimal", actions: [{ status: "notfound", negate: false, action: "return" }] },
 *   { name: "dns", actions: [] },
 * ]);
 * ```
 */
export function parseNsswitchConf(text: string): ReadonlyMap<string, readonly NameService[]> {
  const databases = new Map<string, readonly NameService[]>();
  for (const line of text.split("\n")) {
    const [, database, rest] = /^\s*([^\s:#]+)\s*:([^#]*)/.exec(line) ?? [];
    if (database !== undefined) databases.set(database, parseServices(rest!));
  }
  return databases;
}

/**
 * Tells whether other services are asked after one of them has ended.
 *
 * @param service The service.
 * @param status How it ended.
 * @returns Whether the lookup is over.
 *
 * @example Without the daemon the next one is asked
 * ```ts
 * import { endsLookup, parseNsswitchConf } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const [service] = parseNsswitchConf("hosts: resolve [!UNAVAIL=return] dns").get("hosts")!;
 * assertEquals(endsLookup(service!, "notfound"), true);
 * assertEquals(endsLookup(service!, "unavail"), false);
 * ```
 */
export function endsLookup(service: NameService, status: NameServiceStatus): boolean {
  let action = status === "success" ? "return" : "continue";
  for (const rule of service.actions) {
    if ((rule.status === status) !== rule.negate) action = rule.action;
  }
  // The addresses of hosts cannot be merged: what is found is what counts.
  return action === "return" || (action === "merge" && status === "success");
}

function parseServices(text: string): NameService[] {
  const services: { name: string; actions: NameServiceAction[] }[] = [];
  for (const [, criteria, name] of text.matchAll(/\[([^\]]*)\]?|([^\s[]+)/g)) {
    if (name !== undefined) services.push({ name, actions: [] });
    else services.at(-1)?.actions.push(...parseActions(criteria!));
  }
  return services;
}

/** What has not the form of `STATUS=action`, maybe with `!` in front, is skipped. */
function parseActions(text: string): NameServiceAction[] {
  const tokens = text.toLowerCase().match(/[!=]|[^\s!=]+/g) ?? [];
  const actions: NameServiceAction[] = [];
  for (const [index, token] of tokens.entries()) {
    const status = tokens[index - 1];
    const action = tokens[index + 1];
    if (token !== "=" || isMark(status) || isMark(action)) continue;
    actions.push({ status, negate: tokens[index - 2] === "!", action });
  }
  return actions;
}

function isMark(token: string | undefined): token is "!" | "=" | undefined {
  return token === undefined || token === "!" || token === "=";
}
