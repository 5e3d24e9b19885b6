import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import { compose } from "../../http/middleware.ts";
import { session, type SessionMiddleware } from "../../http/middleware_session.ts";
import type { Context } from "../../http/server_context.ts";
import type { Handler } from "../../http/server_shared.ts";
import type { SessionOptions } from "../../http/session_options.ts";
import type { Session } from "../../http/session.ts";
import { MemorySessionStore, type SessionStore } from "../../http/session_store.ts";
import { eventually } from "../_support/peer.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import {
  gate,
  type HarnessClient,
  request,
  ServerHarness,
  WALL_START_MS,
} from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

interface Data {
  user: string;
  count: number;
}

type Page = (session: Session<Data>, ctx: Context) => unknown;

const KEYS = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const GONE = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0";

/** A server with pages that use a session, and a browser with one cookie. */
class Scene implements AsyncDisposable {
  readonly harness: ServerHarness;
  readonly store: MemorySessionStore;
  readonly sessions: SessionMiddleware<Data>;
  readonly #pages: Record<string, Page>;
  cookie: string | undefined;

  constructor(pages: Record<string, Page>, options: Partial<SessionOptions> = {}) {
    this.#pages = pages;
    this.harness = new ServerHarness((ctx) => this.#handler(ctx));
    const { clock } = this.harness;
    this.store = new MemorySessionStore({ clock });
    this.sessions = session<Data>({ keys: [KEYS[0]!], store: this.store, clock, ...options });
    this.#handler = compose([this.sessions], (ctx) => this.#answer(ctx));
  }

  #handler: Handler;

  async #answer(ctx: Context): Promise<void> {
    const page = this.#pages[ctx.path.slice(1)];
    if (page === undefined) return ctx.text("no session here");
    const result = await page(await this.sessions.load(ctx), ctx);
    if (!ctx.response.committed) ctx.json(result ?? null);
  }

  async get(path: string, cookie = this.cookie): Promise<RawResponse> {
    const fields = cookie === undefined ? [] : [`Cookie: ${cookie}`];
    return await answerTo(await this.harness.open(request(`GET /${path}`, fields)));
  }

