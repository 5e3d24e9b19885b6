// This module is sans-I/O.

import type { RdataCodec } from "./rdata_codec.ts";
import { failValue } from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import type { LocData } from "./record_data.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

/** RFC 1876 section 2: the equator and the prime meridian. */
const ORIGIN = 2 ** 31;
/** 100,000 m below the spheroid of WGS 84, in centimetres. */
const ALTITUDE_BASE_CM = 10_000_000;
const MAX_ALTITUDE_CM = 2 ** 32 - 1 - ALTITUDE_BASE_CM;
const MAX_LATITUDE_MAS = 90 * 3_600_000;
const MAX_LONGITUDE_MAS = 180 * 3_600_000;
const MAX_SIZE_CM = 9_000_000_000;

// RFC 1876 section 3: what holds where the text says nothing.
const DEFAULT_SIZE_CM = 100;
const DEFAULT_HORIZONTAL_CM = 1_000_000;
const DEFAULT_VERTICAL_CM = 1_000;

const DEGREES = /^\d{1,3}$/;
const MINUTES = /^[0-5]?\d$/;
const SECONDS = /^([0-5]?\d)(?:\.(\d{1,3}))?$/;
const METRES = /^(-?)(\d{1,8})(?:\.(\d{1,2}))?m?$/;

/** The codec of LOC. */
export const LOC: RdataCodec<LocData> = {
  type: "LOC",
  code: 29,
  decode(reader: WireReader): LocData {
    // RFC 1876 section 2: nothing may be assumed about another version.
    if (reader.u8() !== 0) reader.fail("its version is not 0");
    return {
      sizeCm: decodeSize(reader),
      horizontalPrecisionCm: decodeSize(reader),
      verticalPrecisionCm: decodeSize(reader),
      latitudeMas: decodeAngle(reader, MAX_LATITUDE_MAS),
      longitudeMas: decodeAngle(reader, MAX_LONGITUDE_MAS),
      altitudeCm: reader.u32() - ALTITUDE_BASE_CM,
    };
  },
  encode(writer: WireWriter, data: LocData): void {
    writer.u8(0);
    writer.u8(encodeSize(data.sizeCm));
    writer.u8(encodeSize(data.horizontalPrecisionCm));
    writer.u8(encodeSize(data.verticalPrecisionCm));
    writer.u32(checkAngle(data.latitudeMas, MAX_LATITUDE_MAS) + ORIGIN);
    writer.u32(checkAngle(data.longitudeMas, MAX_LONGITUDE_MAS) + ORIGIN);
    writer.u32(data.altitudeCm + ALTITUDE_BASE_CM);
  },
  parse(text: RdataText): LocData {
    const latitudeMas = parseAngle(text, "N", "S", MAX_LATITUDE_MAS);
    const longitudeMas = parseAngle(text, "E", "W", MAX_LONGITUDE_MAS);
    const altitudeCm = parseMetres(text, -ALTITUDE_BASE_CM, MAX_ALTITUDE_CM);
    const sizes = [DEFAULT_SIZE_CM, DEFAULT_HORIZONTAL_CM, DEFAULT_VERTICAL_CM];
    for (let index = 0; index < sizes.length && !text.atEnd; index++) {
      sizes[index] = roundSize(parseMetres(text, 0, MAX_SIZE_CM));
    }
    return {
      sizeCm: sizes[0]!,
      horizontalPrecisionCm: sizes[1]!,
      verticalPrecisionCm: sizes[2]!,
      latitudeMas,
      longitudeMas,
      altitudeCm,
    };
  },
  print(data: LocData): string {
    return [
      printAngle(checkAngle(data.latitudeMas, MAX_LATITUDE_MAS), "N", "S"),
      printAngle(checkAngle(data.longitudeMas, MAX_LONGITUDE_MAS), "E", "W"),
      `${(checkAltitude(data.altitudeCm) / 100).toFixed(2)}m`,
      printSize(data.sizeCm),
      printSize(data.horizontalPrecisionCm),
      printSize(data.verticalPrecisionCm),
    ].join(" ");
  },
};

