import { assertEquals } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import { equalNames } from "../../dns/name.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { randomizeCase, restoreCase } from "../../dns/query_case.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

Deno.test("randomizeCase() takes one bit per letter and draws again after 16", () => {
  const words = [0xffff, 0x0001];
  assertEquals(
    randomizeCase("ABCDEFGH.abcdefgh.ijk.", () => words.shift()!),
    "ABCDEFGH.ABCDEFGH.Ijk.",
  );
});

Deno.test("randomizeCase() leaves what is no letter alone", () => {
  assertEquals(randomizeCase("a\\.b\\200-1.", () => 0xffff), "A\\.B\\200-1.");
  assertEquals(randomizeCase(".", () => 0xffff), ".");
});

Deno.test("randomizeCase() gives equal names", () => {
  const random = new SeededRandom(3);
  for (let round = 0; round < 200; round++) {
    const name = randomizeCase("Www.Example.com.", () => random.int(0x1_0000));
    assertEquals(equalNames(name, "www.example.com."), true);
  }
});

Deno.test("restoreCase() puts the name back in every section, and nothing else", () => {
  const message = decodeMessage(encodeMessage({
    questions: [{ name: "A.eXample.", type: "A", class: "IN" }],
    answers: [
      parseRecord("A.eXample. 1 IN CNAME B.eXample."),
      parseRecord("B.eXample. 1 IN A 192.0.2.1"),
    ],
    authorities: [parseRecord("A.eXample. 1 IN NS ns.")],
    additionals: [parseRecord("a.EXAMPLE. 1 IN A 192.0.2.1")],
  }));
  const restored = restoreCase(message, "a.Example.");
  const owners = [
    ...restored.questions,
    ...restored.answers,
    ...restored.authorities,
    ...restored.additionals,
  ].map(({ name }) => name);
  assertEquals(owners, ["a.Example.", "a.Example.", "B.eXample.", "a.Example.", "a.Example."]);
  assertEquals(restored.answers[0]?.data, message.answers[0]?.data);
});
