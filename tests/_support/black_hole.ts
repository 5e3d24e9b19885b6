/**
 * A peer that does not answer: a listener nobody accepts from, with its queue full, so that the
 * system drops what would connect.
 */

/** Why a test with a black hole does not run here; `false` where it does. */
export const noBlackHole: boolean = Deno.build.os !== "linux";

/** A port at which connecting takes for ever. */
export class BlackHole implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #held: readonly Deno.TcpConn[];

  private constructor(listener: Deno.TcpListener, held: readonly Deno.TcpConn[]) {
    this.#listener = listener;
    this.#held = held;
  }

  /**
   * Opens one.
   *
   * @param hostname Address of the loopback interface.
   * @param port Which port; 0 lets the system choose.
   */
  static async open(hostname = "127.0.0.1", port = 0): Promise<BlackHole> {
    const options = { hostname, port, tcpBacklog: 1 };
    const listener = Deno.listen(options);
    const address = { hostname, port: listener.addr.port };
    // Linux lets one more in than the backlog says.
    const held = await Promise.all([Deno.connect(address), Deno.connect(address)]);
    return new BlackHole(listener, held);
  }

  /** The port. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Closes it; whoever tries to connect is refused. */
  [Symbol.dispose](): void {
    for (const connection of this.#held) connection.close();
    this.#listener.close();
  }
}
