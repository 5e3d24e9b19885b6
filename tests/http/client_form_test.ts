import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClientForm } from "../../http/client_form.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

const URLENCODED = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data; boundary=x";
const PART = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n';

Deno.test("ClientForm.parse() reads both kinds", async () => {
  const urlencoded = await new ClientForm(URLENCODED).parse(bytesOf("a=b&c=%20"), {});
  assertEquals([...urlencoded], [["a", "b"], ["c", " "]]);
  const multipart = await new ClientForm(MULTIPART).parse(bytesOf(`${PART}b\r\n--x--\r\n`), {});
  assertEquals([...multipart], [["a", "b"]]);
  assertEquals([...await new ClientForm(URLENCODED).parse(new Uint8Array(0), {})], []);
});

Deno.test("ClientForm refuses what is no form", () => {
  const rows = [
    undefined,
    "",
    "text/plain",
    "multipart/form-data",
    "multipart/mixed; boundary=x",
    `${URLENCODED}; charset=nobody-knows`,
  ];
  for (const type of rows) assertThrows(() => new ClientForm(type), TypeError);
});

Deno.test("ClientForm.parse() refuses what is malformed, cut or too much", async () => {
  const parse = (type: string, text: string, limits = {}): Promise<FormData> =>
    new ClientForm(type).parse(bytesOf(text), limits);
  await assertRejects(() => parse(URLENCODED, "%"), HttpProtocolError);
  await assertRejects(() => parse(URLENCODED, "a&b", { maxFields: 1 }), LimitExceededError);
  await assertRejects(() => parse(MULTIPART, ""), HttpProtocolError);
  await assertRejects(() => parse(MULTIPART, `${PART}b\r\n--x`), HttpProtocolError);
  const two = `${PART}b\r\n${PART}b\r\n--x--`;
  await assertRejects(() => parse(MULTIPART, two, { maxParts: 1 }), LimitExceededError);
});
