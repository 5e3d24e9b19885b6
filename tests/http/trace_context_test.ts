import { assertEquals } from "@std/assert";
import { formatTraceparent, parseTraceContext } from "../../http/trace_context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const PLAIN = `00-${TRACE}-${SPAN}-01`;

const VALID: ReadonlyArray<readonly [name: string, traceparent: string, flags: number]> = [
  ["a sampled one", PLAIN, 1],
  ["one that is not sampled", `00-${TRACE}-${SPAN}-00`, 0],
  ["a random id", `00-${TRACE}-${SPAN}-03`, 3],
  ["unknown flags, which are dropped", `00-${TRACE}-${SPAN}-ff`, 3],
  ["a later version", `cc-${TRACE}-${SPAN}-01`, 1],
  ["a later version with more behind it", `cc-${TRACE}-${SPAN}-01-what-ever`, 1],
  ["blanks around it", ` ${PLAIN}\t`, 1],
];

for (const [name, traceparent, flags] of VALID) {
  Deno.test(`parseTraceContext() reads ${name}`, () => {
    assertEquals(parseTraceContext(traceparent), {
      traceId: TRACE,
      spanId: SPAN,
      flags,
      state: undefined,
    });
  });
}

const INVALID: ReadonlyArray<readonly [name: string, traceparent: string | undefined]> = [
  ["none", undefined],
  ["an empty one", ""],
  ["version ff", `ff-${TRACE}-${SPAN}-01`],
  ["more behind version 00", `${PLAIN}-x`],
  ["a dash behind version 00", `${PLAIN}-`],
  ["a later version with more and no dash", `cc-${TRACE}-${SPAN}-01.what`],
  ["capital digits in the version", `0A-${TRACE}-${SPAN}-01`],
  ["capital digits in the trace", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ["capital digits in the span", `00-${TRACE}-${SPAN.toUpperCase()}-01`],
  ["capital digits in the flags", `00-${TRACE}-${SPAN}-0A`],
  ["an empty trace", `00-${"0".repeat(32)}-${SPAN}-01`],
  ["an empty span", `00-${TRACE}-${"0".repeat(16)}-01`],
  ["a short trace", `00-${TRACE.slice(1)}-${SPAN}-01`],
  ["a long span", `00-${TRACE}-${SPAN}0-01`],
  ["other characters", `00-${TRACE.slice(1)}g-${SPAN}-01`],
  ["other separators", PLAIN.replaceAll("-", "_")],
  ["two of them", `${PLAIN}, ${PLAIN}`],
  ["a line behind it", `${PLAIN}\n`.repeat(2)],
];

for (const [name, traceparent] of INVALID) {
  Deno.test(`parseTraceContext() takes ${name} for nothing`, () => {
    assertEquals(parseTraceContext(traceparent, "a=b"), undefined);
  });
}

Deno.test("parseTraceContext() takes every strict prefix for nothing", () => {
  for (let length = 0; length < PLAIN.length; length++) {
    assertEquals(parseTraceContext(PLAIN.slice(0, length)), undefined);
  }
});

const list = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`);
const STATES: ReadonlyArray<readonly [name: string, state: string, read: string | undefined]> = [
  ["one member", "a=b", "a=b"],
  ["blanks and empty members", " a=1 ,, \tb=2,", "a=1,b=2"],
  ["a key with a tenant", "t0@v-1=x y", "t0@v-1=x y"],
  ["32 members", list(32).join(), list(32).join()],
  ["33 members", list(33).join(), undefined],
  ["nothing", " , ", undefined],
  ["a key twice", "a=1,a=2", undefined],
  ["no value", "a=", undefined],
  ["no key", "=a", undefined],
  ["no equals sign", "a", undefined],
  ["two equals signs", "a=b=c", undefined],
  ["a capital in a key", "A=b", undefined],
  ["a control character", "a=b\x01", undefined],
  ["a value of 256", `a=${"x".repeat(256)}`, `a=${"x".repeat(256)}`],
  ["a value of 257", `a=${"x".repeat(257)}`, undefined],
  ["a key of 257", `${"x".repeat(257)}=a`, undefined],
  ["a list of 2,049 characters", Array(2050).join(","), undefined],
];

for (const [name, state, read] of STATES) {
  Deno.test(`parseTraceContext() reads a state with ${name}`, () => {
    assertEquals(parseTraceContext(PLAIN, state), {
      traceId: TRACE,
      spanId: SPAN,
      flags: 1,
      state: read,
    });
  });
}

Deno.test("formatTraceparent() gives back what was read", () => {
  for (const flags of ["00", "01", "02", "03"]) {
    const traceparent = `00-${TRACE}-${SPAN}-${flags}`;
    assertEquals(formatTraceparent(parseTraceContext(traceparent)!), traceparent);
  }
});
