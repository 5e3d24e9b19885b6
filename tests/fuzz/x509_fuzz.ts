/**
 * Fuzzing of the certificate parser: certificates that were spoilt give a certificate or a
 * documented error, in steps that are linear in their length.
 *
 * Every input has a number, and with the seed the number makes it again.
 */

import { LimitExceededError } from "../../nbio/errors.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { parseCertificate, parseCertificates } from "../../tls/certificate.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { formatCertificate } from "../../tls/certificate_text.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { formatPem } from "../../tls/pem.ts";
import { buildCertificate } from "../tls/certificate_builder.ts";
import { everythingCertificate } from "../tls/certificate_samples.ts";
import type { FuzzRun, FuzzTarget, Outcomes } from "./fuzz_target.ts";
import { randomOf } from "./mutation.ts";

/** What to run. */
export interface X509FuzzOptions extends FuzzRun {
  /** Certificates in DER that are spoilt. */
  readonly corpus: readonly Uint8Array<ArrayBuffer>[];
}

/** What came of it. */
export interface X509FuzzResult {
  /** Inputs that were certificates nevertheless. */
  readonly acceptedCount: number;
  /** Refusals by code. */
  readonly refusals: Readonly<Record<string, number>>;
}

type Mutation = (
  bytes: Uint8Array<ArrayBuffer>,
  random: SeededRandom,
  corpus: readonly Uint8Array<ArrayBuffer>[],
) => Uint8Array<ArrayBuffer>;

/** Bytes that mean something where a tag or a length stands. */
const BYTES = [
  0x00,
  0x01,
  0x02,
  0x03,
  0x04,
  0x05,
  0x06,
  0x0c,
  0x13,
  0x17,
  0x1e,
  0x30,
  0x31,
] as const;
const MORE_BYTES = [0x7f, 0x80, 0x81, 0x82, 0x84, 0x88, 0xa0, 0xa3, 0xff] as const;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const spoilt = bytes.slice();
    const at = random.int(spoilt.length);
    spoilt[at]! ^= 1 << random.int(8);
    return spoilt;
  },
  function setByte(bytes, random) {
    const spoilt = bytes.slice();
    spoilt[random.int(spoilt.length)] = random.pick([...BYTES, ...MORE_BYTES]);
    return spoilt;
  },
  function truncate(bytes, random) {
    return bytes.slice(0, random.int(bytes.length));
  },
  function append(bytes, random) {
    return joined(bytes, random.bytes(1 + random.int(8)));
  },
  function deleteElement(bytes, random) {
    const [start, end] = pickElement(bytes, random);
    return resized(bytes, start, end, new Uint8Array());
  },
  function repeatElement(bytes, random) {
    const [start, end] = pickElement(bytes, random);
    const element = bytes.slice(start, end);
    return resized(bytes, end, end, element);
  },
  function swapElement(bytes, random, corpus) {
    const [start, end] = pickElement(bytes, random);
    const other = random.pick(corpus);
    const [otherStart, otherEnd] = pickElement(other, random);
    return resized(bytes, start, end, other.slice(otherStart, otherEnd));
  },
  function changeContent(bytes, random) {
    const [start, end] = pickElement(bytes, random);
    return resized(bytes, Math.min(start + 2, end), end, random.bytes(random.int(12)));
  },
];

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Every element of a certificate, those inside of others too; none of a spoilt one. */
function elementsOf(bytes: Uint8Array<ArrayBuffer>): [start: number, end: number][] {
  const elements: [number, number][] = [];
  const walk = (start: number, end: number): void => {
    const reader = new DerReader(bytes, { start, end });
    while (!reader.isAtEnd) {
      const tag = reader.read();
      const { elementStart, contentStart, contentEnd } = reader;
      elements.push([elementStart, contentEnd]);
      if ((tag & 0x20) !== 0 || tag === 0x04) tryWalk(() => walk(contentStart, contentEnd));
    }
  };
  tryWalk(() => walk(0, bytes.length));
  return elements;
}

function tryWalk(walk: () => void): void {
  try {
    walk();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
  }
}

function pickElement(bytes: Uint8Array<ArrayBuffer>, random: SeededRandom): [number, number] {
  const elements = elementsOf(bytes);
  return elements.length === 0 ? [0, bytes.length] : random.pick(elements);
}

