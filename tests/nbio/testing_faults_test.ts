import { assert, assertEquals } from "@std/assert";
import { faultTransport } from "../../nbio/testing_fault_transport.ts";
import { type FaultEnd, randomFaults, type WriteFaults } from "../../nbio/testing_faults.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";

const END_OPTIONS = {
  "reset": "resetAfterBytes",
  "stall": "stallAfterBytes",
  "truncate": "truncateAfterBytes",
  "lose": "loseAfterBytes",
  "half-close": "halfCloseAfterBytes",
} as const satisfies Record<FaultEnd, keyof WriteFaults>;

function endsOf(faults: WriteFaults): FaultEnd[] {
  return (Object.keys(END_OPTIONS) as FaultEnd[]).filter((end) => END_OPTIONS[end] in faults);
}

Deno.test("randomFaults() gives the same faults for the same seed, as plain data", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const faults = randomFaults(seed);
    assertEquals(randomFaults(seed), faults);
    assertEquals(structuredClone(faults), faults);
    seen.add(Deno.inspect(faults));
  }
  assertEquals(seen.size, 100);
});

Deno.test("randomFaults() gives every end in both directions, and mostly none", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 4_000; seed++) {
    const { read = {}, write = {} } = randomFaults(seed);
    for (const end of endsOf(read)) counts.set(`read ${end}`, (counts.get(`read ${end}`) ?? 0) + 1);
    for (const end of endsOf(write)) {
      counts.set(`write ${end}`, (counts.get(`write ${end}`) ?? 0) + 1);
    }
  }
  assertEquals([...counts.keys()].sort(), [
    "read reset",
    "read stall",
    "read truncate",
    "write half-close",
    "write lose",
    "write reset",
    "write stall",
    "write truncate",
  ]);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  assert(total > 1_800 && total < 2_200, `${total}`);
});

Deno.test("randomFaults() keeps to its options", () => {
  const ends: FaultEnd[] = ["stall", "lose"];
  for (let seed = 0; seed < 500; seed++) {
    const { read = {}, write = {} } = randomFaults(seed, { maxBytes: 10, maxDelayMs: 3, ends });
    for (const faults of [read, write] as WriteFaults[]) {
      assert(endsOf(faults).every((end) => ends.includes(end)));
      assert(faults.maxPieceBytes === Infinity || faults.maxPieceBytes! <= 10);
      assert(faults.maxDelayMs! <= 3);
      assert((faults.stallAfterBytes ?? 0) < 10 && (faults.loseAfterBytes ?? 0) < 10);
    }
    const none = randomFaults(seed, { ends: [] });
    assertEquals([...endsOf(none.read!), ...endsOf(none.write!)], []);
  }
});

Deno.test("randomFaults() gives what faultTransport() takes", () => {
  for (let seed = 0; seed < 500; seed++) {
    const transport = faultTransport(memoryPipe()[0], randomFaults(seed, { maxBytes: 1 }));
    assertEquals(transport.seed, seed);
  }
});
