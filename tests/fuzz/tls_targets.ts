/** Targets for PEM, keys, names in certificates and the first words of TLS clients. */

import { LimitExceededError } from "../../nbio/errors.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { importCertifiedKey } from "../../tls/certified_key.ts";
import { ClientHelloReader } from "../../tls/client_hello.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { decodeObjectIdentifier, encodeObjectIdentifier } from "../../tls/object_identifier.ts";
import { formatPem, parsePemBlocks } from "../../tls/pem.ts";
import { HostnameError, verifyHostname } from "../../tls/verify_hostname.ts";
import { cut } from "./mutation.ts";
import {
  demand,
  demandSame,
  type InputTarget,
  inputTarget,
  readBothWays,
  textTarget,
} from "./input_target.ts";

const BYTES = [
  "\0",
  "\x01",
  "\x02",
  "\x06",
  "\x16",
  "\x30",
  "\x7f",
  "\x80",
  "\x81",
  "\x84",
  "\xff",
] as const;

const pem = textTarget({
  name: "tls/pem",
  drives: ["tls/pem.ts"],
  pieces: [
    "-----BEGIN ",
    "-----END ",
    "-----",
    "X",
    "CERTIFICATE",
    "\n",
    "\r\n",
    "=",
    "AAAA",
    " ",
    "Proc-Type: 4",
  ],
  throws: [CertificateError, LimitExceededError],
  run(text) {
    const blocks = [...parsePemBlocks(text, { maxBlockCount: 4 })];
    demand(blocks.length <= 4, "there are no more blocks than the bound");
    const again = blocks.flatMap((
      { label, bytes },
    ) => [...parsePemBlocks(formatPem(label, bytes))]);
    const shown = (list: typeof blocks) => list.map(({ label, bytes }) => [label, bytes.toHex()]);
    demandSame(shown(again), shown(blocks), "a block reads back");
    return blocks.length === 0 ? undefined : blocks;
  },
});

/** Certificates are the matter of another target: here the key beside a right one is spoilt. */
let certificatePem: string | undefined;

const privateKey = textTarget({
  name: "tls/private_key",
  drives: ["tls/certified_key.ts", "tls/public_key.ts"],
  pieces: [
    "-----BEGIN PRIVATE KEY-----\n",
    "-----END PRIVATE KEY-----\n",
    "A",
    "M",
    "=",
    "\n",
    "ENCRYPTED ",
    "RSA ",
  ],
  throws: [CertificateError, LimitExceededError],
  run(text) {
    certificatePem ??= Deno.readTextFileSync(new URL("../tls/leaf.pem", import.meta.url));
    return importCertifiedKey(certificatePem, text);
  },
});

const objectIdentifier = inputTarget({
  name: "tls/object_identifier",
  drives: ["tls/object_identifier.ts"],
  pieces: BYTES,
  throws: [CertificateError],
  run(input) {
    const oid = decodeObjectIdentifier(input);
    demandSame([...encodeObjectIdentifier(oid)], [...input], "an identifier is written back");
    return oid;
  },
});

const MAX_DEPTH = 16;

/** Goes through all elements; gives their number. */
function walk(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, depth: number): number {
  const reader = new DerReader(bytes, { start, end });
  let elementCount = 0;
  while (!reader.isAtEnd) {
    const tag = reader.read();
    elementCount++;
    const { contentStart, contentEnd } = reader;
    demand(contentEnd <= end && contentStart <= contentEnd, "an element lies in its parent");
    const isConstructed = (tag & 0x20) !== 0;
    if (isConstructed && depth < MAX_DEPTH) {
      elementCount += walk(bytes, contentStart, contentEnd, depth + 1);
    }
  }
  return elementCount;
}

const der = inputTarget({
  name: "tls/der",
  drives: ["tls/der_reader.ts"],
  pieces: [...BYTES, "\x30\x80", "\x02\x01\x00", "\x03\x02\x00\xff", "\x06\x01\x2a"],
  throws: [CertificateError],
  run(input) {
    const elementCount = walk(input, 0, input.length, 0);
    demand(elementCount * 2 <= input.length, "an element has two bytes at least");
    return elementCount === 0 ? undefined : elementCount;
  },
});

const clientHello = inputTarget({
  name: "tls/client_hello",
  drives: ["tls/client_hello.ts"],
  pieces: [...BYTES, "\x16\x03\x01", "\x03\x04", "\x00\x00", "\x00\x10", "\x00\x2b"],
  throws: [LimitExceededError],
  async run(input, random) {
    const read = (chunks: readonly Uint8Array[], maxBytes: number) => {
      const reader = new ClientHelloReader(maxBytes);
      for (const chunk of chunks) {
        const result = reader.receive(chunk);
        if (result !== undefined) return result;
      }
      return { type: "more", byteCount: reader.bytes.length };
    };
    // Far from the bound, which is passed sooner by what comes in pieces.
    await readBothWays(input, random, (chunks) => read(chunks, 1 << 20), []);
    return read(cut(input, random), 200);
  },
});

const hostname = textTarget({
  name: "tls/hostname",
  drives: ["tls/verify_hostname.ts", "tls/dns_identifier.ts"],
  pieces: [
    ".",
    "*.",
    "*",
    "-",
    "_",
    "\0",
    "xn--",
    "[",
    "]",
    ":",
    "::1",
    "127.0.0.1",
    "a".repeat(64),
    "EXAMPLE",
    "\xff",
  ],
  throws: [HostnameError, TypeError],
  run(text) {
    const [certificate] = parseCertificates(
      Deno.readTextFileSync(new URL("../tls/leaf.pem", import.meta.url)),
    );
    const [presented = "", wanted = text] = text.split("|");
    const subjectAltName = presented === "" ? [] : [{ type: "dns", value: presented }];
    try {
      verifyHostname(certificate!, wanted);
    } catch (error) {
      if (!(error instanceof HostnameError) && !(error instanceof TypeError)) throw error;
    }
    verifyHostname({ subjectAltName } as never, wanted);
    demand(
      presented !== "" && !wanted.includes("*") &&
        !wanted.includes("\0"),
      "no pattern is a host",
    );
    return wanted;
  },
});

/** All of them. */
export const TLS_TARGETS: readonly InputTarget[] = [
  ...[pem, privateKey, objectIdentifier, der, clientHello, hostname],
];
