import { formatRecordClass, parseRecordClass } from "../../dns/record_class.ts";
import { testMnemonics } from "./mnemonic_tests.ts";

testMnemonics({
  names: ["formatRecordClass", "parseRecordClass"],
  format: formatRecordClass,
  parse: parseRecordClass,
  prefix: "CLASS",
  max: 65535,
  named: [
    [1, "IN"],
    [3, "CH"],
    [4, "HS"],
    [254, "NONE"],
    [255, "ANY"],
    [2, "CLASS2"],
  ],
});
