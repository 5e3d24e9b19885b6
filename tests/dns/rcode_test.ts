import { formatRcode, parseRcode } from "../../dns/rcode.ts";
import { testMnemonics } from "./mnemonic_tests.ts";

testMnemonics({
  names: ["formatRcode", "parseRcode"],
  format: formatRcode,
  parse: parseRcode,
  prefix: "RCODE",
  max: 4095,
  named: [
    [0, "NOERROR"],
    [11, "DSOTYPENI"],
    [16, "BADVERS"],
    [23, "BADCOOKIE"],
    [12, "RCODE12"],
    [4095, "RCODE4095"],
  ],
});
