// The floor: a read/write loop that answers fixed bytes to every empty line it reads.
// `deno run -A server_bare.ts ROUTE` prints its port. It knows the routes without a body.
import { GREETING, largeBody } from "./payloads.ts";

/** As many requests as a loader may pipeline. */
const MAX_BATCH = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const body = Deno.args[0] === "large" ? largeBody() : encoder.encode(GREETING);
const head = encoder.encode(
  "HTTP/1.1 200 OK\r\n" +
    "content-type: text/plain; charset=utf-8\r\n" +
    `date: ${new Date().toUTCString()}\r\n` +
    `content-length: ${body.length}\r\n\r\n`,
);
const size = head.length + body.length;
const answers = new Uint8Array(size * MAX_BATCH);
for (let i = 0; i < MAX_BATCH; i++) {
  answers.set(head, i * size);
  answers.set(body, i * size + head.length);
}

function endOfHead(bytes: Uint8Array): number {
  return decoder.decode(bytes).indexOf("\r\n\r\n") + 4;
}

/** Requests are whole when they arrive and as long as the first, so that length counts them. */
async function answer(connection: Deno.TcpConn): Promise<void> {
  // A thousand buffers of 16 KiB do not fit the caches, which showed in the figures.
  const buffer = new Uint8Array(1_024);
  let requestLength = 0;
  try {
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) break;
      requestLength ||= endOfHead(buffer);
      const bytes = answers.subarray(0, size * Math.round(count / requestLength));
      let written = await connection.write(bytes);
      while (written < bytes.length) written += await connection.write(bytes.subarray(written));
    }
  } catch (error) {
    // The loader closes where it pleases.
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    connection.close();
  }
}

const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
console.log(listener.addr.port);
for await (const connection of listener) {
  connection.setNoDelay(true);
  answer(connection);
}
