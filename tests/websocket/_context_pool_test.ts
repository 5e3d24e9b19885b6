import zlib from "node:zlib";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type ContextHolder,
  type ContextKind,
  ContextPool,
} from "../../websocket/_context_pool.ts";
import { ZlibContext } from "../../websocket/_zlib_context.ts";

class Holder implements ContextHolder {
  context: ZlibContext | undefined;

  acquire(pool: ContextPool, kind: ContextKind): ZlibContext {
    return this.context = pool.acquire(this, kind);
  }

  release(pool: ContextPool): void {
    pool.release(this, this.context!);
    this.context = undefined;
  }

  revokeContext(): ZlibContext {
    const context = this.context!;
    this.context = undefined;
    return context;
  }
}

/** A kind that notes what it has made and what of it was closed. */
function makeKind(): ContextKind & { open: number; created: number } {
  const kind = {
    open: 0,
    created: 0,
    create(): ZlibContext {
      const context = new ZlibContext(zlib.createDeflateRaw());
      const close = context.close.bind(context);
      context.close = () => {
        kind.open--;
        close();
      };
      kind.open++;
      kind.created++;
      return context;
    },
  };
  return kind;
}

function holders(count: number): Holder[] {
  return Array.from({ length: count }, () => new Holder());
}

Deno.test("ContextPool makes contexts up to its bound, then takes the least recent away", () => {
  const pool = new ContextPool(2);
  const kind = makeKind();
  const [a, b, c] = holders(3) as [Holder, Holder, Holder];
  const first = a.acquire(pool, kind);
  b.acquire(pool, kind);
  pool.touch(a);
  c.acquire(pool, kind);
  assertEquals([a.context, b.context], [first, undefined]);
  assertEquals([pool.count, kind.created, kind.open], [2, 2, 2]);
  assertStrictEquals(b.acquire(pool, kind), first);
  assertEquals(a.context, undefined);
  for (const holder of [b, c]) holder.release(pool);
  pool.close();
  assertEquals([pool.count, kind.open], [0, 0]);
});

Deno.test("ContextPool gives one that was released to the next", () => {
  const pool = new ContextPool(2);
  const kind = makeKind();
  const [a, b] = holders(2) as [Holder, Holder];
  const first = a.acquire(pool, kind);
  a.release(pool);
  assertStrictEquals(b.acquire(pool, kind), first);
  assertEquals([pool.count, kind.created], [1, 1]);
  b.release(pool);
  pool.close();
});

Deno.test("ContextPool does not mix kinds up", () => {
  const pool = new ContextPool(2);
  const [small, large] = [makeKind(), makeKind()];
  const [a, b, c] = holders(3) as [Holder, Holder, Holder];
  a.acquire(pool, small);
  a.release(pool);
  b.acquire(pool, large);
  assertEquals([small.open, large.open, pool.count], [1, 1, 2]);
  // What is idle goes first.
  c.acquire(pool, large);
  assertEquals([small.open, large.open, pool.count], [0, 2, 2]);
  a.acquire(pool, small);
  assertEquals([small.open, large.open, pool.count], [1, 1, 2]);
  assertEquals(b.context, undefined);
  assert(c.context !== undefined);
  for (const holder of [a, c]) holder.release(pool);
  pool.close();
  assertEquals([small.open, large.open], [0, 0]);
});

Deno.test("ContextPool keeps few that are idle", () => {
  const pool = new ContextPool(100);
  const kind = makeKind();
  const all = holders(20);
  for (const holder of all) holder.acquire(pool, kind);
  assertEquals(pool.count, 20);
  for (const holder of all) holder.release(pool);
  assertEquals([pool.count, kind.open], [4, 4]);
  pool.close();
});

Deno.test("ContextPool gives contexts that are as new", () => {
  const pool = new ContextPool(1);
  const kind = makeKind();
  const [a, b] = holders(2) as [Holder, Holder];
  const message = new Uint8Array(100).map((_, index) => index * 7);
  const output = new Uint8Array(200);
  const deflate = (context: ZlibContext): Uint8Array => {
    context.run(message, 0, message.length, output, 0);
    return output.slice(0, output.length - context.unusedOutput);
  };
  const fresh = deflate(a.acquire(pool, kind));
  assert(deflate(a.context!).length < fresh.length);
  assertEquals(deflate(b.acquire(pool, kind)), fresh);
  b.release(pool);
  assertEquals(deflate(a.acquire(pool, kind)), fresh);
  a.release(pool);
  pool.close();
});
