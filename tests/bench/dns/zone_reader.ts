/**
 * Reads a zone and says how many records it has, and how much memory that took:
 * `deno run -A zone_reader.ts FILE [--print]`.
 */

import { printRecord } from "../../../dns/print_record.ts";
import { ZoneParser } from "../../../dns/zone_parser.ts";

const CHUNK_BYTES = 65_536;
const LINES_AT_ONCE = 1_000;

function main(path: string, isPrinting: boolean): void {
  const parser = new ZoneParser({ file: path });
  const encoder = new TextEncoder();
  const buffer = new Uint8Array(CHUNK_BYTES);
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  let recordCount = 0;
  let byteCount = 0;
  let earlyBytes = 0;
  let lines: string[] = [];
  const drain = (): void => {
    for (let record = parser.next(); record !== undefined; record = parser.next()) {
      recordCount++;
      if (isPrinting) lines.push(printRecord(record));
      if (lines.length < LINES_AT_ONCE) continue;
      writeAll(encoder.encode(`${lines.join("\n")}\n`));
      lines = [];
    }
  };
  for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
    parser.write(buffer.subarray(0, count));
    drain();
    byteCount += count;
    if (earlyBytes === 0 && byteCount > size / 10) earlyBytes = Deno.memoryUsage().rss;
  }
  parser.end();
  drain();
  writeAll(encoder.encode(lines.map((line) => `${line}\n`).join("")));
  console.error(JSON.stringify({ recordCount, earlyBytes, lateBytes: Deno.memoryUsage().rss }));
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

main(Deno.args[0]!, Deno.args.includes("--print"));
