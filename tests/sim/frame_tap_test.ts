import { assertEquals } from "@std/assert";
import { frameTap } from "./frame_tap.ts";
import { SimulationError } from "./simulation_error.ts";

const HEAD = new TextEncoder().encode("HTTP/1.1 101 Switching Protocols\r\n\r\n");

function found(role: "client" | "server", frames: readonly (readonly number[])[]): number {
  const errors: unknown[] = [];
  const tap = frameTap(role, (error) => errors.push(error));
  const wire = new Uint8Array([...HEAD, ...frames.flat()]);
  for (const byte of wire) tap(new Uint8Array([byte]));
  assertEquals(errors.every((error) => error instanceof SimulationError), true);
  return errors.length;
}

for (
  const [name, role, frames, count] of [
    ["text, fragments and a close", "server", [
      [0x81, 1, 0x61],
      [0x01, 1, 0x61],
      [0x89, 0],
      [0x80, 1, 0x61],
      [0x88, 0],
    ], 0],
    ["a length of 16 bits", "server", [[0x82, 126, 0, 126, ...Array(126).fill(0)], [0x88, 0]], 0],
    ["a mask", "client", [[0x81, 0x81, 0, 0, 0, 0, 0x61]], 0],
    ["a frame behind a close", "server", [[0x88, 0], [0x81, 0]], 1],
    ["no mask of a client", "client", [[0x81, 1, 0x61]], 1],
    ["a fragment of nothing", "server", [[0x80, 0]], 1],
    ["a control frame in fragments", "server", [[0x09, 0]], 1],
  ] as const
) {
  Deno.test(`frameTap() finds ${count} mistakes in ${name}`, () => {
    assertEquals(found(role, frames), count);
  });
}
