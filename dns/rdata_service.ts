// This module is sans-I/O.

import { DnsMessageError } from "./errors.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import { failValue, preservedName, u16 } from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import type { SvcbData } from "./record_data.ts";
import { svcParamCodec } from "./svc_param_codec.ts";
import { formatSvcParamKey, parseSvcParamKey } from "./svc_param_key.ts";
import type { SvcParams } from "./svc_params.ts";
import { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

/** The parameters by name, while they are collected. */
type Collected = Record<string, unknown>;

const ALPN = "alpn";
const NO_DEFAULT_ALPN = "no-default-alpn";

function serviceCodec(type: string, code: number): RdataCodec<SvcbData> {
  return {
    type,
    code,
    decode: (reader) => ({
      priority: reader.u16(),
      target: reader.uncompressedName(),
      params: decodeParams(reader),
    }),
    encode(writer: WireWriter, data: SvcbData): void {
      writer.u16(data.priority);
      preservedName.encode(writer, data.target);
      encodeParams(writer, data.params);
    },
    parse(text: RdataText): SvcbData {
      const priority = text.u16();
      const target = text.name();
      const params = parseParams(text);
      // RFC 9460 section 2.4.2: in AliasMode parameters are ignored.
      if (priority !== 0) checkConsistency(params, text);
      return { priority, target, params };
    },
    print(data: SvcbData): string {
      const parts = [u16.print(data.priority), preservedName.print(data.target)];
      return [...parts, ...printParams(data.params)].join(" ");
    },
  };
}

/** RFC 9460 section 2.2: keys strictly ascend, and every value is of its format. */
function decodeParams(reader: WireReader): SvcParams {
  const params: Collected = {};
  let lastKey = -1;
  while (reader.remaining > 0) {
    const key = reader.u16();
    if (key <= lastKey) reader.fail("the keys of its parameters do not ascend");
    params[formatSvcParamKey(key)] = decodeParam(reader, key);
    lastKey = key;
  }
  return params as SvcParams;
}

function decodeParam(reader: WireReader, key: number): unknown {
  const length = reader.u16();
  const end = reader.end;
  if (length > reader.remaining) reader.fail("a parameter goes beyond the end");
  reader.end = reader.offset + length;
  try {
    const value = svcParamCodec(key).decode(reader);
    if (reader.remaining > 0) reader.fail(`bytes are left in ${formatSvcParamKey(key)}`);
    return value;
  } finally {
    reader.end = end;
  }
}

function encodeParams(writer: WireWriter, params: SvcParams): void {
  for (const [key, value] of sortedParams(params)) {
    writer.u16(key);
    const start = writer.length;
    writer.u16(0);
    svcParamCodec(key).encode(writer, value);
    writer.setU16(start, writer.length - start - 2);
  }
}

/** Number and value of what there is, ascending. */
function sortedParams(params: SvcParams): [key: number, value: unknown][] {
  const sorted: [number, unknown][] = [];
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    const key = parseSvcParamKey(name);
    // A registered parameter under its number would be there twice.
    if (key === undefined || formatSvcParamKey(key) !== name) failValue("parameter", name);
    sorted.push([key, value]);
  }
  return sorted.sort(([a], [b]) => a - b);
}

function parseParams(text: RdataText): SvcParams {
  const found = new Map<number, unknown>();
  while (!text.atEnd) {
    const token = text.token();
    if (text.wasQuoted) text.fail("quotes stand around the value alone");
    const equals = token.indexOf("=");
    const name = equals === -1 ? token : token.slice(0, equals);
    const value = equals === -1 ? undefined : token.slice(equals + 1);
    if (value === "") text.fail("nothing comes behind the equals sign");
    const key = parseSvcParamKey(name) ?? text.fail("it names no parameter");
    if (found.has(key)) text.fail("the parameter is there twice");
    found.set(key, parseParam(text, key, name, value));
  }
  const sorted = [...found].sort(([a], [b]) => a - b);
  const params: Collected = {};
  for (const [key, value] of sorted) params[formatSvcParamKey(key)] = value;
  return params as SvcParams;
}

function parseParam(
  text: RdataText,
  key: number,
  name: string,
  value: string | undefined,
): unknown {
  if (formatSvcParamKey(key) === name) return svcParamCodec(key).parse(value, text);
  // RFC 9460 section 2.1: under its number a parameter is written as on the wire.
  return decodeValue(text, key, value === undefined ? new Uint8Array(0) : text.bytesOf(value));
}

function decodeValue(text: RdataText, key: number, bytes: Uint8Array): unknown {
  try {
    const reader = new WireReader(bytes);
    const value = svcParamCodec(key).decode(reader);
    if (reader.remaining === 0) return value;
  } catch (error) {
    if (!(error instanceof DnsMessageError)) throw error;
  }
  return text.fail(`the bytes are no value of ${formatSvcParamKey(key)}`);
}

function printParams(params: SvcParams): string[] {
  return sortedParams(params).map(([key, value]) => {
    const printed = svcParamCodec(key).print(value);
    const name = formatSvcParamKey(key);
    return printed === undefined ? name : `${name}=${printed}`;
  });
}

/** RFC 9460 section 2.4.3: text that contradicts itself is refused; on the wire it is tolerated. */
function checkConsistency(params: SvcParams, text: RdataText): void {
  const names: ReadonlySet<string> = new Set(Object.keys(params));
  if (names.has(NO_DEFAULT_ALPN) && !names.has(ALPN)) {
    text.fail(`${NO_DEFAULT_ALPN} needs ${ALPN}`);
  }
  for (const name of params.mandatory ?? []) {
    if (!names.has(name)) text.fail("a mandatory parameter is missing");
  }
}

/** SVCB and what maps onto it. */
export const SERVICE_CODECS: readonly RdataCodec<unknown>[] = [
  serviceCodec("SVCB", 64),
  serviceCodec("HTTPS", 65),
];
