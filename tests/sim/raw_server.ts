import { HttpError } from "../../http/errors.ts";
import type { Context } from "../../http/server_context.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { extraBytes, joinBytes } from "./http_plan.ts";
import type { World } from "./world.ts";

const RECEIVE_BYTES = 2_048;

/**
 * The server of clients that speak by themselves: `/now` and `/later` give back the body and what
 * belongs to the id, `/echo` is another protocol behind an upgrade.
 */
export async function answerRaw(world: World, ctx: Context): Promise<void> {
  if (ctx.path === "/echo") return await echo(ctx);
  const id = ctx.query.get("id");
  if (id === undefined || id === null) throw new HttpError(404, "No id");
  const body = await ctx.body.bytes();
  if (ctx.path === "/later") await world.sleep(Number(id.split("-")[1]) % 100);
  ctx.set("x-id", id);
  ctx.bytes(joinBytes([body, extraBytes(id, 20)]));
}

/** The protocol behind the upgrade: what comes goes back, to the end. */
async function echo(ctx: Context): Promise<void> {
  const { transport, bytes } = await ctx.upgrade("echo");
  try {
    await sendAll(transport, bytes);
    const buffer = new Uint8Array(RECEIVE_BYTES);
    for (let count; (count = await transport.read(buffer)) !== null;) {
      await sendAll(transport, buffer.subarray(0, count));
    }
    await transport.closeWrite();
  } catch {
    // The network, or the end of the server.
  } finally {
    closeQuietly(transport);
  }
}
