import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import { frameMessage, MessageDeframer } from "../../dns/tcp_framing.ts";
import type { DatagramSocket } from "../../nbio/datagram_socket.ts";
import { sendAll } from "../../nbio/send_all.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { bindUdp } from "../../nbio/udp.ts";

const HOSTNAME = "127.0.0.1";
/** What every name is said to have. */
export const SOAK_ADDRESS = "192.0.2.1";

/** A name server over real sockets that is silent now and then, fails, or cuts its answer short. */
export class SoakNameServer implements AsyncDisposable {
  readonly #random: SeededRandom;
  readonly #udp: DatagramSocket;
  readonly #tcp: Deno.TcpListener;
  readonly #open = new Map<Transport, Promise<void>>();
  readonly #serving: Promise<unknown>;

  private constructor(random: SeededRandom, udp: DatagramSocket, tcp: Deno.TcpListener) {
    this.#random = random;
    this.#udp = udp;
    this.#tcp = tcp;
    this.#serving = Promise.all([this.#serveDatagrams(), this.#serveStreams()]);
  }

  /** Starts one on a port that is free for both. */
  static async start(random: SeededRandom): Promise<SoakNameServer> {
    for (;;) {
      const tcp = Deno.listen({ hostname: HOSTNAME, port: 0 });
      try {
        const udp = await bindUdp({ hostname: HOSTNAME, port: tcp.addr.port });
        return new SoakNameServer(random, udp, tcp);
      } catch (error) {
        tcp.close();
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      }
    }
  }

  /** Where it is. */
  get address(): { readonly address: string; readonly port: number } {
    return { address: HOSTNAME, port: this.#tcp.addr.port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close();
    this.#tcp.close();
    for (const connection of this.#open.keys()) closeQuietly(connection);
    await this.#serving;
    await Promise.all(this.#open.values());
  }

  async #serveDatagrams(): Promise<void> {
    for await (const { bytes, from } of this.#udp) {
      const answer = this.#answer(bytes, true);
      if (answer !== undefined) await this.#udp.send(answer, from).catch(() => {});
    }
  }

  async #serveStreams(): Promise<void> {
    for await (const connection of this.#tcp) {
      const served = this.#serveStream(connection).finally(() => this.#open.delete(connection));
      this.#open.set(connection, served);
    }
  }

  async #serveStream(connection: Transport): Promise<void> {
    const deframer = new MessageDeframer();
    const buffer = new Uint8Array(512);
    try {
      for (let count; (count = await connection.read(buffer)) !== null;) {
        deframer.receive(buffer.subarray(0, count));
        for (let bytes; (bytes = deframer.next()) !== undefined;) {
          const answer = this.#answer(bytes, false);
          if (answer !== undefined) await sendAll(connection, frameMessage(answer));
        }
      }
    } catch {
      // The resolver has left.
    } finally {
      closeQuietly(connection);
    }
  }

  #answer(bytes: Uint8Array, mayCut: boolean): Uint8Array<ArrayBuffer> | undefined {
    const { id, questions, edns } = decodeMessage(bytes);
    const kind = this.#random.weighted([["honest", 90], ["silent", 2], ["fails", 3], ["cut", 5]]);
    if (kind === "silent") return undefined;
    const { name } = questions[0]!;
    const answers = [
      { name, type: "A", class: "IN", ttl: 300, data: { address: SOAK_ADDRESS } },
    ] as const;
    const parts: MessageInit = kind === "fails"
      ? { rcode: "SERVFAIL" }
      : kind === "cut" && mayCut
      ? { truncated: true }
      : { answers };
    const given = edns === undefined ? {} : { edns: { ...edns, options: [] } };
    const flags = { response: true, recursionDesired: true, recursionAvailable: true };
    return encodeMessage({ id, questions, ...flags, ...given, ...parts });
  }
}
