/**
 * A JSON API with a page in front of it: sign in, upload files, get them back.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1:8000 --allow-read=/tmp --allow-write=/tmp examples/json_api.ts
 * ```
 *
 * Then open http://127.0.0.1:8000/, or talk to it by hand:
 *
 * ```sh
 * api=http://127.0.0.1:8000/api
 * curl -c jar -b jar --json '{"name":"ada","password":"lovelace"}' $api/login
 * curl -c jar -b jar -F files=@photo.jpg $api/files
 * curl -c jar -b jar -T photo.jpg $api/files/
 * curl -c jar -b jar "$api/files?order=size"
 * ```
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 8000, 0 for any),
 * `--folder` (where uploads are kept; default one under /tmp that is removed at
 * the end), `--origin` (another origin whose pages may use the API; repeatable).
 * It needs `--allow-net` of its address, and `--allow-read` and `--allow-write`
 * of the folder, nothing else. Ctrl-C lets requests under way finish; a second one
 * does not.
 *
 * The cookie of the session is for https and for this very host. Browsers and
 * curl take a loopback address for as good as https; any other needs TLS.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import {
  type Context,
  cors,
  csrf,
  logger,
  type Middleware,
  type MultipartPart,
  problem,
  rateLimit,
  requestId,
  type RouteGroup,
  Router,
  safeFilename,
  secureHeaders,
  serve,
  session,
  type SessionMiddleware,
  type StandardSchema,
  type StandardSchemaIssue,
  StateKey,
  validate,
} from "@nbio/net/http";
import { shutdownSignal } from "@nbio/net/nbio";
import page from "./json_api_page.html" with { type: "text" };
import styles from "./json_api_page.css" with { type: "text" };
import script from "./json_api_page.js" with { type: "text" };
import { type Upload, type UploadLimits, Uploads } from "./json_api_uploads.ts";

/** Options of {@linkcode createApp}. */
export interface JsonApiOptions extends UploadLimits {
  /** Where uploads are kept. */
  readonly folder: string;
  /**
   * Other origins whose pages may use the API with the cookies of their visitors.
   *
   * @default {[]}
   */
  readonly origins?: readonly string[];
  /**
   * Takes one line of JSON for each request.
   *
   * @default {() => {}}
   */
  readonly log?: (line: string) => void;
}

type Sessions = SessionMiddleware<{ user: string }>;

/** For the demonstration. A real application keeps slow, salted hashes elsewhere. */
const PASSWORDS: Readonly<Record<string, string>> = { ada: "lovelace", alan: "turing" };
const THEMES: readonly string[] = ["light", "dark", "auto"];
/** Who has signed in. */
const USER = new StateKey<string>("user");

/** Schemas by hand; those of zod, valibot and arktype go in the same places. */
const CREDENTIALS = schema(({ name, password }, complain) => {
  if (typeof name !== "string") complain("name", "Expected text");
  if (typeof password !== "string") complain("password", "Expected text");
  return { name: String(name), password: String(password) };
});

const THEME = schema(({ theme }, complain) => {
  if (!THEMES.includes(String(theme))) complain("theme", `Expected ${THEMES.join(", ")}`);
  return { theme: String(theme) };
});

const ORDERS = {
  newest: (a: Upload, b: Upload) => b.id - a.id,
  name: (a: Upload, b: Upload) => a.name.localeCompare(b.name),
  size: (a: Upload, b: Upload) => b.size - a.size,
};

const LISTING = schema(({ order = "newest", limit = "100" }, complain) => {
  if (!Object.hasOwn(ORDERS, String(order))) complain("order", "Expected newest, name or size");
  const isCount = typeof limit === "string" && /^[1-9]\d{0,2}$/.test(limit);
  if (!isCount) complain("limit", "Expected a number from 1 to 999");
  return { order: order as keyof typeof ORDERS, limit: Number(limit) };
});

/**
 * Makes the application. It needs no socket: `createApp(options).request(path)`
 * is how a test talks to it.
 */
export function createApp(options: JsonApiOptions): Router {
  const { origins = [], log = () => {} } = options;
  const uploads = new Uploads(options.folder, options);
  const sessions: Sessions = session({
    // Another one each time: sessions are kept in memory and end with the process.
    keys: [crypto.getRandomValues(new Uint8Array(32))],
    idleTimeoutMs: 30 * 60_000,
  });

  const app = new Router();
  // Around every answer, errors and preflights included; the first sees what all others do.
  app.use(
    logger({ format: "json", sink: log }),
    requestId(),
    secureHeaders(),
    cors({ origin: origins, credentials: true, exposedHeaders: ["x-request-id"] }),
    csrf({ origins }),
  );
  addPage(app);
  app.group("/api", (api) => {
    api.use(rateLimit({ policy: "api", limit: 1_000, windowMs: 60_000 }), sessions);
    addLogin(api, sessions);
    api.group("/files", (files) => {
      files.use(signedIn(sessions));
      addFiles(files, app, uploads);
    });
  });
  return app;
}

