// The process under test: sends a file to everybody who connects, and closes.
// `deno run -A send_file_sender.ts RIVAL PATH` prints its port.
import { sendFile } from "../../../nbio/send_file.ts";

type Send = (target: Deno.TcpConn, path: string) => Promise<unknown>;

/** What is compared: each sends the whole file and ends the connection. */
function findRival(name: string): Send {
  const [kind, bytes] = name.split("-");
  if (kind === "pipe") return pipe;
  if (kind === "bare") return (target, path) => sendBare(target, path, Number(bytes ?? 2_097_152));
  const options = bytes === undefined ? {} : { bufferBytes: Number(bytes) };
  return async (target, path) => {
    await sendFile(target, path, options);
    await target.closeWrite();
  };
}

async function pipe(target: Deno.TcpConn, path: string): Promise<void> {
  const file = await Deno.open(path);
  await file.readable.pipeTo(target.writable);
}

/** The floor: one buffer, nothing read ahead, nothing checked. */
async function sendBare(target: Deno.TcpConn, path: string, byteCount: number): Promise<void> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(byteCount);
  for (let count; (count = await file.read(buffer)) !== null;) {
    let offset = 0;
    while (offset < count) offset += await target.write(buffer.subarray(offset, count));
  }
  await target.closeWrite();
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // `pipeTo` has closed what it was given.
  }
}

if (import.meta.main) {
  const [rival, path] = Deno.args;
  const send = findRival(rival!);
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  console.log(listener.addr.port);
  for await (const target of listener) {
    send(target, path!).then(() => closeQuietly(target));
  }
}
