import { assertEquals } from "@std/assert";
import {
  messageId,
  PendingQueries,
  type PendingQuery,
  type QueryReceiver,
} from "../../dns/query_receiver.ts";

function message(id: number): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes[0] = id >>> 8;
  bytes[1] = id;
  return bytes;
}

/** Notes what it is offered, and takes what has the given last byte. */
function receiverOf(log: string[], takes = true): QueryReceiver {
  return {
    receiveMessage(tag, _bytes, { address, port }) {
      log.push(`${tag} ${address}#${port}`);
      return takes;
    },
    receiveFailure: () => {},
  };
}

Deno.test("PendingQueries.offer() offers a message to the query with its id alone", () => {
  const log: string[] = [];
  const queries = new PendingQueries();
  queries.add({ id: 0x1234, tag: 0, receiver: receiverOf(log) });
  queries.add({ id: 0x1235, tag: 1, receiver: receiverOf(log) });
  queries.offer(message(0x1235), "192.0.2.1", 53);
  queries.offer(message(0x9999), "192.0.2.1", 53);
  assertEquals(log, ["1 192.0.2.1#53"]);
});

Deno.test("PendingQueries.offer() drops what is shorter than a header", () => {
  const log: string[] = [];
  const queries = new PendingQueries();
  queries.add({ id: 0, tag: 0, receiver: receiverOf(log) });
  for (let length = 0; length < 12; length++) queries.offer(new Uint8Array(length), "::1", 53);
  assertEquals(log, []);
});

Deno.test("PendingQueries.offer() goes on to the next query with the id until one takes it", () => {
  const log: string[] = [];
  const queries = new PendingQueries();
  for (const [tag, takes] of [[0, false], [1, true], [2, true]] as const) {
    queries.add({ id: 7, tag, receiver: receiverOf(log, takes) });
  }
  queries.offer(message(7), "::1", 53);
  assertEquals(log, ["0 ::1#53", "1 ::1#53"]);
});

Deno.test("PendingQueries.delete() takes out one query and leaves those with the same id", () => {
  const log: string[] = [];
  const queries = new PendingQueries();
  const pending: PendingQuery[] = [0, 1, 2].map((tag) => (
    { id: 7, tag, receiver: receiverOf(log, false) }
  ));
  for (const query of pending) queries.add(query);
  assertEquals(queries.delete(pending[1]!), true);
  assertEquals(queries.delete(pending[1]!), false);
  assertEquals(queries.size, 2);
  queries.offer(message(7), "::1", 53);
  assertEquals(queries.delete(pending[0]!), true);
  assertEquals(queries.delete(pending[2]!), true);
  assertEquals(queries.delete(pending[2]!), false);
  assertEquals([queries.size, log], [0, ["0 ::1#53", "2 ::1#53"]]);
});

Deno.test("PendingQueries.takeAll() empties the list", () => {
  const queries = new PendingQueries();
  for (const tag of [0, 1, 2]) queries.add({ id: tag >> 1, tag, receiver: receiverOf([]) });
  assertEquals(queries.takeAll().map(({ tag }) => tag), [0, 1, 2]);
  assertEquals([queries.size, queries.takeAll()], [0, []]);
});

Deno.test("messageId() reads the first two bytes", () => {
  assertEquals(messageId(message(0xabcd)), 0xabcd);
});

Deno.test("PendingQueries.offerStray() offers a message to all, whoever takes it", () => {
  const log: string[] = [];
  const queries = new PendingQueries();
  for (const tag of [0, 1, 2]) queries.add({ id: tag >> 1, tag, receiver: receiverOf(log) });
  queries.offerStray(message(9), "192.0.2.1", 53);
  assertEquals(log, ["0 192.0.2.1#53", "1 192.0.2.1#53", "2 192.0.2.1#53"]);
  assertEquals(queries.size, 3);
});

Deno.test("PendingQueries.offerStray() survives a receiver that ends its query", () => {
  const log: string[] = [];
  const queries = new PendingQueries();
  const pending: PendingQuery[] = [0, 1].map((tag) => ({
    id: 7,
    tag,
    receiver: {
      receiveMessage(): boolean {
        log.push(`${tag}`);
        return queries.delete(pending[tag]!);
      },
      receiveFailure: () => {},
    },
  }));
  for (const query of pending) queries.add(query);
  queries.offerStray(message(9), "::1", 53);
  assertEquals([log, queries.size], [["0", "1"], 0]);
});
