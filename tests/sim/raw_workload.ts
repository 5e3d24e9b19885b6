import type { Context } from "../../http/server_context.ts";
import { sendAll } from "../../nbio/send_all.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { extraBytes, isSame, joinBytes } from "./http_plan.ts";
import { HttpService } from "./http_service.ts";
import type { NameServers } from "./name_servers.ts";
import { isOfNetwork } from "./outcomes.ts";
import { answerRaw } from "./raw_server.ts";
import { receiveAll, receiveToEnd, requestHead } from "./raw_stream.ts";
import { check } from "./simulation_error.ts";
import type { World, WorldHost } from "./world.ts";

const PORT = 80;
/** Ports of servers that are there for one client. */
const FIRST_OWN_PORT = 8_000;
/** Long enough for every link. */
const GRACE_MS = 20_000;
const MAX_PIPELINED = 12;
const MAX_CLIENT_COUNT = 5;
const HEAD_TIMEOUT_MS = 2_000;
const BODY_TIMEOUT_MS = 1_500;
const IDLE_TIMEOUT_MS = 7_000;
/** What a wheel, a link and last words may add to a deadline. */
const LATE_MS = 4_000;
const MAX_HEAD_BYTES = 1_024;

/**
 * Clients that speak to a server without our client: many requests at once, other protocols behind
 * an upgrade, heads at the limit, and some that fall silent in the middle.
 */
export class RawWorkload {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #server: WorldHost;

