// What server_ours.ts does, by hono on Deno.serve: `deno run -A server_hono.ts NODE_MODULES`.
const modules = Deno.args[0]!;
const { Hono } = await import(`${modules}/hono/dist/index.js`);

/** As much of a context of hono as is used here. */
interface HonoContext {
  readonly req: { param(): Record<string, string> };
  header(name: string, value: string): void;
  set(key: string, value: unknown): void;
  get(key: string): unknown;
  json(value: unknown): Response;
  text(text: string): Response;
}
type Next = () => Promise<void>;

const app = new Hono();
app.use(async (ctx: HonoContext, next: Next) => {
  await next();
  ctx.header("x-frame-options", "DENY");
});
app.use((ctx: HonoContext, next: Next) => {
  ctx.set("tenant", "example");
  return next();
});
app.use(async (_ctx: HonoContext, next: Next) => {
  await next();
});
app.get("/", (ctx: HonoContext) => ctx.text("hello"));
app.get("/teams/:team", (ctx: HonoContext) => ctx.json({ team: ctx.req.param().team }));
app.get("/teams/:team/members/:member", (ctx: HonoContext) => {
  const { team, member } = ctx.req.param();
  return ctx.json({ tenant: ctx.get("tenant"), team, member });
});
app.post("/teams/:team/members", (ctx: HonoContext) => ctx.json({ team: ctx.req.param().team }));

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, app.fetch);
