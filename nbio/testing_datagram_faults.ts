// This module is sans-I/O.

/**
 * {@linkcode DatagramFaults}: what can go wrong with a datagram.
 *
 * @module
 */

/**
 * What can go wrong on the way from one address to another. Without any option
 * every datagram arrives at once.
 */
export interface DatagramFaults {
  /**
   * Chance, 0 to 1, that a datagram is lost.
   *
   * @default {0}
   */
  readonly lossChance?: number;

  /**
   * Chance, 0 to 1, that a datagram comes twice; each copy takes its own time.
   *
   * @default {0}
   */
  readonly duplicateChance?: number;

  /**
   * Chance, 0 to 1, that a datagram is held back, so that later ones overtake
   * it. The others keep their order, whatever time each takes.
   *
   * @default {0}
   */
  readonly reorderChance?: number;

  /**
   * Milliseconds of the clock for which it is held back, an integer of at least
   * 1.
   *
   * @default {10}
   */
  readonly reorderDelayMs?: number;

  /**
   * Shortest time a datagram takes, in milliseconds of the clock, an integer of
   * at least 0. With 0 it arrives before `send` resolves.
   *
   * @default {0}
   */
  readonly minDelayMs?: number;

  /**
   * Longest time a datagram takes, in milliseconds of the clock, an integer of
   * at least `minDelayMs`.
   *
   * @default {minDelayMs}
   */
  readonly maxDelayMs?: number;

  /**
   * Size of the largest packet that gets through, an integer of at least 48: the
   * headers of UDP and IP (28 bytes for IPv4, 48 for IPv6) count. A larger one
   * vanishes, as on a path that neither fragments nor says so. Ethernet has
   * 1,500.
   *
   * @default {Infinity}
   */
  readonly mtuBytes?: number;
}
