/**
 * Serves a route that is validated by a schema of a library, sends it requests, and prints what
 * came back. Runs in a process of its own: npm packages find each other only in a project that
 * has them.
 *
 * Arguments: name of the library, folder of the package.
 */

import { createRequire } from "node:module";
import { compose, serve, type StandardSchema, validate } from "@nbio/net/http";

// What the libraries export is not known to the compiler here.
// deno-lint-ignore no-explicit-any
type Untyped = any;

/** The same schema in the words of each library: a whole number and a list of text. */
const SCHEMAS: Readonly<Record<string, (library: Untyped) => StandardSchema>> = {
  zod: ({ z }) => z.object({ id: z.coerce.number().int(), tags: z.array(z.string()) }),
  valibot: (v) =>
    v.object({
      id: v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.integer()),
      tags: v.array(v.string()),
    }),
  arktype: ({ type }) => type({ id: "string.integer.parse | number.integer", tags: "string[]" }),
};

const [name, folder] = Deno.args as [string, string];
const library = createRequire(`${folder}/package.json`)(name);
const schema = SCHEMAS[name]!(library);

const valid = validate({ query: schema, body: schema }, { lists: ["tags"] });
const handler = compose([valid], (ctx) => ctx.json(ctx.state.require(valid.key)));
await using server = serve(handler, { hostname: "127.0.0.1", port: 0, onListen() {} });
const { port } = server.addr as Deno.NetAddr;

async function send(search: string, body: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/${search}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: await response.json() };
}

console.log(JSON.stringify([
  await send("?id=7&tags=a", { id: 8, tags: [] }),
  await send("?id=x&tags=a", { id: 8, tags: [] }),
  await send("?id=7", { id: 8, tags: ["a", 1] }),
]));
