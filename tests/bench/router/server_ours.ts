// Serves JSON by a route with two parameters behind three middlewares, which wait as those of
// hono do, or with `sync` only where there is something to wait for; prints its port.
import { Router, serve, StateKey } from "@nbio/net/http";

const TENANT = new StateKey<string>("tenant");
const app = new Router();
if (Deno.args[0] === "sync") {
  app.use((ctx, next) => {
    ctx.set("x-frame-options", "DENY");
    return next();
  });
} else {
  app.use(async (ctx, next) => {
    await next();
    ctx.set("x-frame-options", "DENY");
  });
}
app.use((ctx, next) => {
  ctx.state.set(TENANT, "example");
  return next();
});
if (Deno.args[0] === "sync") {
  app.use((_ctx, next) => next());
} else {
  app.use(async (_ctx, next) => {
    await next();
  });
}
app.get("/", (ctx) => ctx.text("hello"));
app.get("/teams/:team", (ctx) => ctx.json({ team: ctx.params.team }));
app.get("/teams/:team/members/:member", (ctx) => {
  const { team, member } = ctx.params;
  ctx.json({ tenant: ctx.state.require(TENANT), team, member });
});
app.post("/teams/:team/members", (ctx) => ctx.json({ team: ctx.params.team }));

const server = serve(app.handler, { port: 0, hostname: "127.0.0.1" });
console.log((server.addr as Deno.NetAddr).port);
