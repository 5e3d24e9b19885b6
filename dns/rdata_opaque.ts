// This module is sans-I/O.

import type { RdataCodec } from "./rdata_codec.ts";
import { printHex } from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import type { OpaqueData } from "./record_data.ts";

/** What starts the text of RDATA as bytes (RFC 3597 section 5). */
export const OPAQUE_MARK = "\\#";

/** The codec of a type that is not understood: its bytes, in text with their number before them. */
export function opaqueCodec(type: string, code: number): RdataCodec<OpaqueData> {
  return {
    type,
    code,
    decode: (reader) => ({ bytes: reader.rest() }),
    encode: (writer, data) => writer.bytes(data.bytes),
    parse(text: RdataText): OpaqueData {
      if (text.token() !== OPAQUE_MARK || text.wasQuoted) text.fail(`it is not ${OPAQUE_MARK}`);
      return { bytes: parseOpaque(text) };
    },
    print: (data) => printOpaque(data.bytes),
  };
}

/** Reads what is behind the mark: the number of bytes, and as many. */
export function parseOpaque(text: RdataText): Uint8Array {
  const length = text.u16();
  const bytes = text.atEnd ? new Uint8Array(0) : text.hexRest();
  if (bytes.length === length) return bytes;
  return text.fail(`it has ${bytes.length} bytes, expected ${length}`);
}

/** Prints bytes with mark and number. */
export function printOpaque(bytes: Uint8Array): string {
  if (bytes.length === 0) return `${OPAQUE_MARK} 0`;
  return `${OPAQUE_MARK} ${bytes.length} ${printHex(bytes)}`;
}

/** The types whose RDATA is bytes: NULL by its RFC, the options of OPT because EDNS reads them. */
export const OPAQUE_CODECS: readonly RdataCodec<unknown>[] = [
  opaqueCodec("NULL", 10),
  opaqueCodec("OPT", 41),
];
