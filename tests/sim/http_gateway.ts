import type { Client } from "../../http/client.ts";
import { HttpError } from "../../http/errors.ts";
import type { Context } from "../../http/server_context.ts";
import { failureOf } from "./outcomes.ts";

const FORWARDED = ["x-id", "x-site", "x-method"] as const;

/**
 * A reverse proxy of our client and our server: the first segment of the path says where to, the
 * bodies pass in both directions as they come.
 */
export function gatewayHandler(client: Client): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const [, authority, target] = /^\/([^/]+)(\/.*)$/.exec(ctx.url)!;
    const hasBody = ctx.headers.has("content-length") || ctx.headers.has("transfer-encoding");
    try {
      const response = await client.request(ctx.method, `http://${authority}${target}`, {
        signal: ctx.signal,
        ...hasBody && { body: ctx.body },
      });
      ctx.status = response.status;
      for (const name of FORWARDED) {
        const value = response.headers.get(name);
        if (value !== undefined) ctx.set(name, value);
      }
      if (response.status === 204 || response.status === 304) await response.discard();
      else ctx.stream(response);
    } catch (error) {
      if (ctx.signal.aborted || error instanceof HttpError) throw error;
      throw new HttpError(502, failureOf(error), { cause: error });
    }
  };
}
