import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { decodeRdata, encodeRdata, parseRdata, printRdata } from "../../dns/rdata.ts";

/** RDATA in both forms; `printed` where we print it otherwise. */
export interface RdataRow {
  readonly text: string;
  readonly hex: string;
  readonly printed?: string;
}

/** Text and wire that are no RDATA, each with its name. */
export interface BadRdataRows {
  readonly text?: Readonly<Record<string, string>>;
  readonly wire?: Readonly<Record<string, string>>;
  /** Data that fits no wire. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Makes the tests of one type from its rows. */
export function testRdata(type: string, valid: readonly RdataRow[], invalid: BadRdataRows): void {
  for (const { text, hex, printed = text } of valid) {
    const wire = Uint8Array.fromHex(hex.replaceAll(" ", ""));
    Deno.test(`parseRdata() reads ${type} ${text}`, () => {
      const data = parseRdata(type, text, { origin: "example." });
      assertEquals(encodeRdata(type, data), wire);
      assertEquals(decodeRdata(type, wire), data);
    });
    Deno.test(`printRdata() writes ${type} ${printed}`, () => {
      assertEquals(printRdata(type, decodeRdata(type, wire)), printed);
    });
  }
  for (const [name, text] of Object.entries(invalid.text ?? {})) {
    Deno.test(`parseRdata() refuses ${type} with ${name}`, () => {
      assertThrows(() => parseRdata(type, text, { origin: "example." }), DnsTextError);
    });
  }
  for (const [name, hex] of Object.entries(invalid.wire ?? {})) {
    Deno.test(`decodeRdata() refuses ${type} with ${name}`, () => {
      const wire = Uint8Array.fromHex(hex.replaceAll(" ", ""));
      assertThrows(() => decodeRdata(type, wire), DnsMessageError);
    });
  }
  for (const [name, data] of Object.entries(invalid.data ?? {})) {
    Deno.test(`encodeRdata() refuses ${type} with ${name}`, () => {
      const error = assertThrows(() => encodeRdata(type, data as never), DnsMessageError);
      assertEquals(error.offset, undefined);
    });
  }
}
