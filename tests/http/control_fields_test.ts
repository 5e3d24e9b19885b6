import { assertEquals } from "@std/assert";
import { ControlFields, Expectation, TransferCoding } from "../../http/control_fields.ts";
import { FieldParser } from "../../http/field_parser.ts";
import type { HttpLenience } from "../../http/limits.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { refusalOf } from "../_support/wire.ts";

const UNLIMITED = { maxBytes: Infinity, maxCount: Infinity, bytesOption: "", countOption: "" };

function read(
  lines: readonly string[],
  lenience: HttpLenience = {},
  control = new ControlFields(lenience),
): ControlFields {
  const parser = new FieldParser(UNLIMITED, lenience);
  const bytes = bytesOf(`xx${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
  parser.parse(bytes, 2, bytes.length);
  control.read(bytes, 2, parser);
  return control;
}

for (
  const [name, value, expected] of [
    ["zero", "0", 0],
    ["one", "1", 1],
    ["several digits", "1234567890", 1_234_567_890],
    ["the largest safe number", "9007199254740991", Number.MAX_SAFE_INTEGER],
    ["blanks at both ends", " \t5 ", 5],
  ] as const
) {
  Deno.test(`ControlFields.read() reads a Content-Length of ${name}`, () => {
    assertEquals(read([`Content-Length:${value}`]).contentLength, expected);
    assertEquals(read(["A: b", `cOnTeNt-LeNgTh:${value}`, "C: d"]).contentLength, expected);
  });
}

for (
  const [name, value] of [
    ["nothing", ""],
    ["blanks", " \t"],
    ["a plus sign", "+5"],
    ["a minus sign", "-5"],
    ["minus zero", "-0"],
    ["a decimal point", "5.0"],
    ["an exponent", "1e3"],
    ["0x", "0x5"],
    ["hexadecimal digits", "1a"],
    ["an underscore", "1_000"],
    ["a thousands separator", "1,000"],
    ["a list of equal values", "5, 5"],
    ["a list of different values", "5,6"],
    ["a trailing comma", "5,"],
    ["a leading comma", ",5"],
    ["a space inside", "5 5"],
    ["a tab inside", "5\t5"],
    ["quotes", '"5"'],
    ["a semicolon", "5;"],
    ["a leading zero", "05"],
    ["two zeros", "00"],
    ["digits of another script", "\xd9\xa5"],
    ["a superscript", "\xb2"],
    ["a character before 0", "/"],
    ["a character behind 9", ":"],
    ["2^53", "9007199254740992"],
    ["2^53 + 1", "9007199254740993"],
    ["2^63", "9223372036854775808"],
    ["2^64", "18446744073709551616"],
    ["2^64 + 5", "18446744073709551621"],
    ["20 digits", "99999999999999999999"],
    ["400 digits", "9".repeat(400)],
    ["a word", "chunked"],
  ] as const
) {
  Deno.test(`ControlFields.read() refuses a Content-Length with ${name}`, () => {
    for (const lenience of [{}, { allowRepeatedContentLength: true }]) {
      const refusal = refusalOf(() => read([`Content-Length: ${value}`], lenience));
      assertEquals([refusal.code, refusal.statusHint], ["ERR_HTTP_BAD_CONTENT_LENGTH", 400]);
    }
  });
}

Deno.test("ControlFields.read() refuses a repeated Content-Length", () => {
  for (const second of ["5", "6", "0"]) {
    const lines = ["Content-Length: 5", "A: b", `content-length: ${second}`];
    assertEquals(refusalOf(() => read(lines)).code, "ERR_HTTP_BAD_CONTENT_LENGTH");
  }
});

Deno.test("ControlFields.read() with allowRepeatedContentLength takes equal ones only", () => {
  const lenience = { allowRepeatedContentLength: true };
  const five = "Content-Length: 5";
  assertEquals(read([five, five, five], lenience).contentLength, 5);
  assertEquals(read(["Content-Length: 0", "Content-Length: 0"], lenience).contentLength, 0);
  for (const other of ["Content-Length: 6", "Content-Length: 05", "Content-Length:"]) {
    assertEquals(
      refusalOf(() => read([five, other], lenience)).code,
      "ERR_HTTP_BAD_CONTENT_LENGTH",
    );
  }
});

for (
  const [name, lines, expected] of [
    ["chunked", ["chunked"], TransferCoding.CHUNKED],
    ["chunked in another case", ["ChUnKeD"], TransferCoding.CHUNKED],
    ["chunked between blanks", [" \tchunked \t"], TransferCoding.CHUNKED],
    ["a coding in front of chunked", ["gzip, chunked"], TransferCoding.UNKNOWN],
    ["a coding in the line before", ["gzip", "chunked"], TransferCoding.UNKNOWN],
    ["a coding alone", ["gzip"], TransferCoding.UNKNOWN],
    ["identity", ["identity"], TransferCoding.UNKNOWN],
    ["identity in front of chunked", ["identity, chunked"], TransferCoding.UNKNOWN],
    ["a name that starts with chunked", ["chunkedx"], TransferCoding.UNKNOWN],
    ["a name that ends in chunked", ["xchunked"], TransferCoding.UNKNOWN],
    ["a prefix of chunked", ["chunke"], TransferCoding.UNKNOWN],
    ["a name with token marks", ["'chunked'"], TransferCoding.UNKNOWN],
    ["a parameter", ["gzip;level=9, chunked"], TransferCoding.UNKNOWN],
    ["a parameter behind blanks", ["gzip ; level=9 ,\tchunked"], TransferCoding.UNKNOWN],
  ] as const
) {
  Deno.test(`ControlFields.read() reads a Transfer-Encoding of ${name}`, () => {
    const fields = lines.map((line) => `Transfer-Encoding:${line}`);
    assertEquals(read(fields).transferCoding, expected);
  });
}

for (
  const [name, lines] of [
    ["nothing", [""]],
    ["blanks", [" \t "]],
    ["an empty line beside chunked", ["chunked", ""]],
    ["an empty line in front of chunked", ["", "chunked"]],
    ["chunked twice", ["chunked, chunked"]],
    ["chunked in two lines", ["chunked", "chunked"]],
    ["a coding behind chunked", ["chunked, gzip"]],
    ["a coding in the line behind chunked", ["chunked", "gzip"]],
    ["identity behind chunked", ["chunked, identity"]],
    ["a leading comma", [", chunked"]],
    ["a trailing comma", ["chunked,"]],
    ["two commas", ["gzip,, chunked"]],
    ["only a comma", [","]],
    ["chunked with a parameter", ["chunked;q=1"]],
    ["chunked with an empty parameter", ["chunked;"]],
    ["chunked and a word", ["chunked gzip"]],
    ["a word and chunked", ["gzip chunked"]],
    ["chunked in quotes", ['"chunked"']],
    ["chunked behind a colon", [": chunked"]],
    ["chunked in front of an equals sign", ["chunked=1"]],
    ["obs-text behind chunked", ["chunked\xa0"]],
    ["obs-text in front of chunked", ["\x85chunked"]],
    ["chunked hidden in a quoted parameter", ['gzip;a="b, chunked"']],
    ["parentheses", ["chunked(a)"]],
  ] as const
) {
  Deno.test(`ControlFields.read() refuses a Transfer-Encoding with ${name}`, () => {
    const refusal = refusalOf(() => read(lines.map((line) => `Transfer-Encoding:${line}`)));
    assertEquals([refusal.code, refusal.statusHint], ["ERR_HTTP_BAD_TRANSFER_ENCODING", 400]);
  });
}

for (
  const [name, lines, close, keepAlive, upgrade] of [
    ["nothing", [], false, false, false],
    ["an empty list", [""], false, false, false],
    ["close", ["close"], true, false, false],
    ["keep-alive in another case", ["Keep-Alive"], false, true, false],
    ["a list", ["keep-alive, Upgrade"], false, true, true],
    ["a list over several lines", ["upgrade", "x", "CLOSE"], true, false, true],
    ["empty elements and blanks", [", ,\tclose\t,,"], true, false, false],
    ["a longer token", ["closed, xclose, close-x"], false, false, false],
    ["a quoted token", ['"close"'], false, false, false],
    ["two words", ["keep-alive close"], false, false, false],
    ["all three", ["close,keep-alive,upgrade"], true, true, true],
  ] as const
) {
  Deno.test(`ControlFields.read() reads a Connection of ${name}`, () => {
    const control = read(lines.map((line) => `Connection: ${line}`));
    assertEquals(
      [control.hasClose, control.hasKeepAlive, control.hasConnectionUpgrade],
      [close, keepAlive, upgrade],
    );
  });
}

for (
  const [name, lines, expected] of [
    ["nothing", [], Expectation.NONE],
    ["100-continue", ["100-continue"], Expectation.CONTINUE],
    ["100-continue in another case", ["100-Continue"], Expectation.CONTINUE],
    ["something else", ["200-ok"], Expectation.UNKNOWN],
    ["an empty value", [""], Expectation.UNKNOWN],
    ["100-continue and something else", ["100-continue, x"], Expectation.UNKNOWN],
    ["something else in a second line", ["100-continue", "x"], Expectation.UNKNOWN],
    ["100-continue behind something else", ["x", "100-continue"], Expectation.UNKNOWN],
  ] as const
) {
  Deno.test(`ControlFields.read() reads an Expect of ${name}`, () => {
    assertEquals(read(lines.map((line) => `Expect: ${line}`)).expectation, expected);
  });
}

Deno.test("ControlFields.read() says whether Upgrade has a value", () => {
  assertEquals(read(["Upgrade: websocket"]).hasUpgrade, true);
  assertEquals(read(["Upgrade: "]).hasUpgrade, false);
  assertEquals(read(["Upgrade: h2c", "Upgrade:"]).hasUpgrade, true);
  assertEquals(read(["Connection: upgrade"]).hasUpgrade, false);
});

Deno.test("ControlFields.read() counts Host fields and finds the last", () => {
  const control = read(["Host: a", "hOST: bc"]);
  assertEquals([control.hostCount, control.hostEnd - control.hostStart], [2, 2]);
});

Deno.test("ControlFields.read() passes by fields whose names only look alike", () => {
  const control = read([
    "Content_Length: 5",
    "Content-Lengts: x",
    "XContent-Length: 5",
    "Transfer_Encoding: chunked",
    "Transfer-Encodinh: ,",
    "Hosts: a",
    "Hoss: a",
    "Expecs: a",
    "Connectiom: close",
    "Upgrads: a",
  ]);
  assertEquals([control.contentLength, control.transferCoding, control.hostCount], [-1, 0, 0]);
  assertEquals([control.hasClose, control.hasUpgrade, control.expectation], [false, false, 0]);
});

Deno.test("ControlFields.read() forgets the message before", () => {
  const control = new ControlFields({});
  read(
    ["Host: a", "Expect: x", "Upgrade: a", "Connection: close, keep-alive, upgrade"],
    {},
    control,
  );
  read(["Transfer-Encoding: gzip, chunked"], {}, control);
  read(["Content-Length: 5"], {}, control);
  read(["Transfer-Encoding: chunked"], {}, control);
  assertEquals([control.transferCoding, control.contentLength], [TransferCoding.CHUNKED, -1]);
  read([], {}, control);
  const fresh = new ControlFields({});
  assertEquals(
    [control.contentLength, control.transferCoding, control.hostCount, control.expectation],
    [fresh.contentLength, fresh.transferCoding, fresh.hostCount, fresh.expectation],
  );
  assertEquals([control.hasClose, control.hasKeepAlive], [false, false]);
  assertEquals([control.hasUpgrade, control.hasConnectionUpgrade], [false, false]);
});
