import type { Context } from "../../http/server_context.ts";
import type { ResponseWriter } from "../../http/server_writer.ts";
import { extraBytes, joinBytes } from "./http_plan.ts";
import type { World } from "./world.ts";

/** How often each request came to a handler, in all lives of all servers. */
export type HandledCounts = Map<string, number>;

/** The handler of an origin: it does what the target says, and tells who it is. */
export function originHandler(
  world: World,
  authority: string,
  handled: HandledCounts,
): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const id = ctx.query.get("id")!;
    handled.set(id, (handled.get(id) ?? 0) + 1);
    world.look();
    ctx.set("x-id", id);
    ctx.set("x-site", authority);
    ctx.set("x-method", ctx.method);
    ctx.status = Number(ctx.query.get("status"));
    const extra = extraBytes(id, Number(ctx.query.get("extra")));
    const hasBody = ctx.status !== 204 && ctx.status !== 304;
    switch (ctx.path) {
      case "/early":
        if (hasBody) ctx.bytes(extra);
        return;
      case "/slow":
        await world.sleep(Number(ctx.query.get("wait")));
        break;
      case "/pipe":
        if (ctx.status === 200) return await pipe(ctx, extra);
        break;
    }
    const body = await ctx.body.bytes();
    if (hasBody) ctx.bytes(joinBytes([body, extra]));
  };
}

/** Sends back what comes while it comes. */
async function pipe(ctx: Context, extra: Uint8Array): Promise<void> {
  // Not before the body has begun: who is answered instead of being told to go on sends none.
  let writer: ResponseWriter | undefined;
  for await (const chunk of ctx.body) await (writer ??= ctx.writer()).write(chunk.slice());
  writer ??= ctx.writer();
  await writer.write(extra);
  await writer.close([["x-end", ctx.query.get("id")!]]);
}