/** Puts something in the place of a range and, where a length can, corrects those around it. */
function resized(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  end: number,
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const spoilt = joined(bytes.subarray(0, start), content, bytes.subarray(end));
  const change = spoilt.length - bytes.length;
  for (const [elementStart, elementEnd] of elementsOf(bytes)) {
    if (elementStart >= start || elementEnd < end) continue;
    const form = bytes[elementStart + 1]!;
    const digitCount = form >= 0x80 ? form & 0x7f : 0;
    let length = digitCount === 0 ? form : 0;
    for (let i = 0; i < digitCount; i++) length = length * 256 + bytes[elementStart + 2 + i]!;
    length += change;
    if (digitCount === 0 && length >= 0 && length < 0x80) spoilt[elementStart + 1] = length;
    for (let i = digitCount; i > 0; i--, length = Math.floor(length / 256)) {
      spoilt[elementStart + 1 + i] = length & 0xff;
    }
  }
  return spoilt;
}

/** Most mutations of one input. */
const MAX_MUTATIONS = 3;

function createInput(options: X509FuzzOptions, number: number): Uint8Array<ArrayBuffer> {
  const { seed, corpus } = options;
  const random = randomOf(seed, number);
  let bytes = random.pick(corpus);
  for (let count = 1 + random.int(MAX_MUTATIONS); count > 0 && bytes.length > 0; count--) {
    bytes = random.pick(MUTATIONS)(bytes, random, corpus);
  }
  return bytes;
}

/**
 * The code of the error with which an input is refused, `undefined` if it is a certificate.
 * Then it is printed and read once more from PEM as well.
 *
 * @throws {Error} If anything else is thrown, or too many steps were taken.
 */
export function judge(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    const certificate = parseCertificate(bytes);
    // An element has two bytes at least, and none is read twice.
    if (certificate.stepCount * 2 > bytes.length) throw new Error("Too many steps");
    formatCertificate(certificate);
    const [again] = parseCertificates(formatPem("CERTIFICATE", bytes));
    if (again?.serialHex !== certificate.serialHex) throw new Error("PEM gives another one");
    return undefined;
  } catch (error) {
    if (error instanceof CertificateError || error instanceof LimitExceededError) return error.code;
    throw error;
  }
}

/**
 * Spoils certificates and parses them.
 *
 * @throws {Error} If one gives anything but a certificate or a documented error; the message says
 * how to see it again.
 */
export function fuzzX509(options: X509FuzzOptions): X509FuzzResult {
  let acceptedCount = 0;
  const refusals: Record<string, number> = {};
  const { first = 0 } = options;
  for (let number = first; number < first + options.count; number++) {
    const bytes = createInput(options, number);
    try {
      const code = judge(bytes);
      if (code === undefined) acceptedCount++;
      else refusals[code] = (refusals[code] ?? 0) + 1;
    } catch (cause) {
      const shown = bytes.toHex();
      const place = `seed ${options.seed}, number ${number}`;
      throw new Error(`Failed (${place}) on ${shown}: ${cause}`, { cause });
    }
  }
  return { acceptedCount, refusals };
}

/** What is spoilt: a certificate with everything, a small one, and those of real makers. */
export function readX509Corpus(): Uint8Array<ArrayBuffer>[] {
  const files = ["ca.pem", "leaf.pem"].map((name) => new URL(`../tls/${name}`, import.meta.url));
  const real = files.flatMap((file) => parseCertificates(Deno.readTextFileSync(file)));
  return [
    everythingCertificate(),
    buildCertificate({ version: 1 }),
    ...real.map(({ raw }) => raw),
  ];
}

/** Certificates as a target. */
export const CERTIFICATE_TARGET: FuzzTarget = {
  name: "tls/certificate",
  drives: [
    ...["tls/certificate.ts", "tls/certificate_extension_decoder.ts", "tls/der_string.ts"],
    ...["tls/distinguished_name.ts", "tls/asn1_time.ts", "tls/general_name.ts"],
  ],
  fuzz: (run) => toOutcomes(fuzzX509({ ...run, corpus: readX509Corpus() })),
  replay: () => toOutcomes(fuzzX509({ seed: 1, count: 600, corpus: readX509Corpus() })),
};

function toOutcomes({ acceptedCount, refusals }: X509FuzzResult): Outcomes {
  const refused = Object.entries(refusals).map((
    [code, many],
  ) => [`${ownerOf(code)} ${code}`, many]);
  return Object.fromEntries([["accepted", acceptedCount], ...refused]);
}

function ownerOf(code: string): string {
  return code.startsWith("ERR_X509_") ? "CertificateError" : "LimitExceededError";
}
