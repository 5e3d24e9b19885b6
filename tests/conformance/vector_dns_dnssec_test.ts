import { createHash } from "node:crypto";
import { assertEquals } from "@std/assert";
import { encodeBase32Hex } from "../../dns/base32hex.ts";
import { dsDigestInput, keyTag } from "../../dns/key_tag.ts";
import { nsec3Hash } from "../../dns/nsec3_hash.ts";
import { decodeRdata, encodeRdata, parseRdata } from "../../dns/rdata.ts";
import { RdataText } from "../../dns/rdata_text.ts";
import { loadVectors } from "../_support/vectors.ts";

/** A record in both forms. */
interface RecordRow {
  readonly owner: string;
  readonly type: string;
  readonly text: string;
  readonly rdata_hex: string;
}

interface DnssecCase {
  readonly id: string;
  readonly kind: "rrsig" | "ds" | "nsec3hash" | "base32hex" | "keytag";
  readonly expect: string;
  readonly ds?: readonly RecordRow[];
  readonly dnskey?: readonly RecordRow[];
  readonly keys?: readonly RecordRow[];
  readonly rrset?: readonly RecordRow[];
  readonly rrsigs?: readonly Omit<RecordRow, "type">[];
  readonly key_tag?: number;
  readonly name?: string;
  readonly salt_hex?: string;
  readonly iterations?: number;
  readonly hex?: string;
}

/** Digests of DS by their type. */
const HASHES: Readonly<Record<number, string>> = { 1: "sha1", 2: "sha256", 4: "sha384" };

function hash(algorithm: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(bytes).digest());
}

const vectors = loadVectors<{ readonly cases: readonly DnssecCase[] }>("dns-dnssec");

function casesOf(kind: DnssecCase["kind"]): readonly DnssecCase[] {
  return vectors!.cases.filter((one) => one.kind === kind);
}

Deno.test({
  name: "dns-dnssec vectors: text and wire of every record",
  ignore: vectors === undefined,
  fn(): void {
    for (const { id, ds = [], dnskey = [], keys = [], rrset = [], rrsigs = [] } of vectors!.cases) {
      const signatures = rrsigs.map((row) => ({ ...row, type: "RRSIG" }));
      for (
        const { type, text, rdata_hex } of [...ds, ...dnskey, ...keys, ...rrset, ...signatures]
      ) {
        const data = parseRdata(type, text, { origin: "." });
        assertEquals(encodeRdata(type, data).toHex(), rdata_hex, id);
        assertEquals(decodeRdata(type, Uint8Array.fromHex(rdata_hex)), data, id);
      }
    }
  },
});

Deno.test({
  name: "dns-dnssec vectors: tags of keys, and what a DS digests",
  ignore: vectors === undefined,
  fn(): void {
    for (const { id, ds = [], dnskey = [], key_tag, expect } of casesOf("ds")) {
      const key = decodeRdata("DNSKEY", Uint8Array.fromHex(dnskey[0]!.rdata_hex));
      assertEquals(keyTag(key), key_tag, id);
      const { digestType, digest } = decodeRdata("DS", Uint8Array.fromHex(ds[0]!.rdata_hex));
      const algorithm = HASHES[digestType];
      if (algorithm === undefined) continue;
      const ours = hash(algorithm, dsDigestInput(dnskey[0]!.owner, key));
      assertEquals(ours.toHex() === digest.toHex(), expect === "match", id);
    }
  },
});

Deno.test({
  name: "dns-dnssec vectors: hashes of NSEC3",
  ignore: vectors === undefined,
  fn(): void {
    for (const { id, name, salt_hex, iterations, expect } of casesOf("nsec3hash")) {
      const salt = Uint8Array.fromHex(salt_hex!);
      const options = { salt, iterations: iterations!, maxIterations: 65_535 };
      const ours = nsec3Hash(name!, (bytes) => hash("sha1", bytes), options);
      assertEquals(encodeBase32Hex(ours).toLowerCase(), expect, id);
    }
  },
});

Deno.test({
  name: "dns-dnssec vectors: base32hex",
  ignore: vectors === undefined,
  fn(): void {
    for (const { id, hex, expect } of casesOf("base32hex")) {
      assertEquals(encodeBase32Hex(Uint8Array.fromHex(hex!)).toLowerCase(), expect, id);
      if (expect !== "") assertEquals(RdataText.from(expect).base32hex().toHex(), hex, id);
    }
  },
});
