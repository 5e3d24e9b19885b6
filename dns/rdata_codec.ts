// This module is sans-I/O.

import type { RdataText } from "./rdata_text.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

/**
 * How the RDATA of one record type is read and written, on the wire and as text. For one record it
 * is given a reader whose end is that of the RDATA, or the tokens of the RDATA alone.
 */
export interface RdataCodec<D> {
  /** Mnemonic of the type, upper case: `"MX"`. */
  readonly type: string;
  /** Number of the type, 0 to 65,535. */
  readonly code: number;

  /**
   * Reads from `reader.offset` to `reader.end`. Whoever calls it checks that everything was read.
   *
   * @param reader The message, bounded to the RDATA.
   * @returns The data; it keeps no view of the message.
   * @throws {DnsMessageError} If the bytes are no RDATA of the type.
   */
  decode(reader: WireReader): D;

  /**
   * Writes the RDATA, without its length.
   *
   * @param writer Where to.
   * @param data The data.
   * @throws {DnsMessageError} If a value does not fit its place on the wire.
   */
  encode(writer: WireWriter, data: D): void;

  /**
   * Reads the presentation format. Whoever calls it checks that no token is left.
   *
   * @param text The tokens of the RDATA.
   * @returns The data.
   * @throws {DnsTextError} If the tokens are no RDATA of the type.
   */
  parse(text: RdataText): D;

  /**
   * Prints the presentation format on one line, names absolute.
   *
   * @param data The data.
   * @returns The text, without a blank around it.
   */
  print(data: D): string;
}
