/**
 * A DNS server that says 192.0.2.1 to everything, with as little work as can be: for
 * `tests/bench/dns/resolver.ts`. Prints its port. Needs `--unstable-net`.
 */

/** Compressed owner, A, IN, 300 s, 192.0.2.1. */
const RECORD = new Uint8Array([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1]);

/** The answer to a query: its header and question, and a record behind them. */
function answer(query: Uint8Array): Uint8Array {
  let end = 12;
  while (query[end] !== 0) end += query[end]! + 1;
  end += 5;
  const bytes = new Uint8Array(end + RECORD.length);
  bytes.set(query.subarray(0, end));
  bytes.set(RECORD, end);
  // QR, RD, RA; one question, one record.
  bytes.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2);
  return bytes;
}

const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
console.log((socket.addr as Deno.NetAddr).port);
for await (const [query, from] of socket) await socket.send(answer(query), from);
