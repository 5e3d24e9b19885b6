// Makes load: reads `PORT COUNT CODING`, opens connections the first time, prints when it is done.
import { LineReader } from "../_support/line_reader.ts";
import { CodedLoad } from "./load.ts";

const CONNECTIONS = 16;
const loads = new Map<string, CodedLoad>();
const lines = new LineReader(Deno.stdin.readable);
for (let line; (line = await lines.next()) !== undefined;) {
  const [port = "", count = "", coding = ""] = line.split(" ");
  const key = `${port} ${coding}`;
  let load = loads.get(key);
  if (load === undefined) {
    loads.set(key, load = new CodedLoad(coding));
    const head = await load.open(Number(port), CONNECTIONS);
    const sent = /\r\ncontent-encoding: *(\S+)/i.exec(head)?.[1] ?? "";
    if (sent !== coding) throw new Error(`Cannot compare: asked for "${coding}", got "${sent}"`);
  }
  console.log(await load.run(Number(count)));
}
