/**
 * The application that the public benchmarks of frameworks ask for, as it would be handed in: small
 * answers as text and JSON, sums of numbers in query and body, uploads that are counted,
 * compression where a client asks for it, and files.
 */
import {
  compose,
  compress,
  type Context,
  type Handler,
  HttpError,
  Router,
  serveDir,
} from "@nbio/net/http";

/** Longest body of which a number is read, in bytes. */
const MAX_NUMBER_BYTES = 64;

/** What the large answer consists of. */
export const ITEMS: readonly Readonly<Record<string, unknown>>[] = Array.from(
  { length: 200 },
  (_, id) => ({ id, name: `item ${id}`, price: id * 7 % 100, tags: ["fast", "new"] }),
);

/**
 * Makes the application.
 *
 * @param root Folder of the files under `/static/`.
 */
export function createBenchmarkApp(root: string): Handler {
  const app = new Router();
  // Who answers has to say so, also with an error; the date comes by itself.
  app.use(async (ctx, next) => {
    await next();
    ctx.set("server", "nbio");
  });
  app.get("/plaintext", (ctx) => ctx.text("Hello, World!"));
  app.get("/pipeline", (ctx) => ctx.text("ok"));
  app.get("/json", (ctx) => ctx.json({ message: "Hello, World!" }));
  app.get("/baseline", (ctx) => ctx.text(`${sumOfQuery(ctx)}`));
  app.post("/baseline", async (ctx) => {
    const text = await ctx.body.text({ maxBytes: MAX_NUMBER_BYTES });
    ctx.text(`${sumOfQuery(ctx) + wholeNumber(text)}`);
  });
  app.post("/upload", async (ctx) => {
    let byteCount = 0;
    for await (const chunk of ctx.body) byteCount += chunk.length;
    ctx.text(`${byteCount}`);
  });
  const items: Handler = (ctx) => ctx.json({ count: ITEMS.length, items: ITEMS });
  app.get("/compression", compose([compress({ codings: ["gzip"] })], items));
  app.get("/static/*path", serveDir(root));
  return app.handler;
}

function sumOfQuery(ctx: Context): number {
  let sum = 0;
  for (const value of ctx.query.values()) sum += wholeNumber(value);
  return sum;
}

/** @throws {HttpError} With 400, if the client sent something else. */
function wholeNumber(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new HttpError(400, "Cannot add: there is something that is no whole number");
}
