/**
 * A DNS server over UDP and TCP on one port of the loopback interface that answers by a script: for
 * each query a function decides what is sent back, how often, when and from where.
 */

import { type DecodedMessage, decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import { frameMessage, MessageDeframer } from "../../dns/tcp_framing.ts";
import type { DatagramSocket } from "../../nbio/datagram_socket.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { bindUdp } from "../../nbio/udp.ts";

/** A query that came, and the way back. */
export interface ScriptedQuery {
  /** The query as it came. */
  readonly bytes: Uint8Array;
  /** The query, decoded. */
  readonly message: DecodedMessage;
  /** What it came over. */
  readonly over: "udp" | "tcp";
  /** How many queries came before it, over anything. */
  readonly index: number;
  /** Who sent it. */
  readonly from: Deno.NetAddr;
  /** The connection it came over. */
  readonly connection?: Deno.TcpConn | undefined;
  /** Sends a message back; over TCP with its length. */
  send(bytes: Uint8Array): Promise<void>;
  /** Sends bytes over TCP as they are, or a datagram from another port. */
  sendOddly(bytes: Uint8Array): Promise<void>;
}

/** What is done with a query. Errors of sending are nobody's business. */
export type DnsScript = (query: ScriptedQuery) => void | Promise<void>;

/** Options of {@linkcode ScriptedDnsServer.open}. */
export interface ScriptedDnsServerOptions {
  /** Address of the loopback interface. @default "127.0.0.1" */
  readonly hostname?: string;
  /** What is done with a connection instead of reading queries from it. */
  readonly onConnection?: (connection: Deno.TcpConn) => void | Promise<void>;
  /** Whether nobody listens on TCP. @default false */
  readonly withoutTcp?: boolean;
}

/** A running server. */
export class ScriptedDnsServer implements AsyncDisposable {
  /** All queries that could be read, in order. */
  readonly queries: ScriptedQuery[] = [];
  /** How many connections came. */
  connectionCount = 0;
  readonly #script: DnsScript;
  readonly #options: ScriptedDnsServerOptions;
  readonly #udp: DatagramSocket;
  readonly #other: DatagramSocket;
  readonly #tcp: Deno.TcpListener | undefined;
  readonly #connections: Set<Deno.TcpConn> = new Set();
  readonly #tasks: Promise<void>[] = [];

  private constructor(
    script: DnsScript,
    options: ScriptedDnsServerOptions,
    sockets: { udp: DatagramSocket; other: DatagramSocket; tcp: Deno.TcpListener | undefined },
  ) {
    this.#script = script;
    this.#options = options;
    this.#udp = sockets.udp;
    this.#other = sockets.other;
    this.#tcp = sockets.tcp;
    this.#tasks.push(this.#serveUdp());
    if (sockets.tcp) this.#tasks.push(this.#serveTcp(sockets.tcp));
  }

  /** Opens one on a port that is free for UDP and TCP. */
  static async open(
    script: DnsScript,
    options: ScriptedDnsServerOptions = {},
  ): Promise<ScriptedDnsServer> {
    const { hostname = "127.0.0.1", withoutTcp = false } = options;
    for (;;) {
      const tcp = Deno.listen({ hostname, port: 0 });
      try {
        const udp = await bindUdp({ hostname, port: tcp.addr.port });
        const other = await bindUdp({ hostname });
        if (withoutTcp) tcp.close();
        const sockets = { udp, other, tcp: withoutTcp ? undefined : tcp };
        return new ScriptedDnsServer(script, options, sockets);
      } catch (error) {
        tcp.close();
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      }
    }
  }

  /** Where it is. */
  get address(): { readonly address: string; readonly port: number } {
    const { hostname, port } = this.#udp.localAddr;
    return { address: hostname, port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close();
    this.#other.close();
    this.#tcp?.close();
    for (const connection of this.#connections) closeQuietly(connection);
    await Promise.allSettled(this.#tasks);
  }

  async #serveUdp(): Promise<void> {
    for await (const { bytes, from } of this.#udp) {
      this.#handle(bytes, {
        over: "udp",
        from,
        send: (answer) => this.#udp.send(answer, from),
        sendOddly: (answer) => this.#other.send(answer, from),
      });
    }
  }

  async #serveTcp(listener: Deno.TcpListener): Promise<void> {
    for await (const connection of listener) {
      this.connectionCount++;
      this.#connections.add(connection);
      const { onConnection } = this.#options;
      const served = onConnection ? onConnection(connection) : this.#serveConnection(connection);
      this.#tasks.push(Promise.resolve(served).catch(() => {}));
    }
  }

  async #serveConnection(connection: Deno.TcpConn): Promise<void> {
    const deframer = new MessageDeframer();
    const buffer = new Uint8Array(65_537);
    try {
      for (let count; (count = await connection.read(buffer)) !== null;) {
        deframer.receive(buffer.subarray(0, count));
        for (let bytes; (bytes = deframer.next()) !== undefined;) {
          this.#handle(bytes, {
            over: "tcp",
            from: connection.remoteAddr as Deno.NetAddr,
            connection,
            send: (answer) => sendAll(connection, frameMessage(answer)),
            sendOddly: (answer) => sendAll(connection, answer),
          });
        }
      }
    } finally {
      this.#connections.delete(connection);
      closeQuietly(connection);
    }
  }

  #handle(
    bytes: Uint8Array,
    way: Pick<ScriptedQuery, "over" | "from" | "connection" | "send" | "sendOddly">,
  ): void {
    const message = decodeMessage(bytes);
    const query = { bytes, message, index: this.queries.length, ...way };
    this.queries.push(query);
    this.#tasks.push(Promise.try(this.#script, query).catch(() => {}));
  }
}

/** The response to a query with the given parts; an OPT record where the query has one. */
export function respond(query: ScriptedQuery, parts: MessageInit = {}): Uint8Array<ArrayBuffer> {
  const { id, questions, edns } = query.message;
  return encodeMessage({
    id,
    response: true,
    recursionDesired: true,
    recursionAvailable: true,
    questions,
    ...(edns === undefined ? {} : { edns: { ...edns, options: [] } }),
    ...parts,
  });
}

/** A record of type A. */
export function addressRecord(
  name: string,
  address: string,
  ttl = 300,
): ResourceRecord {
  return address.includes(":")
    ? { name, type: "AAAA", class: "IN", ttl, data: { address } }
    : { name, type: "A", class: "IN", ttl, data: { address } };
}

/** The honest answer: 192.0.2.1 or 2001:db8::1, and nothing of other types. */
export function honestAnswer(query: ScriptedQuery): Uint8Array<ArrayBuffer> {
  const { name, type } = query.message.questions[0]!;
  if (type === "A") return respond(query, { answers: [addressRecord(name, "192.0.2.1")] });
  if (type === "AAAA") return respond(query, { answers: [addressRecord(name, "2001:db8::1")] });
  return respond(query);
}
