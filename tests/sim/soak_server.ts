import { serve } from "../../http/serve.ts";
import type { HttpServer } from "../../http/serve.ts";
import type { Context } from "../../http/server_context.ts";
import { dial as dialTransport } from "../../nbio/dial.ts";
import type { Connect } from "../../nbio/dial_connect.ts";
import { faultTransport } from "../../nbio/testing_fault_transport.ts";
import { randomFaults } from "../../nbio/testing_faults.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { upgrade } from "../../websocket/upgrade.ts";
import { LEAF_CERT, LEAF_KEY } from "../_support/tls_server.ts";
import { SoakNameServer } from "./soak_name_server.ts";

const FAULT_SHARE = 0.05;
const MAX_FAULT_BYTES = 20_000;
/** Deadlines short enough that a stalled connection is soon over. */
const TIMEOUTS = {
  headTimeoutMs: 3_000,
  bodyTimeoutMs: 2_000,
  writeTimeoutMs: 2_000,
  idleTimeoutMs: 20_000,
} as const;

/** What a soak talks to: HTTP and WebSocket in the clear and over TLS, and a name server. */
export class SoakServers implements AsyncDisposable {
  readonly plain: HttpServer;
  readonly secure: HttpServer;
  readonly names: SoakNameServer;

  private constructor(names: SoakNameServer) {
    const address = { hostname: "127.0.0.1", port: 0, onError: () => {}, ...TIMEOUTS };
    this.plain = serve(answer, address);
    this.secure = serve(answer, { ...address, tls: { cert: LEAF_CERT, key: LEAF_KEY } });
    this.names = names;
  }

  /** Starts all of them. */
  static async start(seed: number): Promise<SoakServers> {
    const names = await SoakNameServer.start(new SeededRandom(seed));
    return new SoakServers(names);
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.plain.stats().connectionCount + this.secure.stats().connectionCount;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.plain, this.secure].map((server) => server.shutdown({ graceMs: 500 })));
    await this.names[Symbol.asyncDispose]();
  }
}

/** Connects to a port of the loopback interface; one connection in twenty comes to grief. */
export function faultyConnect(random: SeededRandom): Connect {
  return async (address, { signal }) => {
    const { port } = address as Deno.NetAddr;
    const transport = await dialTransport({ hostname: "127.0.0.1", port, signal });
    if (!random.chance(FAULT_SHARE)) return transport;
    const seed = random.int(2 ** 31);
    const faults = randomFaults(seed, { maxBytes: MAX_FAULT_BYTES, maxDelayMs: 5 });
    return faultTransport(transport, { ...faults, maxLogCount: 0 });
  };
}

async function answer(ctx: Context): Promise<void> {
  if (ctx.path === "/socket") {
    const socket = await upgrade(ctx, { silenceTimeoutMs: 3_000, pongTimeoutMs: 2_000 });
    try {
      for await (const { data } of socket) await socket.send(data);
    } catch {
      // The client counts what came of it.
    }
    return;
  }
  ctx.set("x-id", ctx.query.get("id") ?? "");
  ctx.bytes(await ctx.body.bytes());
}