  constructor(world: World, names: NameServers, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
    this.#server = names.host("raw.sim");
    const options = {
      headTimeoutMs: HEAD_TIMEOUT_MS,
      bodyTimeoutMs: BODY_TIMEOUT_MS,
      writeTimeoutMs: 5_000,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      maxHeaderBytes: MAX_HEAD_BYTES,
      maxPipelinedRequests: random.between(1, 8),
    };
    const handler = (ctx: Context): Promise<void> => answerRaw(world, ctx);
    world.run(new HttpService(world, { host: this.#server, port: PORT, handler }, options));
  }

  /** Runs all clients. */
  async run(): Promise<void> {
    const count = this.#random.between(1, MAX_CLIENT_COUNT);
    await Promise.all(Array.from({ length: count }, async (_, index) => {
      const random = this.#random.fork();
      await this.#world.sleep(random.int(1_000));
      const label = `raw ${index}`;
      const act = random.weighted([
        [() => this.#pipeline(label, random), 4],
        [() => this.#upgrade(label, random), 3],
        [() => this.#headAtLimit(label, random), 2],
        [() => this.#silence(label, random), 2],
        [() => this.#shutdown(label, random, FIRST_OWN_PORT + index), 2],
      ]);
      await act();
    }));
  }

  async #pipeline(label: string, random: SeededRandom): Promise<void> {
    const count = random.between(2, MAX_PIPELINED);
    const ids = Array.from({ length: count }, (_, at) => `${at}-${random.int(1_000_000)}`);
    const bodies = ids.map(() => random.bytes(random.int(2) * random.length(300)));
    const requests = ids.map((id, at) =>
      joinBytes([
        bytesOf(requestHead(`POST /${random.pick(["now", "later"])}?id=${id}`, [
          `Content-Length: ${bodies[at]!.length}`,
          ...at + 1 === count ? ["Connection: close"] : [],
        ])),
        bodies[at]!,
      ])
    );
    await this.#talk(`${label} pipelines ${count}`, async (transport) => {
      const sending = sendAll(transport, joinBytes(requests)).catch(() => {});
      const { responses, rest } = await receiveAll(transport, count);
      await sending;
      check(rest.length === 0, `${rest.length} bytes behind the last response`);
      responses.forEach((response, at) => {
        this.#checkComplete(response.status !== 408, "a deadline that passed");
        check(response.status === 200, `status ${response.status}`);
        check(
          fieldOf(response, "x-id") === ids[at],
          "a response out of its order",
          response.fields,
        );
        const wanted = joinBytes([bodies[at]!, extraBytes(ids[at]!, 20)]);
        check(isSame(bytesOf(response.body), wanted), "a body that is not its own", response);
      });
      this.#checkComplete(responses.length === count, `${responses.length} of ${count} responses`);
      const last = fieldOf(responses.at(-1)!, "connection");
      check(last === "close", `${last} where the connection is closed`);
      return "all in order";
    });
  }

  async #upgrade(label: string, random: SeededRandom): Promise<void> {
    const early = random.bytes(random.int(2) * random.length(600));
    const late = random.bytes(random.length(2_000));
    await this.#talk(`${label} upgrades`, async (transport) => {
      const fields = ["Connection: upgrade", "Upgrade: echo"];
      const send = async (): Promise<void> => {
        // Sent in one go: bytes of the next protocol must not get lost behind the request.
        await sendAll(transport, joinBytes([bytesOf(requestHead("GET /echo", fields)), early]));
        await sendAll(transport, late);
        await transport.closeWrite();
      };
      const [bytes] = await Promise.all([receiveToEnd(transport), send().catch(() => {})]);
      const headEnd = textOf(bytes).indexOf("\r\n\r\n") + 4;
      const head = textOf(bytes.subarray(0, headEnd));
      this.#checkComplete(head !== "", "no response");
      check(head.startsWith("HTTP/1.1 101 "), "no upgrade", head);
      const echoed = bytes.subarray(headEnd);
      const wanted = joinBytes([early, late]);
      const isPrefix = isSame(echoed, wanted.subarray(0, echoed.length));
      check(isPrefix, `an echo of ${early.length} and ${late.length} bytes that is another`);
      const { length } = echoed;
      this.#checkComplete(length === wanted.length, `an echo of ${length} bytes`);
      return "echoed";
    });
  }

  async #headAtLimit(label: string, random: SeededRandom): Promise<void> {
    const over = random.between(-1, 1);
    // What counts is the field lines with their ends.
    const fixed = "Host: raw.sim\r\nConnection: close\r\nX-Long: \r\n".length;
    const value = "v".repeat(MAX_HEAD_BYTES - fixed + over);
    const request = requestHead("GET /now?id=0-1", ["Connection: close", `X-Long: ${value}`]);
    await this.#talk(`${label} has a head of limit ${over}`, async (transport) => {
      await sendAll(transport, bytesOf(request));
      const { responses } = await receiveAll(transport, 1);
      const isIncomplete = responses.length === 0 || responses[0]!.status === 408;
      this.#checkComplete(!isIncomplete, "no response");
      const wanted = over > 0 ? 431 : 200;
      check(responses[0]?.status === wanted, `status ${responses[0]?.status}, not ${wanted}`);
      return `${wanted}`;
    });
  }

  /** Whoever falls silent is not waited for longer than the deadline of that phase. */
  async #silence(label: string, random: SeededRandom): Promise<void> {
    const [where, sent, timeoutMs] = random.pick(
      [
        ["before the head", "", HEAD_TIMEOUT_MS],
        ["in the head", "GET /now HTTP/1.1\r\nHost: r", HEAD_TIMEOUT_MS],
        [
          "in the body",
          requestHead("POST /now?id=0-1", ["Content-Length: 10"]) + "four",
          BODY_TIMEOUT_MS,
        ],
        ["behind a response", requestHead("GET /now?id=0-1", []), IDLE_TIMEOUT_MS],
      ] as const,
    );
    const isAnswered = where === "behind a response";
    await this.#talk(`${label} is silent ${where}`, async (transport) => {
      await sendAll(transport, bytesOf(sent));
      const bytes = await receiveToEnd(transport);
      const status = Number(textOf(bytes).slice(9, 12));
      this.#checkComplete(sent === "" || status !== 0, "no response");
      const wanted = isAnswered ? 200 : sent === "" ? 0 : 408;
      check(status === wanted, `status ${status}, not ${wanted}`);
      return `left after ${timeoutMs}`;
    }, { timeoutMs });
  }

  /** A server that is ended lets a request through that has come to a handler, and no other. */
  async #shutdown(label: string, random: SeededRandom, port: number): Promise<void> {
    const body = random.bytes(random.between(2, 1_000));
    const cut = random.between(1, body.length - 1);
    const entered = Promise.withResolvers<void>();
    const handler = (ctx: Context): Promise<void> => {
      entered.resolve();
      return answerRaw(this.#world, ctx);
    };
    const service = new HttpService(this.#world, { host: this.#server, port, handler }, {});
    service.start();
    const head = requestHead("POST /later?id=0-7", [`Content-Length: ${body.length}`]);
    await this.#talk(`${label} is shut down`, async (transport) => {
      await sendAll(transport, joinBytes([bytesOf(head), body.subarray(0, cut)]));
      // Where the request is lost nobody enters, and the caller loses patience.
      const reading = receiveAll(transport, 1);
      await Promise.race([entered.promise, reading]);
      const stopped = service.stop(GRACE_MS);
      sendAll(transport, body.subarray(cut)).catch(() => {});
      const { responses } = await reading;
      this.#checkComplete(responses[0]?.status === 200, "no answer to what was under way");
      const wanted = joinBytes([body, extraBytes("0-7", 20)]);
      check(isSame(bytesOf(responses[0]!.body), wanted), "a body that is not its own");
      check(fieldOf(responses[0]!, "connection") === "close", "a connection that stays");
      await stopped;
      return "answered to the end";
    }, { port });
    await service.stop(0);
  }

  /** What a bad link may break off is whole on a good one. */
  #checkComplete(isComplete: boolean, problem: string): void {
    check(isComplete || !this.#world.isCalm, problem);
    if (!isComplete) throw new Deno.errors.UnexpectedEof("The stream ended in the middle");
  }

  async #talk(
    label: string,
    talk: (transport: Transport) => Promise<string>,
    { port = PORT, timeoutMs }: { readonly port?: number; readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const host = this.#world.host("rawclient");
    const { clock, isCalm } = this.#world;
    await this.#world.operation(label, async () => {
      const abort = new AbortController();
      let transport: Transport | undefined;
      const patience = clock.setTimer(() => {
        abort.abort(new Deno.errors.TimedOut("The caller lost patience"));
        if (transport !== undefined) closeQuietly(transport);
      }, 30_000);
      try {
        const to = { transport: "tcp", hostname: this.#server.address, port } as const;
        transport = await host.connect(to, { signal: abort.signal });
        const beginMs = clock.now();
        const outcome = await talk(transport);
        const tookMs = clock.now() - beginMs;
        const isInTime = timeoutMs === undefined || !isCalm || tookMs <= timeoutMs + LATE_MS;
        check(isInTime, `a wait of ${tookMs} ms: ${label}`);
        return outcome;
      } catch (error) {
        check(!(isCalm && abort.signal.aborted), `a wait without end: ${label}`);
        if (isCalm || !isOfNetwork(error)) throw error;
        return "broken off";
      } finally {
        clock.clearTimer(patience);
        if (transport !== undefined) closeQuietly(transport);
      }
    });
  }
}
