import { assertEquals, assertThrows } from "@std/assert";
import { HttpProtocolError } from "../../http/errors.ts";
import { HeaderList } from "../../http/header_list.ts";
import { readPartHead } from "../../http/multipart_part_head.ts";

function headOf(disposition: string, type?: string): ReturnType<typeof readPartHead> {
  const fields: [string, string][] = [["content-disposition", disposition]];
  if (type !== undefined) fields.push(["Content-Type", type]);
  return readPartHead(new HeaderList(fields));
}

for (
  const [disposition, name, filename] of [
    ['form-data; name="a"', "a", undefined],
    ["FORM-DATA; NAME=a", "a", undefined],
    ['form-data; name=""', "", undefined],
    ['form-data; name="a"; filename="b.txt"', "a", "b.txt"],
    ['form-data; filename=""; name="a"', "a", ""],
    ['form-data; name="a"; filename="../../etc/passwd"', "a", "passwd"],
    ['form-data; name="a"; filename="C:\\\\x\\y.txt"', "a", "y.txt"],
    ['form-data; name="a"; filename=".."', "a", ""],
    ['form-data; name="\xc3\xa4"; filename="\xe2\x82\xac.txt"', "\u00e4", "\u20ac.txt"],
    ['form-data; name="\xff"', "\ufffd", undefined],
    ["form-data; name=a; filename=x; filename*=UTF-8''..%2F%e2%82%ac", "a", "\u20ac"],
  ] as const
) {
  Deno.test(`readPartHead() reads ${disposition}`, () => {
    const head = headOf(disposition);
    assertEquals([head.name, head.filename], [name, filename]);
  });
}

Deno.test("readPartHead() gives the type as sent, text/plain where there is none", () => {
  assertEquals(headOf("form-data; name=a").type, "text/plain");
  assertEquals(headOf("form-data; name=a", "").type, "text/plain");
  assertEquals(headOf("form-data; name=a", "Image/PNG; x=y").type, "Image/PNG; x=y");
});

for (
  const disposition of [
    "",
    "form-data",
    "attachment; name=a",
    "form-data; filename=a",
    "form-data; name=a; name=b",
    'form-data; name="a',
    "form-data; name=a b",
    "form-data, name=a",
  ]
) {
  Deno.test(`readPartHead() throws on ${JSON.stringify(disposition)}`, () => {
    const error = assertThrows(() => headOf(disposition), HttpProtocolError);
    assertEquals([error.code, error.statusHint], ["ERR_HTTP_BAD_MULTIPART", 400]);
  });
}
