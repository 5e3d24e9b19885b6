import { assert, assertEquals } from "@std/assert";
import {
  formatCombinedLog,
  formatCommonLog,
  formatJsonLog,
  keepOneLine,
  type LogEntry,
} from "../../http/log_format.ts";

const ENTRY: LogEntry = {
  timeMs: 784_111_777_999,
  remote: "192.0.2.1",
  user: undefined,
  method: "GET",
  target: "/a?b",
  route: undefined,
  httpVersion: "1.1",
  status: 200,
  bodyBytes: 5,
  durationMs: 1.5,
  requestId: undefined,
  referrer: undefined,
  userAgent: undefined,
  error: undefined,
};

Deno.test("formatCommonLog() gives the Common Log Format", () => {
  assertEquals(
    formatCommonLog(ENTRY),
    '192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] "GET /a?b HTTP/1.1" 200 5',
  );
  assertEquals(
    formatCommonLog({ ...ENTRY, user: "ada", bodyBytes: undefined, remote: "" }),
    '- - ada [06/Nov/1994:08:49:37 +0000] "GET /a?b HTTP/1.1" 200 -',
  );
});

Deno.test("formatCombinedLog() tells Referer and User-Agent", () => {
  const line = formatCombinedLog({ ...ENTRY, referrer: "http://a/", userAgent: "curl/8" });
  assertEquals(line, `${formatCommonLog(ENTRY)} "http://a/" "curl/8"`);
  assertEquals(formatCombinedLog(ENTRY), `${formatCommonLog(ENTRY)} "-" "-"`);
});

Deno.test("formatCommonLog() lets nothing forge a field or a line", () => {
  const line = formatCommonLog({
    ...ENTRY,
    remote: "/tmp/a b",
    user: 'x" [y]\n',
    target: '/"\\\r\n\t\x1b[31m\xe4\x7f\u2028',
  });
  assertEquals(
    line,
    "/tmp/a\\x20b - x\\x22\\x20[y]\\x0a [06/Nov/1994:08:49:37 +0000] " +
      '"GET /\\x22\\x5c\\x0d\\x0a\\x09\\x1b[31m\\xe4\\x7f\\u2028 HTTP/1.1" 200 5',
  );
});

Deno.test("formatJsonLog() gives an object that reads back", () => {
  const entry = {
    ...ENTRY,
    userAgent: '"\\\n\x1b\x7f\x9b\xe4\u2028\ud800\ud83d\ude00',
    user: "ada",
  };
  const line = formatJsonLog(entry);
  assert(/^[\x20-\x7e]+$/.test(line));
  assertEquals(JSON.parse(line), JSON.parse(JSON.stringify(entry)));
  assertEquals(Object.keys(JSON.parse(line)).includes("referrer"), false);
});

Deno.test("every format gives one line of printable ASCII for every character", () => {
  for (let unit = 0; unit < 0x2100; unit++) {
    const text = String.fromCharCode(unit);
    const entry = { ...ENTRY, user: text, target: text, referrer: text, userAgent: text };
    for (const format of [formatCommonLog, formatCombinedLog, formatJsonLog]) {
      assert(/^[\x20-\x7e]+$/.test(format(entry)), `${format.name} lets ${unit} through`);
    }
  }
});

Deno.test("keepOneLine() escapes what ends a line or moves the cursor, and nothing else", () => {
  assertEquals(
    keepOneLine("a\r\n\x1b\x7f\x85\u2029b"),
    "a\\u000d\\u000a\\u001b\\u007f\\u0085\\u2029b",
  );
  assertEquals(keepOneLine('"gr\u00fc\u00df"\\ \u{1f600}'), '"gr\u00fc\u00df"\\ \u{1f600}');
});
