import { Client } from "../../http/client.ts";
import type { ClientResponse } from "../../http/client_response.ts";
import type { ClientOptions, RequestOptions } from "../../http/client_settings.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { gatewayHandler } from "./http_gateway.ts";
import { type HandledCounts, originHandler } from "./http_origin.ts";
import {
  drawPlan,
  type HttpPlan,
  isSame,
  isSentOnce,
  isTooLarge,
  joinBytes,
  targetOf,
  wantedBody,
} from "./http_plan.ts";
import { HttpService } from "./http_service.ts";
import type { NameServers } from "./name_servers.ts";
import { failureOf } from "./outcomes.ts";
import { check } from "./simulation_error.ts";
import type { World } from "./world.ts";

const GATEWAY_PORT = 80;
const MAX_CALL_COUNT = 10;
/** How long a caller waits for all of it, where the links are bad. */
const PATIENCE_MS = 20_000;
/** How our servers refuse what came to grief on its way, or what they cannot pass on. */
const REFUSALS: readonly number[] = [400, 408, 502];

/** Timeouts that end what a bad link has broken before the run becomes long. */
const SHORT_SERVER_TIMEOUTS: ServeOptions = {
  headTimeoutMs: 3_000,
  bodyTimeoutMs: 3_000,
  writeTimeoutMs: 3_000,
  idleTimeoutMs: 9_000,
};
const SHORT_CLIENT_TIMEOUTS: ClientOptions = {
  queueTimeoutMs: 6_000,
  resolveTimeoutMs: 3_000,
  connectTimeoutMs: 3_000,
  firstByteTimeoutMs: 4_000,
  bodyTimeoutMs: 3_000,
  writeTimeoutMs: 3_000,
};

/** The web of a world: origins, a gateway in front of them, and clients. */
export class HttpWorkload {
  readonly #world: World;
  readonly #names: NameServers;
  readonly #random: SeededRandom;
  readonly #handled: HandledCounts = new Map();
  readonly #authorities: string[] = [];
  readonly #maxBodyBytes: number;

