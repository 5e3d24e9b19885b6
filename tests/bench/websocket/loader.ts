import { LoadConnection } from "./load_connection.ts";
import type { FrameRing } from "./frame_ring.ts";
import { framesOf, type Kind, messagesOf, type Scenario } from "./scenarios.ts";

/** Connections that are being opened at the same moment. */
const MAX_AT_ONCE = 100;

/** Load on a WebSocket server that echoes: every connection keeps masked frames in flight. */
export class Loader implements Disposable {
  readonly #scenario: Scenario;
  readonly #kind: Kind;
  readonly #connections: LoadConnection[] = [];
  /** The first message; all connections send the same ring. */
  readonly #first: Uint8Array;
  #ring: FrameRing | undefined;
  #remaining = 0;

  /**
   * @param scenario What to send.
   * @param kind As what.
   */
  constructor(scenario: Scenario, kind: Kind) {
    this.#scenario = scenario;
    this.#kind = kind;
    this.#first = messagesOf(scenario)[0]!;
  }

  /**
   * Opens connections; if asked, sends one message on each and checks the reply byte by byte.
   *
   * @param port Port on 127.0.0.1.
   * @param count How many.
   * @param isActive Whether to send.
   * @throws {Error} If the server does not do as it should.
   */
  async open(
    port: number,
    count: number = this.#scenario.connections,
    { isActive = true }: { readonly isActive?: boolean } = {},
  ): Promise<void> {
    const goal = this.#connections.length + count;
    while (this.#connections.length < goal) {
      const wanted = Math.min(MAX_AT_ONCE, goal - this.#connections.length);
      await Promise.all(Array.from({ length: wanted }, () => this.#open(port, isActive)));
    }
  }

  async #open(port: number, isActive: boolean): Promise<void> {
    const connection = await LoadConnection.open(port, this.#scenario.mode);
    this.#connections.push(connection);
    // A server gives all clients the same window.
    this.#ring ??= framesOf(this.#scenario, this.#kind, connection.windowBits);
    await connection.begin(this.#ring, isActive ? this.#first : undefined);
  }

  /**
   * Sends messages over all open connections.
   *
   * @param count How many messages, together.
   * @throws {Error} If the server closes a connection.
   */
  async run(count: number): Promise<void> {
    this.#remaining = count;
    const grant = (wanted: number): number => {
      const granted = Math.min(wanted, this.#remaining);
      this.#remaining -= granted;
      return granted;
    };
    await Promise.all(
      this.#connections.map((connection) => connection.run(this.#scenario.inFlight, grant)),
    );
  }

  /**
   * Sends one message on every connection and waits for the replies.
   *
   * @throws {Error} If the server closes a connection.
   */
  async ask(): Promise<void> {
    for (let at = 0; at < this.#connections.length; at += MAX_AT_ONCE) {
      const some = this.#connections.slice(at, at + MAX_AT_ONCE);
      // Each may send its one message, whatever the others do.
      await Promise.all(some.map((connection) => {
        let left = 1;
        return connection.run(1, (wanted) => {
          const granted = Math.min(left, wanted);
          left -= granted;
          return granted;
        });
      }));
    }
  }

  /** Closes all connections. */
  close(): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