/** RFC 1876 section 2: four bits of digit, four bits of zeros behind it. */
function decodeSize(reader: WireReader): number {
  const byte = reader.u8();
  const digit = byte >> 4;
  const zeros = byte & 0x0f;
  // Zero with zeros behind it would be a second form of zero.
  if (digit > 9 || zeros > 9 || (digit === 0 && zeros > 0)) {
    reader.fail("a size or precision is not a digit and up to nine zeros");
  }
  return digit * 10 ** zeros;
}

function encodeSize(value: number): number {
  if (!(value >= 0 && value <= MAX_SIZE_CM)) failValue("size or precision", value);
  const zeros = zerosOf(value);
  const digit = value / 10 ** zeros;
  return Number.isInteger(digit) ? digit << 4 | zeros : failValue("size or precision", value);
}

/** Digits behind the first one. */
function zerosOf(value: number): number {
  let zeros = 0;
  while (value >= 10 ** (zeros + 1)) zeros++;
  return zeros;
}

/** What the wire can say of it: the first digit, the rest cut off. */
function roundSize(value: number): number {
  const unit = 10 ** zerosOf(value);
  return Math.floor(value / unit) * unit;
}

function decodeAngle(reader: WireReader, max: number): number {
  const value = reader.u32() - ORIGIN;
  return Math.abs(value) <= max ? value : reader.fail("a latitude or longitude is too large");
}

function checkAngle(value: number, max: number): number {
  return Number.isInteger(value) && Math.abs(value) <= max
    ? value
    : failValue("latitude or longitude", value);
}

function checkAltitude(value: number): number {
  return Number.isInteger(value) && value >= -ALTITUDE_BASE_CM && value <= MAX_ALTITUDE_CM
    ? value
    : failValue("altitude", value);
}

/** Degrees, perhaps minutes, perhaps seconds, and the hemisphere. */
function parseAngle(text: RdataText, positive: string, negative: string, max: number): number {
  const degrees = text.token();
  if (!DEGREES.test(degrees)) text.fail("it is no number of degrees");
  let value = Number(degrees) * 3_600_000;
  let token = text.token();
  if (MINUTES.test(token)) {
    value += Number(token) * 60_000;
    token = text.token();
    const seconds = SECONDS.exec(token);
    if (seconds !== null) {
      value += Number(seconds[1]) * 1000 + Number((seconds[2] ?? "").padEnd(3, "0"));
      token = text.token();
    }
  }
  const hemisphere = token.toUpperCase();
  if (hemisphere !== positive && hemisphere !== negative) {
    text.fail(`it is neither ${positive} nor ${negative}`);
  }
  if (value > max) text.fail("this latitude or longitude is too large");
  return hemisphere === negative && value > 0 ? -value : value;
}

/** Metres with up to two decimals, given out as centimetres. */
function parseMetres(text: RdataText, min: number, max: number): number {
  const match = METRES.exec(text.token());
  if (match === null) text.fail("it is no number of metres");
  const [, sign, whole, decimals = ""] = match;
  const value = Number(whole) * 100 + Number(decimals.padEnd(2, "0"));
  const signed = sign === "-" && value > 0 ? -value : value;
  if (signed < min || signed > max) text.fail(`it is not from ${min} to ${max} centimetres`);
  return signed;
}

function printAngle(value: number, positive: string, negative: string): string {
  const mas = Math.abs(value);
  const minutes = Math.floor(mas / 60_000);
  const seconds = (mas % 60_000 / 1000).toFixed(3);
  const hemisphere = value < 0 ? negative : positive;
  return `${Math.floor(minutes / 60)} ${minutes % 60} ${seconds} ${hemisphere}`;
}

function printSize(value: number): string {
  encodeSize(value);
  // A digit and zeros: from a metre on there are no decimals. Below, `dig` prints both.
  return value >= 100 ? `${value / 100}m` : `${(value / 100).toFixed(2)}m`;
}
