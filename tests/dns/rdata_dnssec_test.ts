import { testRdata } from "./rdata_rows.ts";

const SHA1 = "2BB183AF5F22588179A53B0A98631FAD1A292118";

for (const type of ["DS", "CDS", "DLV"]) {
  testRdata(type, [
    { text: `60485 5 1 ${SHA1}`, hex: `ec450501${SHA1}` },
    {
      text: "60485 RSASHA1 SHA-1 ( 2bb183af5f22588179a5\n 3b0a98631fad1a292118 )",
      hex: `ec450501${SHA1}`,
      printed: `60485 5 1 ${SHA1}`,
    },
    { text: "0 0 0 00", hex: "0000000000" },
  ], {
    text: {
      "no digest": "1 2 3",
      "a short digest": `1 2 1 ${SHA1.slice(2)}`,
      "a long digest": `1 2 1 ${SHA1}00`,
      "half a byte": "1 2 0 0",
      "no hexadecimal": "1 2 0 0g",
      "an unknown algorithm": "1 FOO 1 00",
    },
    wire: {
      "no digest": "00010203",
      "a short SHA-256": `00010202${SHA1}`,
      "a short SHA-384": `00010204${SHA1}`,
    },
    data: {
      "no digest": { keyTag: 1, algorithm: 2, digestType: 9, digest: new Uint8Array(0) },
      "a short digest": { keyTag: 1, algorithm: 2, digestType: 1, digest: new Uint8Array(19) },
    },
  });
}

for (const type of ["KEY", "DNSKEY", "CDNSKEY"]) {
  testRdata(type, [
    { text: "257 3 13 AAEC", hex: "0101030d000102" },
    { text: "257 DNSSEC ECDSAP256SHA256 AA EC", hex: "0101030d000102", printed: "257 3 13 AAEC" },
  ], {
    text: { "two fields": "257 3", "no base64": "257 3 13 A", "quotes": '257 3 13 "AAEC"' },
    wire: { "three bytes": "010103" },
  });
}

for (const type of ["SIG", "RRSIG"]) {
  testRdata(type, [
    {
      text: "A 5 3 86400 20030322173103 20030220173103 2642 example.com. AAEC",
      hex: "0001 05 03 00015180 3e7c9dd7 3e5510d7 0a52 076578616d706c6503636f6d00 000102",
    },
    {
      text: "TYPE4711 RSASHA256 0 1d 1 0 0 . ( AA\n EC )",
      hex: "1267 08 00 00015180 00000001 00000000 0000 00 000102",
      printed: "TYPE4711 8 0 86400 19700101000001 19700101000000 0 . AAEC",
    },
  ], {
    text: {
      "an unknown type": "FOO 5 3 86400 1 1 1 . AAEC",
      "a time of eleven digits": "A 5 3 86400 10000000000 1 1 . AAEC",
      "a day that is none": "A 5 3 86400 20030229000000 1 1 . AAEC",
      "no signer": "A 5 3 86400 1 1 1",
    },
    wire: { "no signer": "0001 05 03 00015180 00000001 00000000 0000" },
    data: { "an unknown type": { typeCovered: "FOO" } },
  });
}

testRdata("ZONEMD", [
  { text: "2018031500 1 3 000102030405060708090A0B", hex: "7848b78c0103000102030405060708090a0b" },
], {
  text: { "eleven bytes": "1 1 3 000102030405060708090A", "a short SHA-384": `1 1 1 ${SHA1}` },
  wire: {
    "a short SHA-512": `0000000101 02 ${SHA1}`,
    "eleven bytes": "000000010103000102030405060708090a",
  },
});

// RFC 2535 section 3.1.2 and RFC 8078 section 4: both say that there is no key.
testRdata("KEY", [{ text: "49152 3 8", hex: "c0000308" }], {
  text: { "no key, and half of the flags for it": "32768 3 8", "no key": "0 0 0" },
  wire: { "no key": "00000000" },
  data: { "no key": { flags: 0, protocol: 3, algorithm: 8, publicKey: new Uint8Array(0) } },
});
testRdata("CDNSKEY", [
  { text: "0 3 0", hex: "00000300" },
  { text: "0 3 0 AA==", hex: "0000030000" },
], { text: { "no key": "257 3 8" }, wire: { "no key": "01010308" } });
testRdata("DNSKEY", [], {
  text: { "no key": "49152 3 0" },
  wire: { "no key": "c0000300" },
  data: { "no key": { flags: 49_152, protocol: 3, algorithm: 0, publicKey: new Uint8Array(0) } },
});
