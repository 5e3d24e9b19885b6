import { testRdata } from "./rdata_rows.ts";

testRdata("TSIG", [
  {
    text: "hmac-sha256. 1368386956 60 3 AAEC 12345 NOERROR 0",
    hex: "0b686d61632d73686132353600 0000518fed8c 003c 0003 000102 3039 0000 0000",
  },
  {
    text: "a. 281474976710655 300 0 1 BADTIME 6 AAAAAAAB",
    hex: "016100 ffffffffffff 012c 0000 0001 0012 0006 000000000001",
  },
  { text: "a. 1 300 0 1 BADSIG 0", hex: "016100 000000000001 012c 0000 0001 0010 0000" },
  {
    text: "a. 1 300 0 1 BADVERS 0",
    hex: "016100 000000000001 012c 0000 0001 0010 0000",
    printed: "a. 1 300 0 1 BADSIG 0",
  },
  { text: "a. 1 300 0 1 40 0", hex: "016100 000000000001 012c 0000 0001 0028 0000" },
  { text: "a. 1 300 0 1 65535 0", hex: "016100 000000000001 012c 0000 0001 ffff 0000" },
], {
  text: {
    "a time of 49 bits": "a. 281474976710656 300 0 1 0 0",
    "a length that is not that of the bytes": "a. 1 300 2 AAEC 1 0 0",
    "an unknown error": "a. 1 300 0 1 FOO 0",
    "no other length": "a. 1 300 0 1 0",
    "no error": "a. 1 300 0 1",
  },
  wire: {
    "a code beyond the end": "016100 000000000001 012c 0002 00",
    "bytes left": "016100 000000000001 012c 0000 0001 0000 0000 00",
  },
  data: {
    "a time of 49 bits": {
      algorithm: "a.",
      timeSigned: 2 ** 48,
      fudge: 0,
      mac: new Uint8Array(0),
      originalId: 0,
      error: 0,
      otherData: new Uint8Array(0),
    },
  },
});

testRdata("TKEY", [
  {
    text: "gss. 19700101000001 2 3 0 3 AAEC 0",
    hex: "0367737300 00000001 00000002 0003 0000 0003 000102 0000",
    printed: "gss. 1 2 3 NOERROR 3 AAEC 0",
  },
], {
  text: { "no lengths": "gss. 1 2 3 0" },
  wire: { "no lengths": "0367737300 0000000100000002" },
});
