import { assertEquals } from "@std/assert";
import {
  type DefaultField,
  restoreDefaultFields,
  setDefaultFields,
} from "../../http/_default_fields.ts";
import { compose, type Middleware } from "../../http/middleware.ts";
import type { Handler } from "../../http/server_shared.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";

const FIELDS: readonly DefaultField[] = [["x-a", "1"], ["x-b", "2"]];

const defaults: Middleware = async (ctx, next) => {
  const before = setDefaultFields(ctx, FIELDS);
  await next();
  restoreDefaultFields(ctx, FIELDS, before);
};

async function fieldsOf(handler: Handler): Promise<string[]> {
  await using harness = new ServerHarness(compose([defaults], handler));
  const { fields } = await harness.request(request("GET /"));
  return fields.filter(([name]) => name.toLowerCase().startsWith("x-")).map((field) =>
    field.join(": ")
  ).sort();
}

Deno.test("default fields stand on an answer that has none of them", async () => {
  assertEquals(await fieldsOf((ctx) => ctx.text("a")), ["x-a: 1", "x-b: 2"]);
});

Deno.test("default fields give way to what the handler sets", async () => {
  const handler: Handler = (ctx) => {
    ctx.set("X-A", "own");
    ctx.text("a");
  };
  assertEquals(await fieldsOf(handler), ["X-A: own", "x-b: 2"].sort());
});

Deno.test("default fields stay away where the handler removed them", async () => {
  const handler: Handler = (ctx) => {
    ctx.response.headers.delete("x-a");
    ctx.text("a");
  };
  assertEquals(await fieldsOf(handler), ["x-b: 2"]);
});

Deno.test("default fields stand on an answer to an error", async () => {
  const handler: Handler = () => {
    throw new Error("broken");
  };
  assertEquals(await fieldsOf(handler), ["x-a: 1", "x-b: 2"]);
});

Deno.test("default fields give way to those of a returned Response", async () => {
  const handler: Handler = () => new Response("a", { headers: { "x-b": "own" } });
  assertEquals(await fieldsOf(handler), ["x-a: 1", "x-b: own"]);
});

Deno.test("default fields stand on a head that left before the handler was through", async () => {
  const handler: Handler = async (ctx) => {
    const writer = ctx.writer();
    await writer.close();
  };
  assertEquals(await fieldsOf(handler), ["x-a: 1", "x-b: 2"]);
});
