import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { decodeBase64 } from "@std/encoding/base64";
import { HttpError } from "./errors.ts";
import type { Middleware } from "./middleware.ts";
import { StateKey } from "./request_state.ts";
import type { Context } from "./server_context.ts";

/** Options of {@linkcode basicAuth}: a list of users, or a function that knows them. */
export interface BasicAuthOptions {
  /**
   * Names and passwords, at most 1,000 users: every one is compared with, so
   * that the time does not tell which of them exist. Only digests are kept. An
   * empty password is refused: mostly it is one that was to come from elsewhere.
   *
   * @default {{}}
   */
  readonly users?: Readonly<Record<string, string>>;
  /**
   * Asked instead of `users`. It must take the same time whether the user
   * exists or not, and should keep passwords as slow hashes.
   *
   * @default {undefined}
   */
  readonly verify?: (
    user: string,
    password: string,
    ctx: Context,
  ) => boolean | Promise<boolean>;
  /**
   * What the client shows when it asks for the password: printable ASCII.
   *
   * @default {"Restricted"}
   */
  readonly realm?: string;
}

/** The user that {@linkcode basicAuth} has let in. */
export const AUTHENTICATED_USER: StateKey<string> = new StateKey("authenticated user");

interface Credentials {
  readonly user: string;
  readonly password: string;
}

type Verify = NonNullable<BasicAuthOptions["verify"]>;

const MAX_USERS = 1_000;
const AUTHORIZATION = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const encoder = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Lets in who knows a name and its password (RFC 7617), and answers 401 to
 * everybody else. The name is in `ctx.state` under
 * {@linkcode AUTHENTICATED_USER}.
 *
 * The password travels readable: only over TLS. Nothing limits attempts; put
 * {@linkcode rateLimit} in front.
 *
 * @param options Who is let in.
 * @returns The middleware.
 * @throws {RangeError} If there are too many users, a name contains a colon, a
 * name or password a control character, a password is missing or empty, or the
 * realm is not printable ASCII.
 * @throws {TypeError} If there are both `users` and `verify`, or neither.
 *
 * @example One user
 * ```ts
 * import { AUTHENTICATED_USER, basicAuth, compose, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = compose(
 *   [basicAuth({ users: { ada: "s3cret" }, realm: "Engine" })],
 *   (ctx) => ctx.text(`hello ${ctx.state.require(AUTHENTICATED_USER)}`),
 * );
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const get = (authorization: string) =>
 *   fetch(`http://127.0.0.1:${port}/`, { headers: { authorization } });
 *
 * assertEquals(await (await get(`Basic ${btoa("ada:s3cret")}`)).text(), "hello ada");
 * const refused = await get(`Basic ${btoa("ada:guess")}`);
 * await refused.body?.cancel();
 * assertEquals(refused.status, 401);
 * assertEquals(
 *   refused.headers.get("www-authenticate"),
 *   'Basic realm="Engine", charset="UTF-8"',
 * );
 * ```
 */
export function basicAuth(options: BasicAuthOptions): Middleware {
  const { users, realm = "Restricted" } = options;
  if ((users === undefined) === (options.verify === undefined)) {
    throw new TypeError("Cannot authenticate: expected either users or verify");
  }
  const challenge = formatChallenge(realm);
  const verify = options.verify ?? verifyAmong(users!);
  return async (ctx, next) => {
    const credentials = parseCredentials(ctx.headers.getAll("authorization"));
    if (credentials === undefined) throw refusal(challenge);
    const { user, password } = credentials;
    // Anything but true is a mistake of who wrote it, and lets nobody in.
    if (await verify(user, password, ctx) !== true) throw refusal(challenge);
    ctx.state.set(AUTHENTICATED_USER, user);
    await next();
  };
}

function refusal(challenge: string): HttpError {
  return new HttpError(401, "Cannot let in: name and password are needed", {
    headers: [["www-authenticate", challenge]],
  });
}

function formatChallenge(realm: string): string {
  if (!PRINTABLE_ASCII.test(realm)) {
    throw new RangeError("Cannot use option realm: it is not printable ASCII");
  }
  // RFC 7617 section 2.1: the only charset there is, for clients to know it.
  return `Basic realm="${realm.replace(/["\\]/g, "\\$&")}", charset="UTF-8"`;
}

function parseCredentials(fields: readonly string[]): Credentials | undefined {
  // Of several, somebody in front may have looked at another one.
  const encoded = fields.length === 1 ? AUTHORIZATION.exec(fields[0]!)?.[1] : undefined;
  if (encoded === undefined) return undefined;
  let pair: string;
  try {
    pair = strictUtf8.decode(decodeBase64(encoded));
  } catch {
    return undefined;
  }
  const colon = pair.indexOf(":");
  // RFC 7617 section 2: no control characters, and no colon in the name.
  if (colon < 0 || CONTROL.test(pair)) return undefined;
  return { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

/**
 * Compares digests of name and password together: they have one length, so not
 * even that shows in the time.
 */
function verifyAmong(users: Readonly<Record<string, string>>): Verify {
  const pairs = Object.entries(users);
  if (pairs.length > MAX_USERS) {
    throw new RangeError(`Cannot use option users: ${pairs.length} exceed ${MAX_USERS}`);
  }
  for (const [user, password] of pairs) checkUser(user, password);
  let known: Promise<Uint8Array[]> | undefined;
  return async (user, password) => {
    known ??= Promise.all(pairs.map(([name, secret]) => digestPair(name, secret)));
    const digest = await digestPair(user, password);
    let isKnown = false;
    for (const other of await known) {
      // No early end: where it is found must not show either.
      isKnown = timingSafeEqual(digest, other) || isKnown;
    }
    return isKnown;
  };
}

function checkUser(user: string, password: string): void {
  // Of an environment variable that is not set "undefined" would become.
  if (typeof password !== "string" || password === "") {
    throw new RangeError(`Cannot use option users: ${JSON.stringify(user)} has no password`);
  }
  if (!user.includes(":") && !CONTROL.test(user) && !CONTROL.test(password)) return;
  throw new RangeError(
    "Cannot use option users: a name contains a colon, or a control character is in it",
  );
}

async function digestPair(user: string, password: string): Promise<Uint8Array> {
  return new Uint8Array(
    await crypto.subtle.digest("SHA-256", encoder.encode(`${user}:${password}`)),
  );
}
