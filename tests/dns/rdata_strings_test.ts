import { testRdata } from "./rdata_rows.ts";

const LONG = "x".repeat(255);

for (const type of ["TXT", "SPF", "NINFO", "AVC", "RESINFO", "WALLET"]) {
  testRdata(type, [
    { text: '"a b" ""', hex: "03612062 00" },
    { text: "a b", hex: "0161 0162", printed: '"a" "b"' },
    { text: '"\\000\\"\\\\\\255;()"', hex: "0700225cff3b2829" },
    { text: `"${LONG}"`, hex: `ff${"78".repeat(255)}` },
  ], {
    text: {
      "nothing": "",
      "a string of 256 bytes": `"${LONG}x"`,
      "an open quote": '"a',
      "a byte above 255": "\\256",
      "a broken escape": "\\12",
    },
    wire: { "nothing": "", "a string beyond the end": "0261", "a second one beyond": "016102" },
    data: { "nothing": { strings: [] }, "256 bytes": { strings: [new Uint8Array(256)] } },
  });
}

testRdata("HINFO", [{ text: '"PC" "Unix"', hex: "025043 04556e6978" }], {
  text: { "one string": '"PC"', "three": "a b c" },
  wire: { "one string": "025043" },
});
testRdata("X25", [{ text: '"311061700956"', hex: "0c333131303631373030393536" }], {
  wire: { "nothing": "" },
});
testRdata("ISDN", [
  { text: '"150862028003217" "004"', hex: "0f313530383632303238303033323137 03303034" },
  { text: '"1"', hex: "0131" },
  { text: '"1" ""', hex: "0131 00" },
], { text: { "three": "1 2 3" }, wire: { "nothing": "", "three": "000000" } });

testRdata("GPOS", [{
  // RFC 1712 section 5.
  text: '"-32.6882" "116.8652" "10.0"',
  hex: "08 2d33322e36383832 08 3131362e38363532 04 31302e30",
}], { text: { "two strings": "1 2" }, wire: { "two strings": "0000" } });

testRdata("URI", [{ text: '10 1 "ftp://a/"', hex: "000a 0001 6674703a2f2f612f" }], {
  text: { "no target": "10 1", "an empty target": '10 1 ""' },
  wire: { "an empty target": "000a0001" },
  data: { "an empty target": { priority: 1, weight: 1, target: new Uint8Array(0) } },
});

testRdata("CAA", [
  { text: '0 issue ";"', hex: "00 056973737565 3b" },
  { text: '128 Tbs ""', hex: "80 03546273" },
  { text: `0 x "${LONG}y"`, hex: `00 0178 ${"78".repeat(255)}79` },
], {
  text: {
    "an empty tag": '0 "" a',
    "a hyphen in the tag": "0 a-b c",
    "no value": "0 issue",
    "two values": "0 issue a b",
  },
  wire: { "no tag": "00", "an empty tag": "000061", "a hyphen in the tag": "00012d" },
  data: {
    "an empty tag": { flags: 0, tag: "", value: new Uint8Array(0) },
    "a tag of 256 letters": { flags: 0, tag: `${LONG}x`, value: new Uint8Array(0) },
  },
});
