import { testRdata } from "./rdata_rows.ts";

for (const type of ["NULL", "OPT", "WKS", "TYPE731"]) {
  testRdata(type, [
    { text: "\\# 6 ABCD EF 01 2345", hex: "abcdef012345", printed: "\\# 6 ABCDEF012345" },
    { text: "\\# 0", hex: "" },
  ], {
    text: {
      "nothing": "",
      "no mark": "6 abcdef012345",
      "another mark": "# 0",
      "no length": "\\#",
      "a length too small": "\\# 1 0000",
      "a length too large": "\\# 3 0000",
      "half a byte": "\\# 1 000",
      "no hexadecimal": "\\# 1 0g",
    },
  });
}