function addPage(app: Router): void {
  app.get("/", async (ctx) => {
    // What the page needs may be fetched while it is still being made (RFC 8297).
    await ctx.inform(103, [
      ["link", "</page.css>; rel=preload; as=style"],
      ["link", "</page.js>; rel=modulepreload"],
    ]);
    const theme = ctx.cookies.get("theme") ?? "";
    ctx.append("vary", "Cookie");
    ctx.set("cache-control", "private, no-cache");
    ctx.html(THEMES.includes(theme) ? page.replace('"auto"', `"${theme}"`) : page);
  });
  app.get("/page.css", (ctx) => {
    ctx.set("content-type", "text/css; charset=utf-8");
    ctx.text(styles);
  });
  app.get("/page.js", (ctx) => {
    ctx.set("content-type", "text/javascript; charset=utf-8");
    ctx.text(script);
  });

  const form = validate({ body: THEME }, { body: { as: "form", maxBytes: 1_000 } });
  app.post("/theme", form, (ctx) => {
    const { theme } = ctx.state.require(form.key).body;
    ctx.setCookie("theme", theme, { maxAgeSeconds: 365 * 86_400 });
    // What follows a form is fetched by GET, and may be reloaded.
    ctx.redirect("/", 303);
  });
}

function addLogin(api: RouteGroup<"/api">, sessions: Sessions): void {
  const guesses = rateLimit({ policy: "login", limit: 20, windowMs: 60_000 });
  const credentials = validate({ body: CREDENTIALS }, { body: { maxBytes: 1_000 } });
  api.post("/login", guesses, credentials, async (ctx) => {
    const { name, password } = ctx.state.require(credentials.key).body;
    if (!isPassword(name, password)) {
      throw problem({ status: 403, detail: "Name or password is wrong" });
    }
    const session = await sessions.load(ctx);
    session.set("user", name);
    // Who has planted the id of before, or seen it, is not signed in by it.
    session.rotate({ graceMs: 0 });
    ctx.json({ user: name });
  });
  api.post("/logout", async (ctx) => {
    (await sessions.load(ctx)).destroy();
    ctx.status = 204;
  });
  api.get("/me", signedIn(sessions), (ctx) => ctx.json({ user: ctx.state.require(USER) }));
}

/** Takes as long for a wrong name as for a wrong password. */
function isPassword(name: string, password: string): boolean {
  const known = Object.hasOwn(PASSWORDS, name) ? PASSWORDS[name]! : "";
  const [left, right] = [known, password].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(left!, right!) && known !== "";
}

function signedIn(sessions: Sessions): Middleware {
  return async (ctx, next) => {
    const user = (await sessions.load(ctx)).get("user");
    if (user === undefined) {
      // RFC 9110 section 15.5.2 wants a challenge; no browser asks anybody about this one.
      const headers = [["www-authenticate", 'Session realm="files"']] as const;
      throw problem({ status: 401, detail: "Sign in first" }, { headers });
    }
    ctx.state.set(USER, user);
    await next();
  };
}

function addFiles(files: RouteGroup<"/api/files">, app: Router, uploads: Uploads): void {
  const { maxFileBytes, maxOwnerBytes } = uploads.limits;
  const view = ({ owner: _, ...upload }: Upload) => {
    return { ...upload, url: app.url("content", { id: upload.id }) };
  };

  const listing = validate({ query: LISTING });
  files.get("/", listing, (ctx) => {
    const owner = ctx.state.require(USER);
    const { order, limit } = ctx.state.require(listing.key).query;
    const list = uploads.list(owner).sort(ORDERS[order]).slice(0, limit);
    const usedBytes = uploads.usedBytes(owner);
    ctx.json({ files: list.map(view), usedBytes, maxBytes: maxOwnerBytes });
  });

  files.post("/", async (ctx) => {
    const parts = ctx.body.multipart({ maxBytes: maxOwnerBytes, maxParts: 100 });
    const saved = await saveParts(uploads, ctx.state.require(USER), parts);
    if (saved.length === 0) throw problem({ status: 422, detail: "There is no file in the form" });
    ctx.status = 201;
    ctx.json({ files: saved.map(view) });
  });

  // The bytes alone, as `curl -T` sends them.
  files.put("/:name", async (ctx) => {
    const upload = await uploads.save({
      owner: ctx.state.require(USER),
      name: safeFilename(ctx.params.name),
      type: ctx.headers.get("content-type") ?? "application/octet-stream",
      // A length over the limit is refused here, before `100 Continue` asks for the bytes.
      content: ctx.body.chunks({ maxBytes: maxFileBytes }),
      verify: (sha256) => checkDigest(ctx, sha256),
    });
    ctx.status = 201;
    ctx.set("location", app.url("file", { id: upload.id }));
    ctx.json(view(upload));
  });

  const find = (ctx: Context<{ id: number }>) => {
    const upload = uploads.get(ctx.state.require(USER), ctx.params.id);
    if (upload === undefined) throw problem({ status: 404, detail: "There is no such file" });
    return upload;
  };
  files.route({ pattern: "/:id{int}", name: "file" }, (ctx) => ctx.json(view(find(ctx))));
  files.route({ pattern: "/:id{int}/content", name: "content" }, async (ctx) => {
    const upload = find(ctx);
    await send(ctx, upload, await uploads.open(upload));
  });
  files.delete("/:id{int}", async (ctx) => {
    await uploads.remove(find(ctx));
    ctx.status = 204;
  });
}

