import { assert, assertEquals } from "@std/assert";
import { type Context, type Handler, MemorySessionStore, serve, session } from "@nbio/net/http";
import { ManualClock } from "@nbio/net/nbio/testing";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";

const ignore = !interopEnabled || !hasCommand("curl");

/** A curl with a cookie jar in a file of its own. */
class Curl implements AsyncDisposable {
  readonly #jar: string;
  readonly #server: ReturnType<typeof serve>;

  private constructor(server: ReturnType<typeof serve>, jar: string) {
    this.#server = server;
    this.#jar = jar;
  }

  static async start(handler: Handler): Promise<Curl> {
    const server = serve(handler, { hostname: "127.0.0.1", port: 0 });
    return new Curl(server, await Deno.makeTempFile({ prefix: "nbio_cookies_" }));
  }

  /** Reads a page with the jar, which takes the cookies of the answer. */
  async get(path: string, args: readonly string[] = []): Promise<string> {
    const { port } = this.#server.addr as Deno.NetAddr;
    const jar = ["--cookie", this.#jar, "--cookie-jar", this.#jar];
    // Clients take localhost, not 127.0.0.1, for as secure as https.
    const url = `http://localhost:${port}${path}`;
    const common = ["--disable", "--noproxy", "*", "--silent", "--show-error", "--ipv4"];
    const { code, text, stderr } = await runPeer("curl", [...common, ...jar, ...args, url]);
    assertEquals(code, 0, stderr);
    return text;
  }

  /** The jar in curl's own words: domain, subdomains, path, secure, expiry, name, value. */
  async jar(): Promise<string[][]> {
    const lines = (await Deno.readTextFile(this.#jar)).split("\n");
    const own = lines.filter((line) => line !== "" && !/^# /.test(line));
    return own.map((line) => line.split("\t"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown({ graceMs: 0 });
    await Deno.remove(this.#jar);
  }
}

function curlTest(name: string, handler: Handler, fn: (curl: Curl) => Promise<void>): void {
  Deno.test({
    name: `curl ${name}`,
    ignore,
    async fn() {
      await using curl = await Curl.start(handler);
      await fn(curl);
    },
  });
}

curlTest("keeps a cookie, sends it back and deletes it", (ctx) => {
  const count = Number(ctx.cookies.get("count") ?? 0) + 1;
  if (ctx.path === "/bye") ctx.deleteCookie("count");
  else ctx.setCookie("count", String(count), { maxAgeSeconds: 3_600 });
  ctx.text(String(count));
}, async (curl) => {
  assertEquals(await curl.get("/"), "1");
  assertEquals(await curl.get("/deep/path"), "2");
  const [[domain, subdomains, path, secure, , name, value]] = await curl.jar() as [string[]];
  assertEquals([domain, subdomains, path, secure, name, value], [
    "#HttpOnly_localhost",
    "FALSE",
    "/",
    "TRUE",
    "count",
    "2",
  ]);
  assertEquals(await curl.get("/bye"), "3");
  assertEquals(await curl.jar(), []);
  assertEquals(await curl.get("/"), "1");
});

curlTest("keeps cookies of every path apart, and sends the longest path first", (ctx) => {
  if (ctx.path === "/set") {
    ctx.setCookie("a", "root");
    ctx.setCookie("a", "deep", { path: "/deep" });
    ctx.setCookie("__Host-b", "host");
    ctx.setCookie("__Secure-c", "secure");
  }
  ctx.json([...ctx.cookies]);
}, async (curl) => {
  assertEquals(JSON.parse(await curl.get("/set")), []);
  const deep = JSON.parse(await curl.get("/deep/page")) as [string, string][];
  assertEquals(deep.filter(([name]) => name === "a"), [["a", "deep"], ["a", "root"]]);
  const names = deep.map(([name]) => name).sort();
  assertEquals(names, ["__Host-b", "__Secure-c", "a", "a"]);
});

curlTest(
  "sends three hundred cookies at once",
  (ctx) => ctx.json(ctx.cookies.size),
  async (curl) => {
    const field = Array.from({ length: 300 }, (_, index) => `name${index}=value`).join("; ");
    assertEquals(await curl.get("/", ["--header", `Cookie: ${field}`]), "300");
  },
);

Deno.test({
  name: "curl logs in, is told no cookie twice, and logs out",
  ignore,
  async fn() {
    const clock = new ManualClock({ wallStartMs: Date.now() });
    const sessions = session<{ user: string; visits: number }>({
      keys: [crypto.getRandomValues(new Uint8Array(32))],
      store: new MemorySessionStore({ clock }),
      clock,
    });
    const page = async (ctx: Context): Promise<void> => {
      const session = await sessions.load(ctx);
      if (ctx.path === "/login") {
        session.set("user", "ada");
        session.rotate();
      } else if (ctx.path === "/logout") session.destroy();
      else session.set("visits", (session.get("visits") ?? 0) + 1);
      ctx.json([session.get("user") ?? null, session.get("visits") ?? 0]);
    };
    await using curl = await Curl.start(async (ctx) => await sessions(ctx, () => page(ctx)));
    const id = async (): Promise<string | undefined> => (await curl.jar())[0]?.[6];

    assertEquals(JSON.parse(await curl.get("/")), [null, 1]);
    const first = await id();
    assert(!/set-cookie/i.test(await curl.get("/", ["--include"])));
    assertEquals(JSON.parse(await curl.get("/login")), ["ada", 2]);
    const second = await id();
    assert(first !== undefined && second !== undefined && first !== second);
    assertEquals(JSON.parse(await curl.get("/")), ["ada", 3]);
    clock.advance(600_000);
    assert(/set-cookie: __Host-session=/i.test(await curl.get("/", ["--include"])));
    assertEquals(await id(), second);
    await curl.get("/logout");
    assertEquals(await id(), undefined);
    assertEquals(JSON.parse(await curl.get("/")), [null, 1]);
  },
});
