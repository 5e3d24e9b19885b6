import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import type { Message, ResourceRecord } from "../../dns/message.ts";
import { frameMessage, MessageDeframer } from "../../dns/tcp_framing.ts";
import type { DatagramSocket } from "../../nbio/datagram_socket.ts";
import { sendAll } from "../../nbio/send_all.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import type { NameZone } from "./name_zone.ts";
import type { StreamListener } from "./stream_listener.ts";
import type { Service, World, WorldHost } from "./world.ts";

export const NAME_PORT = 53;
const FORGED = "198.51.100.66";
/** A server that took over the address of another; an attacker's, that is. */
const STRANGER: Deno.NetAddr = { transport: "udp", hostname: "203.0.113.9", port: NAME_PORT };

/** How a name server behaves. */
export interface NameHabits {
  /** How often it says nothing. */
  readonly silentChance: number;
  /** How often it says that it cannot say. */
  readonly failChance: number;
  /** Whether somebody answers in its place, faster, and guesses what he cannot know. */
  readonly isSpoofed: boolean;
}

/** A name server over datagrams and streams. */
export class NameService implements Service {
  readonly host: WorldHost;
  readonly #world: World;
  readonly #zone: NameZone;
  readonly #habits: NameHabits;
  readonly #random: SeededRandom;
  readonly #open = new Set<Transport>();
  #socket: DatagramSocket | undefined;
  #listener: StreamListener | undefined;
  #serving: Promise<unknown> = Promise.resolve();

  constructor(world: World, host: WorldHost, zone: NameZone, habits: NameHabits) {
    this.host = host;
    this.#world = world;
    this.#zone = zone;
    this.#habits = habits;
    this.#random = world.random.fork();
  }

  start(): void {
    this.#listener = this.#world.streams.listen(this.host.address, NAME_PORT);
    this.#serving = Promise.all([this.#serveDatagrams(), this.#serveStreams(this.#listener)]);
  }

  async stop(): Promise<void> {
    this.#socket?.close();
    this.#listener?.close();
    for (const transport of this.#open) closeQuietly(transport);
    await this.#serving;
  }

  async #serveDatagrams(): Promise<void> {
    const { address } = this.host;
    const socket = await this.host.datagrams.bind({ hostname: address, port: NAME_PORT });
    this.#socket = socket;
    for await (const { bytes, from } of socket) {
      const query = decodeMessage(bytes);
      if (this.#habits.isSpoofed) this.#spoof(query, from);
      const isTruncated = this.#zone.isLarge(query.questions[0]!);
      const parts = isTruncated ? { truncated: true } : this.#answer(query);
      // It may have died of it.
      if (parts !== undefined) await socket.send(respond(query, parts), from).catch(() => {});
    }
  }

  async #serveStreams(listener: StreamListener): Promise<void> {
    const tasks: Promise<void>[] = [];
    try {
      for (;;) tasks.push(this.#serveStream(await listener.accept()));
    } catch {
      // Closed.
    }
    await Promise.all(tasks);
  }

  async #serveStream(transport: Transport): Promise<void> {
    this.#open.add(transport);
    const deframer = new MessageDeframer();
    const buffer = new Uint8Array(512);
    try {
      for (let count; (count = await transport.read(buffer)) !== null;) {
        deframer.receive(buffer.subarray(0, count));
        for (let bytes; (bytes = deframer.next()) !== undefined;) {
          const query = decodeMessage(bytes);
          const parts = this.#answer(query);
          if (parts !== undefined) await sendAll(transport, frameMessage(respond(query, parts)));
        }
      }
    } catch {
      // The network, or the end.
    } finally {
      this.#open.delete(transport);
      closeQuietly(transport);
    }
  }

  #answer(query: Message): MessageInit | undefined {
    const { silentChance, failChance } = this.#habits;
    if (this.#random.chance(silentChance)) return undefined;
    if (this.#random.chance(failChance)) return { rcode: "SERVFAIL" };
    return this.#zone.answer(query.questions[0]!, this.#world.clock.now());
  }

  /** Everything but what only the server knows: id, question and address, one wrong at a time. */
  #spoof(query: Message, client: Deno.NetAddr): void {
    const { datagrams } = this.#world;
    const self: Deno.NetAddr = {
      transport: "udp",
      hostname: this.host.address,
      port: NAME_PORT,
    };
    const forge = (name: string): readonly ResourceRecord[] => [
      { name, type: "A", class: "IN", ttl: 3_600, data: { address: FORGED } },
    ];
    const [question] = query.questions;
    const answers = forge(question!.name);
    const otherId = { ...query, id: query.id ^ (1 + this.#random.int(0xffff)) };
    datagrams.spoof(self, client, respond(otherId, { answers }));
    datagrams.spoof(STRANGER, client, respond(query, { answers }));
    datagrams.spoof({ ...self, port: NAME_PORT + 1 }, client, respond(query, { answers }));
    const other = { ...question!, name: "other.sim." };
    const elsewhere = { ...query, questions: [other] };
    datagrams.spoof(self, client, respond(elsewhere, { answers: forge(other.name) }));
  }
}

function respond(query: Message, parts: MessageInit): Uint8Array<ArrayBuffer> {
  const { id, questions, edns } = query;
  return encodeMessage({
    id,
    questions,
    response: true,
    recursionDesired: true,
    recursionAvailable: true,
    ...edns !== undefined && { edns: { ...edns, options: [] } },
    ...parts,
  });
}
