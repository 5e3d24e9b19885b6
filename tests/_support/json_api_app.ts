import { type HttpServer, type Router, serve, type ServeOptions } from "@nbio/net/http";
import { createApp, type JsonApiOptions } from "../../examples/json_api.ts";

/** `examples/json_api.ts` in this process, with a folder of its own. */
export class JsonApiApp implements AsyncDisposable {
  /** The routes: what needs no socket talks to them. */
  readonly router: Router;
  /** Where uploads are kept. */
  readonly folder: string;
  /** What has been logged. */
  readonly log: Record<string, unknown>[] = [];
  /** What the server reported as its own fault. */
  readonly errors: unknown[] = [];
  #server: HttpServer | undefined;

  constructor(options: Partial<JsonApiOptions> = {}) {
    this.folder = Deno.makeTempDirSync();
    this.router = createApp({
      folder: this.folder,
      log: (line) => this.log.push(JSON.parse(line)),
      ...options,
    });
  }

  /** Starts to listen, if it has not yet. */
  listen(options: ServeOptions = {}): HttpServer {
    return this.#server ??= serve(this.router.handler, {
      hostname: "127.0.0.1",
      port: 0,
      onError: (error) => void this.errors.push(error),
      ...options,
    });
  }

  /** Port on 127.0.0.1; it starts to listen for it. */
  get port(): number {
    return (this.listen().addr as Deno.NetAddr).port;
  }

  /** Origin of its pages. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Names of the files in its folder. */
  get files(): string[] {
    return Array.from(Deno.readDirSync(this.folder), ({ name }) => name);
  }

  /** Ends the server and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.shutdown({ graceMs: 0 });
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A client of it that keeps cookies, over no socket. */
export class JsonApiClient {
  /** Cookies by their names. */
  readonly cookies: Map<string, string> = new Map();
  readonly #router: Router;

  constructor(router: Router) {
    this.#router = router;
  }

  /** Sends a request with the cookies of before, and keeps those that come. */
  async request(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0) {
      headers.set(
        "cookie",
        Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join("; "),
      );
    }
    const response = await this.#router.request(path, { ...init, method, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]*)=([^;]*)/.exec(line)!;
      if (/; Max-Age=0(;|$)/i.test(line)) this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    return response;
  }

  /** Sends JSON. */
  json(method: string, path: string, body: unknown): Promise<Response> {
    const headers = { "content-type": "application/json" };
    return this.request(method, path, { body: JSON.stringify(body), headers });
  }

  /** Signs in; the answer has been read. */
  async login(name: string, password: string): Promise<number> {
    const response = await this.json("POST", "/api/login", { name, password });
    await response.body?.cancel();
    return response.status;
  }
}
