import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  FORM_TYPES,
  formFormat,
  MULTIPART_TYPES,
  multipartForm,
  urlencodedForm,
} from "../../http/body_form.ts";
import { HttpError } from "../../http/errors.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { filePart, multipart, part } from "../_support/multipart_script.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { ScriptedBody } from "../_support/scripted_body.ts";

for (
  const [type, format] of [
    ["application/x-www-form-urlencoded", { type: "urlencoded", charset: "utf-8" }],
    [
      'Application/X-WWW-Form-Urlencoded; charset="UTF8"',
      { type: "urlencoded", charset: "utf-8" },
    ],
    [
      "application/x-www-form-urlencoded;charset=latin1",
      { type: "urlencoded", charset: "windows-1252" },
    ],
    ["multipart/form-data; boundary=x", { type: "multipart", boundary: "x" }],
    ['multipart/form-data; boundary="x y"; charset=utf-8', { type: "multipart", boundary: "x y" }],
  ] as const
) {
  Deno.test(`formFormat() of ${type}`, () => {
    assertEquals(formFormat(type, FORM_TYPES), format);
  });
}

for (
  const [type, status] of [
    [undefined, 415],
    ["", 415],
    ["text/plain", 415],
    ["multipart/mixed; boundary=x", 415],
    ["application/x-www-form-urlencoded; charset=x-none", 415],
    ["application/x-www-form-urlencoded, text/plain", 415],
    ["multipart/form-data; boundary=x; boundary=y", 415],
    ["multipart/form-data", 400],
    ['multipart/form-data; boundary=""', 400],
    ['multipart/form-data; boundary="a\tb"', 400],
    [`multipart/form-data; boundary=${"a".repeat(71)}`, 400],
  ] as const
) {
  Deno.test(`formFormat() throws an HttpError ${status} on ${type}`, () => {
    assertEquals(assertThrows(() => formFormat(type, FORM_TYPES), HttpError).status, status);
  });
}

Deno.test("formFormat() takes what is accepted only", () => {
  const type = "application/x-www-form-urlencoded";
  assertEquals(assertThrows(() => formFormat(type, MULTIPART_TYPES), HttpError).status, 415);
});

Deno.test("urlencodedForm() keeps order and duplicates", () => {
  const form = urlencodedForm(bytesOf("a=1&b=%fc&a=2"), "windows-1252", {});
  assertEquals([...form], [["a", "1"], ["b", "\u00fc"], ["a", "2"]]);
  const max = { maxFields: 2 };
  assertThrows(() => urlencodedForm(bytesOf("a&b&c"), "utf-8", max), LimitExceededError);
});

Deno.test("multipartForm() makes text of fields and files of files", async () => {
  const wire = multipart("x", [
    part("a", "\xc3\xbc"),
    filePart("f", "dir/f.bin", "\0\xff"),
    filePart("none", "", ""),
    part("a", "2"),
  ]);
  const form = await multipartForm(new ScriptedBody([wire]), "x", {}, 1_000);
  assertEquals(form.getAll("a"), ["\u00fc", "2"]);
  const file = form.get("f") as File;
  assertEquals([file.name, file.type, file.size], ["f.bin", "application/octet-stream", 2]);
  assertEquals(textOf(await file.bytes()), "\0\xff");
  const none = form.get("none") as File;
  assert(none instanceof File);
  assertEquals([none.name, none.size], ["", 0]);
});

Deno.test("multipartForm() bounds the whole of the form", async () => {
  const wire = multipart("x", [part("a", "1".repeat(50)), part("b", "2".repeat(50))]);
  const read = (maxBytes: number) =>
    multipartForm(new ScriptedBody([wire.slice(0, 99), wire.slice(99)]), "x", {}, maxBytes);
  assertEquals([...(await read(wire.length)).keys()], ["a", "b"]);
  const error = await assertRejects(() => read(wire.length - 1), LimitExceededError);
  assertEquals([error.limit, error.statusHint], ["maxBodyBytes", 413]);
});
