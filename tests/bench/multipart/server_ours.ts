// Counts the bytes of uploaded files with this package: `deno run -A server_ours.ts KIND` prints
// its port. KIND is `stream`, or `form` for the form as a whole.
import { type Context, serve } from "@nbio/net/http";

async function stream(ctx: Context): Promise<void> {
  let title = "";
  let size = 0;
  for await (const part of ctx.body.multipart()) {
    if (part.filename === undefined) title = await part.text();
    else for await (const chunk of part) size += chunk.length;
  }
  ctx.text(`${title} ${size}`);
}

async function form(ctx: Context): Promise<void> {
  const data = await ctx.body.form();
  ctx.text(`${data.get("title")} ${(data.get("file") as File).size}`);
}

const handler = Deno.args[0] === "form" ? form : stream;
const server = serve(handler, { port: 0, hostname: "127.0.0.1" });
console.log((server.addr as Deno.NetAddr).port);
