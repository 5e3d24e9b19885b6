import { assertEquals, assertThrows } from "@std/assert";
import { formatAsn1Time, readAsn1Time, toCalendarTime } from "../../tls/asn1_time.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { DerReader, DerTag } from "../../tls/der_reader.ts";

const { UTC_TIME, GENERALIZED_TIME } = DerTag;

function read(tag: number, text: string): number {
  const content = new TextEncoder().encode(text);
  return readAsn1Time(new DerReader(new Uint8Array([tag, content.length, ...content])));
}

for (
  const [tag, text, iso] of [
    [UTC_TIME, "700101000000Z", "1970-01-01T00:00:00Z"],
    [UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z"],
    [UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z"],
    [UTC_TIME, "000229120000Z", "2000-02-29T12:00:00Z"],
    [UTC_TIME, "240229120000Z", "2024-02-29T12:00:00Z"],
    [GENERALIZED_TIME, "20500101000000Z", "2050-01-01T00:00:00Z"],
    [GENERALIZED_TIME, "20490101000000Z", "2049-01-01T00:00:00Z"],
    [GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59Z"],
    [GENERALIZED_TIME, "00000101000000Z", "0000-01-01T00:00:00Z"],
    [GENERALIZED_TIME, "00040229000000Z", "0004-02-29T00:00:00Z"],
    [GENERALIZED_TIME, "19491231235959Z", "1949-12-31T23:59:59Z"],
  ] as const
) {
  Deno.test(`readAsn1Time() reads ${text}`, () => {
    assertEquals(read(tag, text), Date.parse(iso));
  });
}

for (
  const [tag, text] of [
    [UTC_TIME, ""],
    [UTC_TIME, "Z"],
    [UTC_TIME, "7001010000Z"],
    [UTC_TIME, "700101000000"],
    [UTC_TIME, "700101000000z"],
    [UTC_TIME, "700101000000+0000"],
    [UTC_TIME, "19700101000000Z"],
    [UTC_TIME, "70010100000 Z"],
    [UTC_TIME, "70010100000/Z"],
    [UTC_TIME, "70010100000:Z"],
    [UTC_TIME, "700001000000Z"],
    [UTC_TIME, "701301000000Z"],
    [UTC_TIME, "700100000000Z"],
    [UTC_TIME, "700132000000Z"],
    [UTC_TIME, "700431000000Z"],
    [UTC_TIME, "700229000000Z"],
    [UTC_TIME, "700101240000Z"],
    [UTC_TIME, "700101006000Z"],
    [UTC_TIME, "700101000060Z"],
    [GENERALIZED_TIME, "700101000000Z"],
    [GENERALIZED_TIME, "20500101000000.5Z"],
    [GENERALIZED_TIME, "21000229000000Z"],
    [GENERALIZED_TIME, "205001010000Z"],
    [DerTag.IA5_STRING, "700101000000Z"],
  ] as const
) {
  Deno.test(`readAsn1Time() throws on ${JSON.stringify(text)} with tag ${tag}`, () => {
    const error = assertThrows(() => read(tag, text), CertificateError);
    assertEquals(error.code, "ERR_X509_BAD_TIME");
  });
}

Deno.test("toCalendarTime() shows what the platform's calendar shows", () => {
  for (let ms = -62_167_219_200_000; ms < 253_402_300_800_000; ms += 86_400_000 * 97 + 12_345_678) {
    const { year, month, day, hour, minute, second } = toCalendarTime(ms);
    const date = new Date(ms);
    assertEquals([year, month, day], [
      date.getUTCFullYear(),
      date.getUTCMonth() + 1,
      date.getUTCDate(),
    ]);
    assertEquals([hour, minute, second], [
      date.getUTCHours(),
      date.getUTCMinutes(),
      date.getUTCSeconds(),
    ]);
  }
});

Deno.test("readAsn1Time() reads what formatAsn1Time() writes", () => {
  for (let ms = -62_167_219_200_000; ms < 253_402_300_800_000; ms += 86_400_000 * 97 + 12_345_000) {
    const { tag, text } = formatAsn1Time(ms);
    assertEquals(read(tag, text), ms);
  }
});

for (const ms of [NaN, Infinity, -62_167_219_200_001, 253_402_300_800_000]) {
  Deno.test(`toCalendarTime() throws on ${ms}`, () => {
    assertThrows(() => toCalendarTime(ms), RangeError);
    assertThrows(() => formatAsn1Time(ms), RangeError);
  });
}
