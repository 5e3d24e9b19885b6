import { testRdata } from "./rdata_rows.ts";

testRdata("CERT", [
  { text: "1 12179 3 AAEC", hex: "0001 2f93 03 000102", printed: "PKIX 12179 DSA AAEC" },
  { text: "PGP 0 RSASHA256 AAEC", hex: "0003 0000 08 000102" },
  { text: "OID 0 NSEC3DSA AAEC", hex: "00fe 0000 06 000102" },
  { text: "300 0 99 AAEC", hex: "012c 0000 63 000102" },
], { text: { "an unknown type": "FOO 0 0 AAEC" }, wire: { "four bytes": "00010000" } });

testRdata("SSHFP", [
  {
    text: "2 1 123456789ABCDEF67890123456789ABCDEF67890",
    hex: "02 01 123456789abcdef67890123456789abcdef67890",
  },
], { text: { "no fingerprint": "2 1" }, wire: { "no fingerprint": "0201" } });

for (const type of ["TLSA", "SMIMEA"]) {
  testRdata(type, [
    { text: "3 1 1 00FF", hex: "03 01 01 00ff" },
    { text: "DANE-EE SPKI SHA2-256 00 ff", hex: "03 01 01 00ff", printed: "3 1 1 00FF" },
  ], { text: { "two fields": "3 1" }, wire: { "two bytes": "0301" } });
}

testRdata("OPENPGPKEY", [{ text: "AAEC", hex: "000102" }], {
  text: { "nothing": "" },
  wire: { "nothing": "" },
});

testRdata("DHCID", [
  {
    // RFC 4701 section 3.6.2.
    text: "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No=",
    hex: "0001 01 3920fe5d1dceb3fd0ba3379756a70d73b17009f41d58bddbfcd6a2503956d8da",
  },
  // RFC 4701 section 3.1: opaque to all but DHCP.
  { text: "AA==", hex: "00" },
], { text: { "nothing": "" }, wire: { "nothing": "" } });

for (const type of ["HHIT", "BRID"]) {
  testRdata(type, [{ text: "aaaa", hex: "69a69a" }, { text: "AA==", hex: "00" }], {
    text: { "nothing": "" },
    wire: { "nothing": "" },
  });
}
