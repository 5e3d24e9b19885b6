// What a UDP socket does to its process, and what the process must allow it.

import { assertEquals } from "@std/assert";
import { bindUdp } from "../../nbio/udp.ts";
import { LineReader } from "../bench/_support/line_reader.ts";
import { runPeer } from "../_support/peer.ts";

const PROGRAM = new URL("./udp_program.ts", import.meta.url).pathname;

const DOORS: readonly { name: string; flags: readonly string[] }[] = [
  { name: "node:dgram", flags: [] },
  { name: "Deno.listenDatagram", flags: ["--unstable-net"] },
];

function commandLine(flags: readonly string[], ...args: string[]): string[] {
  return ["run", "--no-check", "--no-prompt", ...flags, PROGRAM, ...args];
}

/** A program that runs until it ends by itself. */
class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: LineReader;

  constructor(flags: readonly string[], steps: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: commandLine([...flags, "--allow-net=127.0.0.1"], "hold", ...steps),
      stdout: "piped",
    }).spawn();
    this.#lines = new LineReader(this.#child.stdout);
  }

  /** The next line it prints; `undefined` at its end. */
  line(): Promise<string | undefined> {
    return this.#lines.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    await this.#lines.cancel();
  }
}

const PERMISSIONS: readonly [
  allow: readonly string[],
  hostname: string,
  bind: string,
  send?: string,
][] = [
  [[], "127.0.0.1", "NotCapable"],
  [["--allow-net=127.0.0.1:53"], "127.0.0.1", "NotCapable"],
  [["--allow-net=127.0.0.1:0"], "127.0.0.1", "ok", "NotCapable"],
  [["--allow-net=127.0.0.1:0,127.0.0.1:9"], "127.0.0.1", "ok", "ok"],
  [["--allow-net=127.0.0.1"], "127.0.0.1", "ok", "ok"],
];

/** Steps after binding, and the lines that the process lives to print, one for each datagram. */
const LIVES: readonly { steps: readonly string[]; lines: readonly string[] }[] = [
  { steps: [], lines: ["last 3"] },
  { steps: ["unref", "ref"], lines: ["last 3"] },
  { steps: ["receive", "ref", "unref", "ref"], lines: ["received 3", "last 3"] },
  { steps: ["unref"], lines: [] },
  { steps: ["receive", "unref"], lines: ["received 3"] },
  { steps: ["receive", "unref", "ref", "unref"], lines: ["received 3"] },
];

for (const { name, flags } of DOORS) {
  for (const [allow, hostname, bind, send] of PERMISSIONS) {
    Deno.test(`bindUdp() with ${allow.join() || "no permission"} (${name})`, async () => {
      const args = commandLine([...flags, ...allow], "permit", hostname, "9");
      const { text } = await runPeer(Deno.execPath(), args);
      const lines = [`bind ${bind}`, ...(send === undefined ? [] : [`send ${send}`])];
      assertEquals(text.trim().split("\n"), lines);
    });
  }

  for (const { steps, lines } of LIVES) {
    Deno.test(`a process with a socket that was ${steps.join(", ") || "bound"} (${name})`, async () => {
      await using program = new Program(flags, steps);
      const port = Number((await program.line())?.split(" ")[1]);
      using socket = await bindUdp({ hostname: "127.0.0.1" });
      for (const line of lines) {
        await socket.send(new Uint8Array(3), { transport: "udp", hostname: "127.0.0.1", port });
        assertEquals(await program.line(), line);
      }
      assertEquals(await program.line(), undefined);
    });
  }
}
