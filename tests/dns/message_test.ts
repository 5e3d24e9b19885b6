import { assertEquals } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import { emptyRecord } from "../../dns/message.ts";

Deno.test("emptyRecord() makes records that an update takes there and back", () => {
  const authorities = [
    emptyRecord("a.example.", "A", "ANY"),
    emptyRecord("a.example.", "ANY", "ANY"),
    emptyRecord("b.example.", "MX", "NONE"),
    emptyRecord("c.example.", "TYPE65280", "NONE"),
  ];
  const { opcode, authorities: again } = decodeMessage(
    encodeMessage({ opcode: "UPDATE", authorities }),
  );
  assertEquals([opcode, again], ["UPDATE", authorities]);
});
