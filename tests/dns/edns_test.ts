import { assertEquals, assertThrows } from "@std/assert";
import { decodeEdnsOptions, encodeEdnsOptions, measureEdns, writeEdns } from "../../dns/edns.ts";
import type { EdnsOption } from "../../dns/edns_option.ts";
import { DnsMessageError } from "../../dns/errors.ts";
import { WireWriter } from "../../dns/wire_writer.ts";

const OPTIONS: readonly EdnsOption[] = [
  { type: "padding", bytes: new Uint8Array(2) },
  { type: "unknown", code: 65_001, bytes: new Uint8Array([1]) },
  { type: "padding", bytes: new Uint8Array(0) },
];

Deno.test("decodeEdnsOptions() gives what encodeEdnsOptions() was given, in order", () => {
  assertEquals(decodeEdnsOptions(encodeEdnsOptions(OPTIONS)), OPTIONS);
  assertEquals(decodeEdnsOptions(new Uint8Array(0)), []);
});

Deno.test("decodeEdnsOptions() throws on every strict prefix but those between options", () => {
  const rdata = encodeEdnsOptions(OPTIONS);
  const whole = new Set([0, 6, 11, 15]);
  for (let end = 0; end <= rdata.length; end++) {
    const prefix = rdata.subarray(0, end);
    if (whole.has(end)) decodeEdnsOptions(prefix);
    else {
      const error = assertThrows(() => decodeEdnsOptions(prefix), DnsMessageError);
      assertEquals(error.code, "ERR_DNS_BAD_OPT");
    }
  }
});

Deno.test("measureEdns() gives the bytes writeEdns() writes", () => {
  for (const options of [[], OPTIONS]) {
    const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: true, flags: 0, options };
    const writer = new WireWriter();
    writeEdns(writer, edns, 0);
    assertEquals(writer.length, measureEdns(edns));
  }
});

Deno.test("writeEdns() throws on values out of range", () => {
  const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: true, flags: 0, options: [] };
  for (const wrong of [{ udpPayloadSize: 65_536 }, { version: 256 }, { flags: 0x8000 }]) {
    const run = () => writeEdns(new WireWriter(), { ...edns, ...wrong }, 0);
    assertEquals(assertThrows(run, DnsMessageError).code, "ERR_DNS_BAD_VALUE");
  }
});
