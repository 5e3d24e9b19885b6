// The process under test: copies the first of every two connections to the second.
// `deno run -A copy_proxy.ts RIVAL` prints its port.
import { copy } from "../../../nbio/copy.ts";
import { closeQuietly } from "../../../nbio/transport.ts";

type Move = (source: Deno.TcpConn, target: Deno.TcpConn) => Promise<unknown>;

/** What is compared: each moves all of one connection to another and ends it. */
const RIVALS: Record<string, Move> = {
  ours: ours(262_144),
  pipe: (source, target) => source.readable.pipeTo(target.writable),
  bare,
  ours_16k: ours(16_384),
  ours_64k: ours(65_536),
  ours_1m: ours(1_048_576),
  ahead,
};

/** Names of all that can be compared. */
export const RIVAL_NAMES: readonly string[] = Object.keys(RIVALS);

function ours(bufferBytes: number): Move {
  return (source, target) => copy(source, target, { closeWrite: true, bufferBytes });
}

/** The floor: nothing is checked, and a failure leaves both open. */
async function bare(source: Deno.TcpConn, target: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(262_144);
  for (let count; (count = await source.read(buffer)) !== null;) {
    await writeAll(target, buffer, count);
  }
  await target.closeWrite();
}

/** The same, but the next read is under way while the last one is written. */
async function ahead(source: Deno.TcpConn, target: Deno.TcpConn): Promise<void> {
  let buffer = new Uint8Array(262_144);
  let other = new Uint8Array(262_144);
  let count = await source.read(buffer);
  while (count !== null) {
    const reading = source.read(other);
    await writeAll(target, buffer, count);
    count = await reading;
    [buffer, other] = [other, buffer];
  }
  await target.closeWrite();
}

async function writeAll(target: Deno.TcpConn, buffer: Uint8Array, count: number): Promise<void> {
  let offset = 0;
  while (offset < count) offset += await target.write(buffer.subarray(offset, count));
}

if (import.meta.main) {
  const move = RIVALS[Deno.args[0]!]!;
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  console.log(listener.addr.port);
  for (;;) {
    const source = await listener.accept();
    const target = await listener.accept();
    await move(source, target);
    // `pipeTo` has closed them.
    closeQuietly(source);
    closeQuietly(target);
  }
}
