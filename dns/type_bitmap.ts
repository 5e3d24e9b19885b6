// This module is sans-I/O.

import { type RdataField, typeCodeOf } from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import { formatRecordType, parseRecordType } from "./record_type.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

const MAX_BLOCK_BYTES = 32;

/**
 * A set of types (RFC 4034 section 4.1.2), up to the end of the RDATA. What is handed out is
 * ascending and without doubles; what is handed in may be in any order.
 */
export const typeBitmap: RdataField<readonly string[]> = {
  decode(reader: WireReader): string[] {
    const types: string[] = [];
    let lastWindow = -1;
    while (reader.remaining > 0) {
      const window = reader.u8();
      const length = reader.u8();
      if (window <= lastWindow) reader.fail("the windows of its type bitmap do not ascend");
      if (length === 0 || length > MAX_BLOCK_BYTES) {
        reader.fail(`a block of its type bitmap has ${length} bytes, expected 1 to 32`);
      }
      readBlock(reader, window, length, types);
      lastWindow = window;
    }
    return types;
  },
  encode(writer: WireWriter, value: readonly string[]): void {
    let window = -1;
    let block = new Uint8Array(MAX_BLOCK_BYTES);
    let length = 0;
    for (const code of codesOf(value)) {
      if (code >> 8 !== window) {
        writeBlock(writer, window, block.subarray(0, length));
        window = code >> 8;
        block = new Uint8Array(MAX_BLOCK_BYTES);
      }
      const at = (code & 0xff) >> 3;
      block[at]! |= 0x80 >> (code & 7);
      length = at + 1;
    }
    writeBlock(writer, window, block.subarray(0, length));
  },
  parse(text: RdataText): string[] {
    const codes = new Set<number>();
    while (!text.atEnd) {
      codes.add(parseRecordType(text.token()) ?? text.fail("it names no type"));
    }
    return ascending(codes).map(formatRecordType);
  },
  print: (value) => codesOf(value).map(formatRecordType).join(" "),
};

function readBlock(reader: WireReader, window: number, length: number, types: string[]): void {
  for (let at = 0; at < length; at++) {
    const byte = reader.u8();
    // RFC 4034 section 4.1.2: zero bytes at the end are left out.
    if (byte === 0 && at === length - 1) reader.fail("a block of its type bitmap ends in zeros");
    for (let bit = 0; byte << bit & 0xff; bit++) {
      if (byte & 0x80 >> bit) types.push(formatRecordType(window << 8 | at << 3 | bit));
    }
  }
}

function writeBlock(writer: WireWriter, window: number, block: Uint8Array): void {
  if (block.length === 0) return;
  writer.u8(window);
  writer.u8(block.length);
  writer.bytes(block);
}

function codesOf(types: readonly string[]): number[] {
  return ascending(new Set(types.map(typeCodeOf)));
}

function ascending(codes: ReadonlySet<number>): number[] {
  return [...codes].sort((a, b) => a - b);
}