  /** As a browser, which keeps the cookie; gives the body. */
  async visit(path: string): Promise<unknown> {
    const response = await this.get(path);
    const line = setCookie(response);
    if (line !== undefined) this.cookie = /Max-Age=0/.test(line) ? undefined : line.split(";")[0];
    return JSON.parse(response.body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.harness[Symbol.asyncDispose]();
  }
}

/** Signatures are made by another thread: its turns cannot be counted. */
async function answerTo(client: HarnessClient): Promise<RawResponse> {
  let response: RawResponse | undefined;
  for (let turns = 0; response === undefined && turns < 10_000; turns++) {
    response = await client.maybeResponse();
  }
  return response ?? await client.response();
}

function setCookie(response: RawResponse): string | undefined {
  return fieldOf(response, "set-cookie");
}

const PAGES: Record<string, Page> = {
  read: (session) => session.get("count"),
  count: (session) => {
    session.set("count", (session.get("count") ?? 0) + 1);
    return session.get("count");
  },
  login: (session) => {
    session.set("user", "ada");
    session.rotate();
  },
  user: (session) => [session.get("user"), session.get("count")],
  logout: (session) => session.destroy(),
};

Deno.test("session() sets one cookie, and no further one without need", async () => {
  await using scene = new Scene(PAGES);
  const first = await scene.get("count");
  const [pair, ...attributes] = setCookie(first)!.split("; ");
  assertEquals(attributes, ["Max-Age=1800", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"]);
  assert(/^__Host-session=[\w-]{32}\.[\w-]{43}$/.test(pair!), pair);
  for (const [path, body] of [["count", "2"], ["read", "2"], ["count", "3"]] as const) {
    const response = await scene.get(path, pair);
    assertEquals([response.body, setCookie(response)], [body, undefined]);
  }
});

Deno.test("session() does nothing for who does not ask, and sets nothing for who only reads", async () => {
  const store: SessionStore = {
    get: () => assertEquals("looked up", "left alone") as undefined,
    set: () => false,
    delete: () => {},
  };
  await using scene = new Scene(PAGES, { store });
  for (const [path, vary] of [["none", undefined], ["read", "Cookie"]] as const) {
    const response = await scene.get(path, path === "none" ? "__Host-session=a.b" : undefined);
    assertEquals(response.status, 200);
    assertEquals([setCookie(response), fieldOf(response, "vary")], [undefined, vary]);
  }
  assertEquals(scene.harness.reported, []);
});

Deno.test("session() tells the same object to all of one request", async () => {
  await using scene: Scene = new Scene({
    same: async (session, ctx): Promise<boolean> => {
      const [a, b] = await Promise.all([scene.sessions.load(ctx), scene.sessions.load(ctx)]);
      return a === b && a === session;
    },
  });
  assertEquals(await scene.visit("same"), true);
});

Deno.test("session() renews the cookie when a part of the idle time has passed", async () => {
  await using scene = new Scene(PAGES);
  await scene.visit("count");
  scene.harness.clock.advance(449_999);
  assertEquals(setCookie(await scene.get("read")), undefined);
  scene.harness.clock.advance(1);
  const line = setCookie(await scene.get("read"))!;
  assertEquals(line.split("; ").slice(0, 2), [scene.cookie!, "Max-Age=1800"]);
  scene.harness.clock.advance(1_799_999);
  assertEquals((await scene.get("read")).body, "1");
});

Deno.test("session() ends without use, and at its absolute time", async () => {
  await using scene = new Scene(PAGES);
  await scene.visit("count");
  scene.harness.clock.advance(1_800_000);
  assertEquals(await scene.visit("count"), 1);
  for (let minutes = 0; minutes < 720; minutes += 20) {
    assertEquals(await scene.visit("read"), 1);
    if (minutes === 700) {
      const line = setCookie(await scene.get("read"));
      assertEquals(line, undefined);
    }
    scene.harness.clock.advance(1_200_000);
  }
  assertEquals(await scene.visit("read"), null);
});

Deno.test("session() makes a cookie without Max-Age where it is not persistent", async () => {
  await using scene = new Scene(PAGES, {
    isPersistent: false,
    cookieName: "sid",
    cookie: { secure: false, path: "/app", sameSite: "Strict", domain: "a.example" },
  });
  const [, ...attributes] = setCookie(await scene.get("count"))!.split("; ");
  assertEquals(attributes, ["Domain=a.example", "Path=/app", "HttpOnly", "SameSite=Strict"]);
});

Deno.test("Session.rotate() keeps what is held; the old id shows only what was before", async () => {
  await using scene = new Scene(PAGES);
  await scene.visit("count");
  const old = scene.cookie;
  await scene.visit("login");
  assertNotEquals(scene.cookie, old);
  assertEquals(await scene.visit("user"), ["ada", 1]);
  const stale = await scene.get("user", old);
  assertEquals([stale.body, setCookie(stale)], ["[null,1]", undefined]);
  scene.harness.clock.advance(10_000);
  assertEquals((await scene.get("user", old)).body, "[null,null]");
  assertEquals(await scene.visit("user"), ["ada", 1]);
});

Deno.test("Session.rotate() is not undone by a request that was on its way", async () => {
  const entered = gate();
  const leave = gate();
  await using scene = new Scene({
    ...PAGES,
    slow: async (session) => {
      session.set("count", 100);
      entered.open();
      await leave.passed;
    },
  });
  await scene.visit("count");
  const slow = await scene.harness.open(request("GET /slow", [`Cookie: ${scene.cookie}`]));
  await entered.passed;
  await scene.visit("login");
  leave.open();
  assertEquals(setCookie(await answerTo(slow)), undefined);
  assertEquals(await scene.visit("user"), ["ada", 1]);
});

Deno.test("Session.rotate() takes a grace of its own, also none", async () => {
  await using scene = new Scene({
    ...PAGES,
    demote: (session) => session.rotate({ graceMs: 0 }),
    wrong: (session) => {
      for (const graceMs of [-1, NaN, 3_600_001]) {
        assertThrows(() => session.rotate({ graceMs }), RangeError);
      }
    },
  });
  await scene.visit("count");
  await scene.visit("wrong");
  const old = scene.cookie;
  await scene.visit("demote");
  assertEquals((await scene.get("read", old)).body, "null");
  assertEquals(await scene.visit("read"), 1);
});

Deno.test("Session.destroy() ends the session in the store and on the client", async () => {
  await using scene = new Scene(PAGES);
  await scene.visit("login");
  const old = scene.cookie;
  assertEquals(
    setCookie(await scene.get("logout")),
    `__Host-session=; ${GONE}; Path=/; Secure; SameSite=Lax`,
  );
  assertEquals([scene.store.size, (await scene.get("user", old)).body], [0, "[null,null]"]);
  assertEquals(
    setCookie(await scene.get("logout", undefined)),
    `__Host-session=; ${GONE}; Path=/; Secure; SameSite=Lax`,
  );
  scene.cookie = undefined;
  assertEquals(setCookie(await scene.get("logout")), undefined);
});

Deno.test("Session.flash() lasts until somebody takes it", async () => {
  await using scene = new Scene({
    ...PAGES,
    save: (session) => session.flash("notice", { text: "saved" }),
    show: (session) => [session.takeFlash("notice"), session.takeFlash("other")],
  });
  await scene.visit("save");
  assertEquals(await scene.visit("read"), null);
  assertEquals(await scene.visit("show"), [{ text: "saved" }, null]);
  assertEquals(await scene.visit("show"), [null, null]);
});

Deno.test("Session tells whether it is new, has, deletes and clears", async () => {
  await using scene = new Scene({
    ...PAGES,
    look: (session) => [session.isNew, session.has("user"), session.has("count")],
    delete: (session) => session.delete("user"),
    clear: (session) => session.clear(),
  });
  assertEquals(await scene.visit("look"), [true, false, false]);
  await scene.visit("login");
  await scene.visit("count");
  assertEquals(await scene.visit("look"), [false, true, true]);
  await scene.visit("delete");
  assertEquals(await scene.visit("look"), [false, false, true]);
  await scene.visit("clear");
  assertEquals(await scene.visit("look"), [false, false, false]);
});

for (
  const [what, spoil] of [
    ["a forged id", (pair) => pair.replace(/=./, "=!")],
    ["another signature", (pair) => pair.slice(0, -1) + (pair.endsWith("A") ? "B" : "A")],
    ["no signature", (pair) => pair.split(".")[0]!],
    ["a signature of another name", (pair) => pair.replace("session", "sessions")],
    ["an empty value", () => "__Host-session="],
    ["very much", () => `__Host-session=${"A".repeat(20_000)}`],
    ["four others in front", (pair) => `${"__Host-session=a; ".repeat(4)}${pair}`],
  ] as [string, (pair: string) => string][]
) {
  Deno.test(`session() begins anew on ${what}`, async () => {
    await using scene = new Scene(PAGES);
    await scene.visit("count");
    const response = await scene.get("count", spoil(scene.cookie!));
    assertEquals(response.body, "1");
    assertNotEquals(setCookie(response)!.split(";")[0], scene.cookie);
    assertEquals(await scene.visit("count"), 2);
  });
}

Deno.test("session() finds its cookie behind those that others of the domain set", async () => {
  await using scene = new Scene(PAGES);
  await scene.visit("count");
  const cookie = `__Host-session=planted; __Host-session=; ${scene.cookie}`;
  assertEquals((await scene.get("count", cookie)).body, "2");
});

Deno.test("session() takes over sessions of older keys, and signs them anew", async () => {
  const clock = new ManualClock({ wallStartMs: WALL_START_MS });
  const store = new MemorySessionStore({ clock });
  const cookieOf = async (
    keys: Uint8Array[],
    cookie?: string,
  ): Promise<[string, string | undefined]> => {
    await using scene = new Scene(PAGES, { keys, store });
    const response = await scene.get("count", cookie);
    return [response.body, setCookie(response)?.split(";")[0]];
  };
  const [, old] = await cookieOf([KEYS[1]!]);
  const [body, renewed] = await cookieOf(KEYS, old);
  assertEquals([body, renewed?.split(".")[0]], ["2", old?.split(".")[0]]);
  assertNotEquals(renewed, old);
  assertEquals(await cookieOf([KEYS[0]!], renewed), ["3", undefined]);
  assertEquals((await cookieOf([KEYS[0]!], old))[0], "1");
});

Deno.test("session() stores what was set before a handler threw", async () => {
  await using scene = new Scene({
    ...PAGES,
    fail: (session) => {
      session.set("count", 7);
      throw new HttpError(401, "no");
    },
  });
  const response = await scene.get("fail");
  assertEquals([response.status, response.body], [401, "no"]);
  scene.cookie = setCookie(response)!.split(";")[0];
  assertEquals(await scene.visit("read"), 7);
});

for (
  const [what, failing, path] of [
    ["looking up", "get", "read"],
    ["storing", "set", "count"],
    ["destroying", "delete", "logout"],
  ] as const
) {
  Deno.test(`session() answers 500 where ${what} fails, and nothing is told`, async () => {
    await using scene = new Scene(PAGES);
    await scene.visit("count");
    Object.defineProperty(scene.store, failing, {
      value: () => Promise.reject(new Error("secret")),
    });
    const response = await scene.get(path);
    assertEquals([response.status, response.body], [500, "Internal Server Error"]);
    assertEquals(setCookie(response), undefined);
    assertEquals(scene.harness.reported.length, 1);
  });
}

Deno.test("session() tells caches, unless the handler has", async () => {
  await using scene = new Scene({
    plain: () => {},
    own: (_, ctx) => {
      ctx.set("cache-control", "no-store");
      ctx.set("vary", "Accept, COOKIE");
    },
    star: (_, ctx) => ctx.set("vary", "*"),
    other: (_, ctx) => ctx.set("vary", "Accept"),
  });
  const advice = async (path: string): Promise<(string | undefined)[]> => {
    const response = await scene.get(path);
    return [fieldOf(response, "cache-control"), fieldOf(response, "vary")];
  };
  assertEquals(await advice("plain"), ["private, no-cache", "Cookie"]);
  assertEquals(await advice("own"), ["no-store", "Accept, COOKIE"]);
  assertEquals(await advice("star"), ["private, no-cache", "*"]);
  assertEquals(await advice("other"), ["private, no-cache", "Accept, Cookie"]);
  assertEquals(await advice("none"), [undefined, undefined]);
  await using silent = new Scene({ plain: () => {} }, { cacheControl: "" });
  assertEquals(fieldOf(await silent.get("plain"), "cache-control"), undefined);
});

Deno.test("Session.save() sets the cookie ahead of a head that leaves early", async () => {
  await using scene = new Scene({
    ...PAGES,
    stream: async (session, ctx) => {
      session.set("count", 1);
      await session.save();
      const writer = ctx.writer();
      session.set("count", 2);
      await writer.write("null");
      await writer.close();
    },
  });
  await scene.visit("stream");
  assertEquals(await scene.visit("read"), 2);
  assertEquals(scene.harness.reported, []);
});

Deno.test("session() tells the cookie of Session.save() although the handler fails then", async () => {
  await using scene = new Scene({
    ...PAGES,
    async broken(session) {
      session.set("count", 7);
      session.rotate({ graceMs: 0 });
      await session.save();
      throw new HttpError(409);
    },
    async left(session) {
      session.destroy();
      await session.save();
      throw new HttpError(409);
    },
  });
  for (const _ of ["begun", "rotated"]) {
    const response = await scene.get("broken");
    assertEquals(response.status, 409);
    const line = setCookie(response)!;
    assertEquals(line.split("__Host-session=").length, 2);
    scene.cookie = line.split(";")[0];
    assertEquals(await scene.visit("read"), 7);
  }
  assert(setCookie(await scene.get("left"))!.includes(GONE));
});

Deno.test("session() cuts the connection where a new id cannot be told any more", async () => {
  await using scene = new Scene({
    ...PAGES,
    stream: async (session, ctx) => {
      const writer = ctx.writer();
      session.set("user", "ada");
      session.rotate();
      await writer.write("null");
      await writer.close();
    },
  });
  await scene.visit("count");
  await scene.harness.open(request("GET /stream", [`Cookie: ${scene.cookie}`]));
  assert(await eventually(() => scene.harness.reported.length > 0));
  const [reported] = scene.harness.reported;
  assertEquals((reported!.error as HttpStateError).code, "ERR_HTTP_HEAD_COMMITTED");
  assertEquals(await scene.visit("user"), [null, 1]);
});

Deno.test("Session throws when the handler has settled", async () => {
  let late: Session<Data> | undefined;
  await using scene = new Scene({
    keep: (session) => {
      session.set("count", 1);
      late = session;
    },
  });
  await scene.visit("keep");
  for (
    const change of [
      () => late!.set("count", 2),
      () => late!.delete("count"),
      () => late!.clear(),
      () => late!.rotate(),
      () => late!.destroy(),
      () => late!.flash("a", 1),
      () => late!.takeFlash("a"),
    ]
  ) {
    assertEquals(assertThrows(change, HttpStateError).code, "ERR_HTTP_CONTEXT_EXPIRED");
  }
  await assertRejects(() => late!.save(), HttpStateError);
  assertEquals(late!.get("count"), 1);
});

Deno.test("SessionMiddleware.load() throws where the middleware does not stand around", async () => {
  const sessions = session({ keys: KEYS });
  await using harness = new ServerHarness((ctx) => {
    assertThrows(() => sessions.load(ctx), TypeError);
    ctx.text("checked");
  });
  assertEquals((await harness.request(request("GET /"))).body, "checked");
});

Deno.test("session() of two middlewares does not mix", async () => {
  const a = session<{ name: string }>({ keys: KEYS, cookieName: "__Host-a" });
  const b = session<{ name: string }>({ keys: KEYS, cookieName: "__Host-b" });
  await using harness = new ServerHarness(compose([a, b], async (ctx) => {
    (await a.load(ctx)).set("name", "a");
    (await b.load(ctx)).set("name", "b");
    ctx.json([(await a.load(ctx)).get("name"), (await b.load(ctx)).get("name")]);
  }));
  const response = await answerTo(await harness.open(request("GET /")));
  assertEquals(response.body, '["a","b"]');
  const names = response.fields.filter(([name]) => name.toLowerCase() === "set-cookie")
    .map(([, value]) => value.split("=")[0]);
  assertEquals(names.sort(), ["__Host-a", "__Host-b"]);
});

Deno.test("session() throws on options that are none", () => {
  assertThrows(() => session({ keys: [] }), RangeError);
  assertThrows(() => session({ keys: KEYS, cookie: { domain: "a.example" } }), TypeError);
});

for (const [what, path] of [["looks up", "read"], ["stores", "count"]] as const) {
  Deno.test(`session() leaves nothing behind where the client goes while it ${what}`, async () => {
    const entered = gate();
    const leave = gate();
    let isSlow = false;
    const wait = async <T>(value: T): Promise<T> => {
      if (!isSlow) return value;
      entered.open();
      await leave.passed;
      return value;
    };
    const memory = new MemorySessionStore({ clock: new ManualClock() });
    const store: SessionStore = {
      get: (id) => path === "read" ? wait(memory.get(id)) : memory.get(id),
      set: (id, session, version) => wait(memory.set(id, session, version)),
      delete: (id) => memory.delete(id),
    };
    await using scene = new Scene(PAGES, { store, clock: new ManualClock() });
    await scene.visit("count");
    isSlow = true;
    const client = await scene.harness.open(request(`GET /${path}`, [`Cookie: ${scene.cookie}`]));
    await entered.passed;
    await client.reset();
    leave.open();
    isSlow = false;
    assertEquals(await scene.visit("read"), path === "read" ? 1 : 2);
    assertEquals(scene.harness.reported, []);
  });
}

/** A store that answers later, as one over a network does. */
function lateStore(): SessionStore {
  const memory = new MemorySessionStore();
  return {
    get: async (id) => await memory.get(id),
    set: async (id, session, version) => await memory.set(id, session, version),
    delete: async (id) => await memory.delete(id),
  };
}

for (const store of [new MemorySessionStore(), lateStore()]) {
  const kind = store instanceof MemorySessionStore ? "prompt" : "late";
  Deno.test(`session() serves many requests at once over sockets, with a ${kind} store`, () =>
    serveMany(store));
}

async function serveMany(store: SessionStore): Promise<void> {
  const sessions = session<Record<string, number>>({ keys: KEYS, store });
  const handler = compose([sessions], async (ctx) => {
    const session = await sessions.load(ctx);
    const key = ctx.path.slice(1);
    if (key !== "") session.set(key, 1);
    ctx.json(session.has(key));
  });
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  const first = await fetch(`${url}first`);
  assertEquals(await first.json(), true);
  const cookie = first.headers.getSetCookie()[0]!.split(";")[0]!;
  const keys = Array.from({ length: 40 }, (_, index) => `key${index}`);
  await Promise.all(keys.map(async (key) => {
    const response = await fetch(url + key, { headers: { cookie } });
    assertEquals([await response.json(), response.headers.getSetCookie()], [true, []]);
  }));
  const again = compose([sessions], async (ctx) => {
    const session = await sessions.load(ctx);
    ctx.json(["first", ...keys].every((key) => session.has(key)));
  });
  await using reader = serve(again, { hostname: "127.0.0.1", port: 0 });
  const { port } = reader.addr as Deno.NetAddr;
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie } });
  assertEquals(await response.json(), true);
}
