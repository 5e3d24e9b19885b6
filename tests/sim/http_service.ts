import { HttpServer } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Handler } from "../../http/server_shared.ts";
import { check } from "./simulation_error.ts";
import type { Service, World, WorldHost } from "./world.ts";

/** A wheel may be late, and last words take their time. */
const LATE_MS = 2_000;

/** A server of ours on a host, which can be ended and started again. */
export class HttpService implements Service {
  readonly host: WorldHost;
  readonly port: number;
  readonly #world: World;
  readonly #handler: Handler;
  readonly #options: ServeOptions;
  #server: HttpServer | undefined;

  constructor(
    world: World,
    { host, port, handler }: { host: WorldHost; port: number; handler: Handler },
    options: ServeOptions,
  ) {
    this.host = host;
    this.port = port;
    this.#world = world;
    this.#handler = handler;
    this.#options = options;
    world.watch(() => this.#checkBounds());
  }

  /** What a client says to reach it. */
  get authority(): string {
    return `${this.host.name}:${this.port}`;
  }

  start(): void {
    this.#server = new HttpServer(this.#handler, {
      ...this.#options,
      clock: this.#world.clock,
      listener: this.#world.streams.listen(this.host.address, this.port),
      onError: (error) => {
        this.#world.ledger.note(`${this.authority} reports ${error}`);
        this.#world.catch(error);
      },
    });
  }

  async stop(graceMs: number): Promise<void> {
    const beginMs = this.#world.clock.now();
    await this.#server!.shutdown({ graceMs });
    const tookMs = this.#world.clock.now() - beginMs;
    check(tookMs <= graceMs + LATE_MS, `a shutdown of ${graceMs} ms that took ${tookMs} ms`);
  }

  #checkBounds(): void {
    const { maxConnections = Infinity } = this.#options;
    const connections = this.#server!.stats().connectionCount;
    check(connections <= maxConnections, `${connections} connections of ${maxConnections}`);
  }
}
