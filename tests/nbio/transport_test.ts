import { assertEquals, assertThrows } from "@std/assert";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";

// Types only: a program in which one of these is not a transport does not compile.
({}) as Deno.Conn satisfies Transport;
({}) as Deno.TcpConn satisfies Transport;
({}) as Deno.TlsConn satisfies Transport;
({}) as Deno.UnixConn satisfies Transport;

async function converse(first: Transport, second: Transport): Promise<void> {
  const buffer = new Uint8Array(16);
  assertEquals(await first.write(new Uint8Array([1, 2, 3])), 3);
  assertEquals(await second.read(buffer), 3);
  assertEquals(buffer.subarray(0, 3), new Uint8Array([1, 2, 3]));
  assertEquals(await second.read(new Uint8Array(0)), 0);
  await first.closeWrite();
  assertEquals(await second.read(buffer), null);
  assertEquals(await second.read(buffer), null);
  assertEquals(await second.write(new Uint8Array([4])), 1);
  assertEquals(await first.read(buffer), 1);
  first.close();
  assertEquals(assertThrows(() => first.close()) instanceof Error, true);
  second.close();
}

Deno.test("Transport describes a TCP connection as it is", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  await converse(client, await listener.accept());
});

Deno.test("Transport describes a Unix connection as it is", async () => {
  const directory = await Deno.makeTempDir();
  {
    using listener = Deno.listen({ transport: "unix", path: `${directory}/socket` });
    const client = await Deno.connect({ transport: "unix", path: `${directory}/socket` });
    await converse(client, await listener.accept());
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("Transport describes a memory pipe", async () => {
  const [client, server] = memoryPipe();
  await converse(client, server);
});

Deno.test("closeQuietly() closes, and says nothing when that was done", async () => {
  const [client, server] = memoryPipe();
  closeQuietly(client);
  closeQuietly(client);
  assertEquals(await server.read(new Uint8Array(1)), null);
});
