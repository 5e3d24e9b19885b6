import { formatOpcode, parseOpcode } from "../../dns/opcode.ts";
import { testMnemonics } from "./mnemonic_tests.ts";

testMnemonics({
  names: ["formatOpcode", "parseOpcode"],
  format: formatOpcode,
  parse: parseOpcode,
  prefix: "OPCODE",
  max: 15,
  named: [
    [0, "QUERY"],
    [4, "NOTIFY"],
    [5, "UPDATE"],
    [6, "DSO"],
    [3, "OPCODE3"],
  ],
});
