// This module is sans-I/O.

/**
 * {@linkcode NetworkEvent}: what a simulated network writes down.
 *
 * @module
 */

/**
 * What happens to a datagram:
 *
 * - `send`: a socket sent it; `spoof`: `SimulatedNetwork.spoof` did;
 * - `deliver`: a socket got it (which may still drop it, see `DatagramStats`);
 * - `lose`, `duplicate`, `reorder`: chance had it so;
 * - `oversize`: it was larger than the path carries;
 * - `cut`: a partition was in its way;
 * - `unreachable`: nobody was bound where it came to;
 * - `overflow`: too many were on their way.
 */
export type NetworkEventKind =
  | "send"
  | "spoof"
  | "deliver"
  | "lose"
  | "duplicate"
  | "reorder"
  | "oversize"
  | "cut"
  | "unreachable"
  | "overflow";

/** One thing that happened on a `SimulatedNetwork`. */
export interface NetworkEvent {
  /** What happened. */
  readonly kind: NetworkEventKind;
  /** When, in milliseconds of the clock since the network was made. */
  readonly atMs: number;
  /** Which datagram: they are counted from 1 as they are sent. */
  readonly datagram: number;
  /** Who sent it, or is said to. */
  readonly from: string;
  /** Where it goes; if that is a group, the host it is brought to but for the first event. */
  readonly to: string;
  /** Its length. */
  readonly byteCount: number;
}
