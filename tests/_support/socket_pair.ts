import { connect, type Socket } from "node:net";

/** Two ends of a TCP connection over loopback: client, server. The caller closes both. */
export async function socketPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  return [client, await listener.accept()];
}

/**
 * A connection to a port of 127.0.0.1 whose `resetAndDestroy` sends a reset; closing a `Deno.Conn`
 * never does by itself. It reads nothing until told to.
 */
export async function connectToReset(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  const connected = Promise.withResolvers<void>();
  socket.once("connect", connected.resolve).once("error", connected.reject);
  await connected.promise;
  return socket.on("error", () => {});
}

/** A connection whose first end can be made to send a reset. */
export async function resettablePair(): Promise<[Socket, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, server] = await Promise.all([
    connectToReset(listener.addr.port),
    listener.accept(),
  ]);
  return [client, server];
}