/** Keeps the files of a form as they come: all of them, or none. */
async function saveParts(
  uploads: Uploads,
  owner: string,
  parts: AsyncIterable<MultipartPart>,
): Promise<Upload[]> {
  const saved: Upload[] = [];
  try {
    for await (const part of parts) {
      if (part.filename === undefined) continue;
      const { filename, type } = part;
      saved.push(await uploads.save({ owner, name: safeFilename(filename), type, content: part }));
    }
    return saved;
  } catch (error) {
    for (const upload of saved) await uploads.remove(upload);
    throw error;
  }
}

/**
 * Holds an upload against its Content-Digest (RFC 9530), which may come behind it,
 * as a trailer: then the sender need not read the file twice.
 */
function checkDigest(ctx: Context, sha256: Uint8Array): void {
  const field = ctx.headers.get("content-digest") ?? ctx.body.trailers?.get("content-digest") ?? "";
  const claimed = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):/.exec(field)?.[1];
  const received = sha256.toBase64();
  if (claimed === undefined || claimed === received) return;
  throw problem({ status: 400, detail: "These are not the bytes of Content-Digest", received });
}

/**
 * Sends a file. A client that asks for trailers (RFC 9110 section 6.5.1) gets the
 * digest of what was really sent behind it.
 */
async function send(ctx: Context, upload: Upload, file: Deno.FsFile): Promise<void> {
  // What users upload is never shown as a page of ours.
  ctx.set("content-type", "application/octet-stream");
  ctx.set("content-security-policy", "sandbox");
  ctx.set("content-disposition", `attachment; filename*=UTF-8''${encodeExtended(upload.name)}`);
  if (!/(^|,)\s*trailers\s*(,|$)/i.test(ctx.headers.get("te") ?? "")) {
    ctx.set("content-length", `${upload.size}`);
    return ctx.stream(file.readable);
  }
  ctx.set("trailer", "content-digest");
  const writer = ctx.writer();
  const hash = createHash("sha256");
  for await (const chunk of file.readable) {
    hash.update(chunk);
    await writer.write(chunk);
  }
  await writer.close([["content-digest", `sha-256=:${hash.digest("base64")}:`]]);
}

/** RFC 8187 section 3.2.1. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
}

/** A schema of an object, by what it makes of its members and what it says of them. */
function schema<T>(
  read: (
    members: Readonly<Record<string, unknown>>,
    complain: (name: string, message: string) => void,
  ) => T,
): StandardSchema<unknown, T> {
  const check: StandardSchema<unknown, T>["~standard"]["validate"] = (value) => {
    const issues: StandardSchemaIssue[] = [];
    const members = typeof value === "object" && value !== null ? value : {};
    const result = read({ ...members }, (name, message) => {
      issues.push({ message, path: [name] });
    });
    return issues.length > 0 ? { issues } : { value: result };
  };
  return { "~standard": { version: 1, vendor: "example", validate: check } };
}

/** Values of `--name=value` in the order they were given. */
function argumentsOf(name: string): string[] {
  const prefix = `--${name}=`;
  return Deno.args.filter((arg) => arg.startsWith(prefix)).map((arg) => arg.slice(prefix.length));
}

async function main(): Promise<void> {
  const given = argumentsOf("folder")[0];
  const folder = given ?? await Deno.makeTempDir({ dir: "/tmp", prefix: "json_api_" });
  const app = createApp({ folder, origins: argumentsOf("origin"), log: console.log });
  const server = serve(app.handler, {
    hostname: argumentsOf("hostname")[0] ?? "127.0.0.1",
    port: Number(argumentsOf("port")[0] ?? 8000),
    onListen: (addr) => {
      const { hostname, port } = addr as Deno.NetAddr;
      console.log(`Listening on http://${hostname}:${port}/`);
    },
  });
  await shutdownSignal();
  await server.shutdown({ graceMs: 10_000 });
  if (given === undefined) await Deno.remove(folder, { recursive: true });
}

if (import.meta.main) await main();
