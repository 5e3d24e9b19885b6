// The process that asks. Each line of stdin is a command in JSON, each is answered with a line.
// It needs `--unstable-net`, because it should cost less than what it measures.
import { LineReader } from "../_support/line_reader.ts";

/** Clients, each with a socket of its own and one datagram on its way. */
const CLIENT_COUNT = 50;

/** Milliseconds after which an echo is lost: the loopback loses none unless a queue is full. */
const PATIENCE_MS = 10_000;

/** What the loader is told: how many echoes, of how many bytes, from which port. */
export interface LoaderCommand {
  readonly port: number;
  readonly count: number;
  readonly byteCount: number;
}

/** What it answers. */
export interface LoaderReply {
  /** Milliseconds it took. */
  readonly elapsedMs: number;
}

async function askRepeatedly(
  socket: Deno.DatagramConn,
  { port, byteCount }: LoaderCommand,
  count: number,
): Promise<void> {
  const server = { transport: "udp", hostname: "127.0.0.1", port } as const;
  const question = new Uint8Array(byteCount).map((_, index) => index);
  const buffer = new Uint8Array(65_536);
  for (let asked = 0; asked < count; asked++) {
    await socket.send(question, server);
    const [answer] = await socket.receive(buffer);
    if (answer.length !== byteCount || answer.at(-1) !== question.at(-1)) {
      throw new Error("The server does not echo");
    }
  }
}

async function obey(command: LoaderCommand): Promise<LoaderReply> {
  const sockets = Array.from(
    { length: CLIENT_COUNT },
    () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
  );
  // Interrupts what waits, and with it the run.
  const timer = setTimeout(() => sockets.forEach((socket) => socket.close()), PATIENCE_MS);
  const start = performance.now();
  const each = Math.ceil(command.count / CLIENT_COUNT);
  await Promise.all(sockets.map((socket) => askRepeatedly(socket, command, each)));
  clearTimeout(timer);
  for (const socket of sockets) socket.close();
  return { elapsedMs: performance.now() - start };
}

if (import.meta.main) {
  const lines = new LineReader(Deno.stdin.readable);
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    console.log(JSON.stringify(await obey(JSON.parse(line))));
  }
}
