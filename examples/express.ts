/**
 * Express and Fastify on this server. Both speak to the `http` module of Node and to nothing else;
 * `npm:srvx` gives them its requests and responses over a function from `Request` to `Response`.
 *
 * ```sh
 * deno run -A examples/express.ts
 * curl http://localhost:8000/express/you
 * curl http://localhost:8000/fastify/you
 * ```
 *
 * Options: `--port=N` (default 8000, 0 for any).
 */

import { type FetchHandler, Router, serve, toHandler } from "@nbio/net/http";
import express from "npm:express@^5";
import Fastify from "npm:fastify@^5";
import { toFetchHandler } from "npm:srvx@^1/node";

// deno-lint-ignore no-explicit-any
type NodeHandler = any;

const classic = express();
classic.get("/express/:name", (request: NodeHandler, response: NodeHandler) => {
  response.json({ hello: request.params.name, by: "express" });
});

const fastify = Fastify();
fastify.get("/fastify/:name", (request: NodeHandler) => {
  return { hello: request.params.name, by: "fastify" };
});
await fastify.ready();

// With a third argument, which srvx would give it, Express leaves to others what it has no route for.
const answerAll = (request: NodeHandler, response: NodeHandler): void => {
  classic(request, response);
};

const router = new Router();
router.all("/express/*rest", toHandler(toFetchHandler(answerAll) as FetchHandler));
router.all(
  "/fastify/*rest",
  toHandler(toFetchHandler(fastify.routing as NodeHandler) as FetchHandler),
);

if (import.meta.main) {
  const port = Deno.args.find((arg) => arg.startsWith("--port="))?.slice("--port=".length);
  serve(router.handler, {
    port: Number(port ?? 8000),
    onListen: (addr) => {
      const { hostname, port } = addr as Deno.NetAddr;
      console.log(`Listening on http://${hostname}:${port}/`);
    },
  });
}
