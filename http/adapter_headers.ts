import { forwardTo } from "./_adapter_stand_in.ts";
import { HeaderList } from "./header_list.ts";

/** A name for which list and `Headers` say the same: a list gives one Set-Cookie at a time. */
const PLAIN_NAME = /^(?!set-cookie$)[\w-]+$/i;

/**
 * The header fields of a request as web-standard `Headers`, made when they are needed: one field is
 * read straight from what came, whatever else is asked for makes true ones and goes on with them.
 *
 * Where the runtime does not let an object stand in for `Headers`, they are true ones at once.
 *
 * @param list The fields.
 * @returns `Headers`, also by `instanceof`.
 */
export function adapterHeaders(list: HeaderList): Headers {
  const light = new LightHeaders(list);
  isStandIn ??= canStandIn();
  return isStandIn ? light as unknown as Headers : light.toTrue();
}

/** Whether the runtime takes the light object for `Headers`; found out once. */
let isStandIn: boolean | undefined;

class LightHeaders {
  readonly #list: HeaderList;
  #headers: Headers | undefined;

  constructor(list: HeaderList) {
    this.#list = list;
  }

  get(name: string): string | null {
    const isPlain = this.#headers === undefined && typeof name === "string" &&
      PLAIN_NAME.test(name);
    return isPlain ? this.#list.get(name) ?? null : this.toTrue().get(name);
  }

  has(name: string): boolean {
    const isPlain = this.#headers === undefined && typeof name === "string" &&
      PLAIN_NAME.test(name);
    return isPlain ? this.#list.has(name) : this.toTrue().has(name);
  }

  /** The true ones. */
  toTrue(): Headers {
    return this.#headers ??= trueHeaders(this.#list);
  }
}

/** Lines of cookies make one with semicolons, as in HTTP/2: with the commas of `Headers` they would be one cookie. */
function trueHeaders(list: HeaderList): Headers {
  const headers = new Headers([...list]);
  const cookie = list.get("cookie");
  if (cookie !== undefined) headers.set("cookie", cookie);
  return headers;
}

/** Tries it out on what frameworks do with `Headers`. */
function canStandIn(): boolean {
  try {
    forwardTo(LightHeaders.prototype, Headers.prototype, new Headers());
    const list = new HeaderList([["a", "b"]]);
    const light = new LightHeaders(list) as unknown as Headers;
    const isRead = light.get("a") === "b" && light instanceof Headers;
    const copies = [
      new Headers(light),
      new Request("http://localhost/", { headers: light }).headers,
      new Response(null, { headers: light }).headers,
    ];
    return isRead && copies.every((copy) => copy.get("a") === "b");
  } catch {
    return false;
  }
}
