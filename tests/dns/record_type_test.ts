import { formatRecordType, parseRecordType } from "../../dns/record_type.ts";
import { testMnemonics } from "./mnemonic_tests.ts";

testMnemonics({
  names: ["formatRecordType", "parseRecordType"],
  format: formatRecordType,
  parse: parseRecordType,
  prefix: "TYPE",
  max: 65535,
  named: [
    [1, "A"],
    [28, "AAAA"],
    [65, "HTTPS"],
    [255, "ANY"],
    [262, "WALLET"],
    [32_769, "DLV"],
    [54, "TYPE54"],
    [65_535, "TYPE65535"],
  ],
});
