import { testRdata } from "./rdata_rows.ts";

const BAD_TARGET = {
  text: { "nothing": "", "quotes": '"a."', "two names": "a. b.", "an empty label": "a..b." },
  wire: { "nothing": "", "no end": "0161", "two names": "016100016200", "a long label": "4061" },
  data: { "an empty label": { target: "a..b." } },
} as const;

for (const type of ["NS", "MD", "MF", "CNAME", "MB", "MG", "MR", "PTR", "NSAP-PTR", "DNAME"]) {
  testRdata(type, [
    { text: "a.b.", hex: "0161016200" },
    { text: "a", hex: "0161076578616d706c6500", printed: "a.example." },
    { text: "@", hex: "076578616d706c6500", printed: "example." },
    { text: ".", hex: "00" },
  ], BAD_TARGET);
}

testRdata("SOA", [
  {
    text: "a. b. 1 2 3 4 4294967295",
    hex: "016100 016200 00000001 00000002 00000003 00000004 ffffffff",
  },
  {
    text: "a. b. ( 1 ; serial\n 1h 2m 3s 1w2d )",
    hex: "016100 016200 00000001 00000e10 00000078 00000003 000bdd80",
    printed: "a. b. 1 3600 120 3 777600",
  },
], {
  text: { "six fields": "a. b. 1 2 3 4", "a serial with a unit": "a. b. 1h 2 3 4 5" },
  wire: { "six fields": "016100 016200 00000001 00000002 00000003 00000004" },
});

testRdata("MX", [{ text: "10 a.", hex: "000a016100" }, { text: "0 .", hex: "000000" }], {
  text: { "no number": "a.", "a number too large": "65536 a.", "a sign": "+1 a." },
  wire: { "half a number": "00", "no name": "000a" },
  data: { "a number too large": { preference: 65_536, exchange: "a." } },
});

testRdata("DSYNC", [
  {
    // RFC 9859 section 3.
    text: "CDS NOTIFY 53 *._dsync.example.",
    hex: "003b 01 0035 012a065f6473796e63076578616d706c6500",
  },
  { text: "TYPE64000 255 65535 .", hex: "fa00 ff ffff 00" },
  {
    text: "csync 1 1 a",
    hex: "003e 01 0001 0161076578616d706c6500",
    printed: "CSYNC NOTIFY 1 a.example.",
  },
], {
  text: {
    "an unknown scheme": "CDS FOO 53 a.",
    "no target": "CDS NOTIFY 53",
    "no type": "0 1 53 a.",
  },
  wire: { "no target": "003b010035", "a pointer": "003b010035c000" },
});

testRdata("MINFO", [{ text: "a. b.", hex: "016100016200" }], { text: { "one name": "a." } });
testRdata("RP", [{ text: "a. b.", hex: "016100016200" }], { text: { "one name": "a." } });
testRdata("AFSDB", [{ text: "1 a.", hex: "0001016100" }], { text: { "no number": "a." } });
testRdata("RT", [{ text: "1 a.", hex: "0001016100" }], { text: { "no number": "a." } });
testRdata("PX", [{ text: "1 a. b.", hex: "0001016100016200" }], { text: { "one name": "1 a." } });
testRdata("KX", [{ text: "1 a.", hex: "0001016100" }], { text: { "no number": "a." } });
testRdata("LP", [{ text: "1 a.", hex: "0001016100" }], { text: { "no number": "a." } });
testRdata("SRV", [{ text: "1 2 3 a.", hex: "000100020003016100" }], {
  text: { "no port": "1 2 a.", "a port too large": "1 2 65536 a." },
  wire: { "no name": "000100020003" },
});
testRdata("NAPTR", [
  {
    text: '100 50 "s" "http+I2L+I2C+I2R" "" _http._tcp.foo.com.',
    hex:
      "0064 0032 0173 10687474702b49324c2b4932432b493252 00 055f68747470045f74637003666f6f03636f6d00",
  },
  {
    text: '1 2 u sip "!^.*$!a\\\\1!" .',
    hex: "0001 0002 0175 03736970 0a215e2e2a2421615c3121 00",
    printed: '1 2 "u" "sip" "!^.*$!a\\\\1!" .',
  },
], { text: { "four fields": '1 2 "" ""' }, wire: { "no name": "00010002000000" } });
