import { assert, assertEquals, assertRejects } from "@std/assert";
import dns from "node:dns";
import { parseIpAddress } from "../../nbio/ip_address.ts";
import { systemResolver } from "../../nbio/system_resolver.ts";

/** What the resolver asked the system for while `run` ran; every answer is waited for. */
async function watchSystem(run: () => Promise<void>): Promise<unknown[]> {
  const asked: [name: string, family: unknown][] = [];
  const answers: Promise<void>[] = [];
  const { lookup } = dns;
  const watched = (
    name: string,
    options: dns.LookupAllOptions,
    callback: (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void,
  ): void => {
    asked.push([name, options.family]);
    const { promise, resolve } = Promise.withResolvers<void>();
    answers.push(promise);
    lookup(name, options, (error, addresses) => {
      resolve();
      callback(error, addresses);
    });
  };
  Object.assign(dns, { lookup: watched });
  try {
    await run();
  } finally {
    Object.assign(dns, { lookup });
    // The system cannot be interrupted: what it still does must not leak into the next test.
    await Promise.all(answers);
  }
  return asked;
}

Deno.test("systemResolver.lookup() finds the loopback address", async () => {
  assert((await systemResolver.lookup("localhost", { family: 4 })).includes("127.0.0.1"));
  assert((await systemResolver.lookup("localhost")).length > 0);
});

Deno.test("systemResolver.lookup() gives addresses of the family asked for", async () => {
  for (const family of [4, 6] as const) {
    const addresses = await systemResolver.lookup("localhost", { family });
    assertEquals(
      addresses.map((text) => parseIpAddress(text)?.family),
      addresses.map(() => family),
    );
  }
});

Deno.test("systemResolver.lookup() asks for names below localhost as localhost", async () => {
  const asked = await watchSystem(async () => {
    for (const name of ["localhost", "a.LocalHost", "b.c.localhost.", "localhost."]) {
      assert((await systemResolver.lookup(name, { family: 4 })).includes("127.0.0.1"), name);
    }
  });
  // For both families at once: else a system without one of them would ask DNS for it.
  assertEquals(asked, Array(4).fill(["localhost", 0]));
});

Deno.test("systemResolver.lookup() leaves names that only look like localhost", async () => {
  const names = ["notlocalhost.invalid", "localhost.invalid"];
  const asked = await watchSystem(async () => {
    for (const name of names) {
      await assertRejects(() => systemResolver.lookup(name, { family: 4 }), Deno.errors.NotFound);
    }
  });
  assertEquals(asked, names.map((name) => [name, 4]));
});

for (const family of [undefined, 4, 6] as const) {
  Deno.test(`systemResolver.lookup() rejects for a name without addresses, family ${family}`, async () => {
    // RFC 6761 section 6.4: names below "invalid" never exist.
    const options = family === undefined ? {} : { family };
    await assertRejects(
      () => systemResolver.lookup("nobody.invalid", options),
      Deno.errors.NotFound,
    );
  });
}

Deno.test("systemResolver.lookup() rejects at once when aborted, before and while it asks", async () => {
  const reason = { any: "value" };
  const asked = await watchSystem(async () => {
    const early = systemResolver.lookup("localhost", { signal: AbortSignal.abort(reason) });
    assert(await early.catch((error) => error) === reason);
    const loading = new AbortController();
    const whileLoading = systemResolver.lookup("localhost", { signal: loading.signal });
    loading.abort(reason);
    assert(await whileLoading.catch((error) => error) === reason);
  });
  assertEquals(asked, []);
  const controller = new AbortController();
  await watchSystem(async () => {
    const { lookup } = dns;
    // Aborts when the system has been asked and before it can have answered: a turn later it may
    // have, for the runtime looks at once whether a quick answer is there.
    Object.assign(dns, {
      lookup: (...args: Parameters<typeof lookup>): void => {
        lookup(...args);
        controller.abort(reason);
      },
    });
    const answer = systemResolver.lookup("localhost", { signal: controller.signal });
    assert(await answer.catch((error) => error) === reason);
  });
});

Deno.test("systemResolver.lookup() throws on a family there is not", async () => {
  await assertRejects(
    () => systemResolver.lookup("localhost", { family: 5 as 4 }),
    RangeError,
  );
});

Deno.test({
  name: "systemResolver.lookup() rejects without permission for the name",
  permissions: { net: ["example.com"] },
  async fn() {
    await assertRejects(() => systemResolver.lookup("localhost"), Deno.errors.NotCapable);
  },
});