  constructor(world: World, names: NameServers, random: SeededRandom) {
    this.#world = world;
    this.#names = names;
    this.#random = random;
    this.#maxBodyBytes = random.between(100, 3_000);
    const serverOptions: ServeOptions = {
      ...!world.isCalm && SHORT_SERVER_TIMEOUTS,
      maxBodyBytes: this.#maxBodyBytes,
      // Idle connections take the place of others until they are closed: nothing for a calm day.
      maxConnections: world.isCalm ? 10_000 : random.pick([2, 10, 10_000]),
      maxRequestsPerConnection: random.pick([0, 0, random.between(1, 4)]),
    };
    // Several servers on a host: a connection belongs to one of them only.
    for (const [name, port] of [["a.sim", 80], ["a.sim", 8_080], ["b.sim", 80]] as const) {
      const host = names.host(name);
      const handler = originHandler(world, `${name}:${port}`, this.#handled);
      const service = new HttpService(world, { host, port, handler }, serverOptions);
      world.run(service);
      this.#authorities.push(service.authority);
    }
    const gateway = names.host("gateway.sim");
    const handler = gatewayHandler(this.#client("gateway.sim"));
    world.run(
      new HttpService(world, { host: gateway, port: GATEWAY_PORT, handler }, serverOptions),
    );
  }

  /** Makes all calls, and looks at each. */
  async run(): Promise<void> {
    const clientCount = this.#random.between(1, 2);
    await Promise.all(Array.from({ length: clientCount }, async (_, index) => {
      const client = this.#client(`client${index}`);
      const count = this.#random.between(1, MAX_CALL_COUNT);
      await Promise.all(Array.from({ length: count }, async (_, call) => {
        const own = this.#random.fork();
        const plan = drawPlan(own, `${index}.${call}`, this.#authorities, this.#maxBodyBytes);
        await this.#world.sleep(own.int(own.pick([5, 4_000])));
        await this.#call(client, plan, own);
      }));
    }));
  }

  #client(hostName: string): Client {
    const { clock, wheel, isCalm } = this.#world;
    const host = this.#world.host(hostName);
    const random = this.#random.fork();
    const maxConnectionsPerHost = random.pick([1, 2, 64]);
    const client = new Client({
      ...!isCalm && SHORT_CLIENT_TIMEOUTS,
      clock,
      wheel,
      connect: host.connect,
      resolver: this.#names.resolver(host),
      family: 4,
      maxConnectionsPerHost,
      retry: { random: () => random.next() },
    });
    this.#world.watch(() => {
      for (const { connections, dialing } of client.stats().perHost) {
        const count = connections + dialing;
        check(count <= maxConnectionsPerHost, `${count} of ${maxConnectionsPerHost} connections`);
      }
    });
    this.#world.onEnd(async () => {
      const { connections, idle, queued, dialing } = client.stats();
      const isQuiet = connections === idle && queued === 0 && dialing === 0;
      check(isQuiet, "a client that still waits", client.stats());
      await client.close();
    });
    return client;
  }

  async #call(client: Client, plan: HttpPlan, random: SeededRandom): Promise<void> {
    const isProxied = random.chance(0.35);
    const url = isProxied
      ? `http://gateway.sim/${plan.authority}${targetOf(plan)}`
      : `http://${plan.authority}${targetOf(plan)}`;
    const patience = new AbortController();
    const reason = new Error("The caller lost patience");
    const isCancelled = random.chance(0.1);
    const patienceMs = isCancelled ? random.length(1_000) : PATIENCE_MS;
    const isBounded = isCancelled || !this.#world.isCalm;
    const timer = isBounded
      ? this.#world.clock.setTimer(() => patience.abort(reason), patienceMs)
      : undefined;
    await this.#world.operation(`${plan.method} ${url}`, async () => {
      const options: RequestOptions = {
        signal: patience.signal,
        ...plan.upload.length > 0 && this.#bodyOf(plan, random),
      };
      try {
        await using response = await client.request(plan.method, url, options);
        return await this.#checkResponse(response, plan, random, isProxied);
      } catch (error) {
        if (error === reason) return "cancelled";
        // An upload that is refused early may find the connection gone before the answer.
        if (!isTooLarge(plan, this.#maxBodyBytes)) throw error;
        return failureOf(error);
      }
    });
    if (timer !== undefined) this.#world.clock.clearTimer(timer);
    const count = this.#handled.get(plan.id) ?? 0;
    check(count <= 1 || !isSentOnce(plan), `a request that was handled ${count} times`, plan);
  }

  #bodyOf({ upload }: HttpPlan, random: SeededRandom): RequestOptions {
    const expectContinue = random.chance(0.2);
    if (random.chance(0.5)) return { body: upload, expectContinue };
    return { body: this.#pieces(upload, random.fork()), expectContinue };
  }

  async *#pieces(bytes: Uint8Array, random: SeededRandom): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + random.length(600));
      if (random.chance(0.1)) await this.#world.sleep(random.length(200));
      yield bytes.subarray(at, end);
      at = end;
    }
  }

  async #checkResponse(
    response: ClientResponse,
    plan: HttpPlan,
    random: SeededRandom,
    isProxied: boolean,
  ): Promise<string> {
    const { status, headers } = response;
    if (isTooLarge(plan, this.#maxBodyBytes)) {
      check(status === 413 || (isProxied && status === 502), `status ${status}, not 413`, plan);
      return `${status}`;
    }
    const id = headers.get("x-id");
    if (id === undefined && !this.#world.isCalm && REFUSALS.includes(status)) return `${status}`;
    check(id === plan.id, `a response to ${id}`, { plan, status });
    check(headers.get("x-site") === plan.authority, "a response of another server", plan);
    check(headers.get("x-method") === plan.method, "another method", plan);
    check(status === plan.status, `status ${status}`, plan);
    check(this.#handled.has(plan.id), "a response that nobody gave", plan);
    if (random.chance(0.1)) return `${status}, not read`;
    const body = random.chance(0.5) ? await response.bytes() : await this.#read(response, random);
    check(isSame(body, wantedBody(plan)), `a body of ${body.length} bytes`, plan);
    return `${status}`;
  }

  async #read(response: ClientResponse, random: SeededRandom): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of response) {
      pieces.push(piece);
      if (random.chance(0.1)) await this.#world.sleep(random.length(100));
    }
    return joinBytes(pieces);
  }
}
