import { assertEquals } from "@std/assert";
import {
  formatContentDisposition,
  parseContentDisposition,
  setAttachment,
} from "../../http/content_disposition.ts";

for (
  const [value, name, filename] of [
    ['form-data; name="a"', "a", undefined],
    ["form-data; name=a; filename=b", "a", "b"],
    ["inline", undefined, undefined],
    // How browsers write quotes and line ends, and how some clients do.
    ['form-data; name="a%22b%0D%0Ac"', 'a"b\r\nc', undefined],
    ['form-data; name="a%41%0d%2522"', "a%41%0d%2522", undefined],
    ['form-data; name="a\\"b\\\\c"', 'a"b\\c', undefined],
    ['form-data; name=a; filename="C:\\dir\\new.txt"', "a", "C:\\dir\\new.txt"],
    ['form-data; name=a; filename="dir\\"', "a", "dir\\"],
    ['attachment; filename="\u20ac \u{1f600}.txt"', undefined, "\u20ac \u{1f600}.txt"],
    // RFC 8187.
    ["attachment; filename=x; filename*=UTF-8''%e2%82%ac%20rates", undefined, "\u20ac rates"],
    ["attachment; filename*=utf-8'en'a!#$&+-.^_`|~b; filename=x", undefined, "a!#$&+-.^_`|~b"],
    ["attachment; filename*=iso-8859-1''%A3%20rates", undefined, "\u00a3 rates"],
    ["attachment; filename=x; filename*=UTF-8''%ff", undefined, "x"],
    ["attachment; filename=x; filename*=UTF-8''%c0%af", undefined, "x"],
    ["attachment; filename=x; filename*=UTF-8''a%00b", undefined, "x"],
    ["attachment; filename=x; filename*=UTF-8''a%2", undefined, "x"],
    ["attachment; filename=x; filename*=latin9''a", undefined, "x"],
    ["attachment; filename=x; filename*=UTF-8'a", undefined, "x"],
    ["attachment; filename*=UTF-8'a", undefined, undefined],
  ] as const
) {
  Deno.test(`parseContentDisposition() parses ${value}`, () => {
    const parsed = parseContentDisposition(value)!;
    assertEquals([parsed.name, parsed.filename], [name, filename]);
  });
}

for (
  const value of [
    "",
    ";",
    '"form-data"',
    "form-data name=a",
    "form-data; name",
    "form-data; name=a; Name=b",
    'form-data; name="a"b',
    'form-data; name="a',
    'form-data; name="a\r\nb"',
    'form-data; name="a\\"; filename="b"',
    "form-data; name=a b",
    "attachment; filename*=UTF-8''a b",
    "attachment; filename*=\"UTF-8''a\"; filename*=b",
  ]
) {
  Deno.test(`parseContentDisposition() refuses ${JSON.stringify(value)}`, () => {
    assertEquals(parseContentDisposition(value), undefined);
  });
}

Deno.test("parseContentDisposition() gives type and parameters as sent", () => {
  const parsed = parseContentDisposition('Form-Data; name="a%22"; X-Y=z')!;
  assertEquals(parsed.type, "form-data");
  assertEquals(Object.fromEntries(parsed.parameters), { "name": "a%22", "x-y": "z" });
});

Deno.test("parseContentDisposition() takes time linear in its value", () => {
  for (const piece of ['"', "\\", "%2", ";", "=", "a", "'", '\\"']) {
    const long = piece.repeat(1 << 17);
    const start = performance.now();
    parseContentDisposition(`form-data; filename*=UTF-8''${long}`);
    parseContentDisposition(`form-data; filename="${long}`);
    assertEquals(performance.now() - start < 5_000, true);
  }
});

for (
  const [filename, wanted] of [
    [undefined, "attachment"],
    ["a.txt", 'attachment; filename="a.txt"'],
    ["a b;c.txt", 'attachment; filename="a b;c.txt"'],
    ["/srv/../x/a.txt", 'attachment; filename="a.txt"'],
    ["C:\\x\\a.txt", 'attachment; filename="a.txt"'],
    ["..", 'attachment; filename="file"'],
    ["", 'attachment; filename="file"'],
    ["a\r\nset-cookie: x", 'attachment; filename="a__set-cookie: x"'],
    ["\u20ac.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%E2%82%AC.txt"],
    ["\u{1f600}", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80"],
    ['a"b', "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b"],
    ["a%41", "attachment; filename=\"a_41\"; filename*=UTF-8''a%2541"],
    [
      "\u00e9(1)*'.txt",
      "attachment; filename=\"_(1)*'.txt\"; filename*=UTF-8''%C3%A9%281%29%2A%27.txt",
    ],
    ["\ud800", "attachment; filename=\"_\"; filename*=UTF-8''%EF%BF%BD"],
  ] as const
) {
  Deno.test(`formatContentDisposition() writes ${JSON.stringify(filename)}, to be read`, () => {
    const value = formatContentDisposition("attachment", filename);
    assertEquals(value, wanted);
    const parsed = parseContentDisposition(value)!;
    assertEquals(parsed.type, "attachment");
    if (filename === undefined || /[/\\\r\ud800]|^\.\.$|^$/.test(filename)) return;
    assertEquals(parsed.filename, filename);
  });
}

Deno.test("setAttachment() announces a download", () => {
  const headers = new Headers();
  setAttachment(headers);
  assertEquals(headers.get("content-disposition"), "attachment");
});
