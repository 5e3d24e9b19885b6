import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { noTelemetry, type Telemetry, type TelemetrySpan } from "../../nbio/telemetry.ts";
import { resolveTelemetry } from "../../nbio/telemetry_guard.ts";
import { FakeTelemetry } from "../_support/fake_telemetry.ts";

/** Runs something that may write to the console; gives what was written. */
function errorsOf(test: () => void): unknown[] {
  const written: unknown[] = [];
  const { error } = console;
  console.error = (...values: unknown[]) => void written.push(...values);
  try {
    test();
  } finally {
    console.error = error;
  }
  return written;
}

const FAILURE = new Error("telemetry");

function fail(): never {
  throw FAILURE;
}

const FAILING_SPAN: TelemetrySpan = {
  get isRecording(): boolean {
    return fail();
  },
  rename: fail,
  setAttributes: fail,
  fail,
  run: fail,
  inject: fail,
  end: fail,
};

Deno.test("resolveTelemetry() finds nobody where nobody is", () => {
  assertEquals(resolveTelemetry(undefined), undefined);
  assertEquals(resolveTelemetry(noTelemetry), undefined);
});

Deno.test("resolveTelemetry() hands everything through", () => {
  const fake = new FakeTelemetry();
  const telemetry = resolveTelemetry(fake)!;
  telemetry.counter("a", { unit: "x" }).add(1, { b: 2 });
  telemetry.upDownCounter("c").add(-1);
  telemetry.histogram("d").record(3);
  const span = telemetry.startSpan("e", { kind: "server" });
  span.rename("f");
  span.setAttributes({ g: 1 });
  span.fail(FAILURE);
  const injected: string[] = [];
  span.inject((name, value) => injected.push(name, value));
  span.end();
  assertEquals(fake.instruments.a, { unit: "x" });
  assertEquals(fake.measured.a, [{ value: 1, attributes: { b: 2 } }]);
  assertEquals([fake.valuesOf("c"), fake.valuesOf("d")], [[-1], [3]]);
  const [kept] = fake.spans;
  assertEquals([kept!.name, kept!.attributes, kept!.errors], ["f", { g: 1 }, [FAILURE]]);
  assertEquals([span.isRecording, injected, kept!.endCount], [true, ["traceparent", "span-1"], 1]);
});

Deno.test("resolveTelemetry() keeps what telemetry throws from the driver", () => {
  const failing: Telemetry = {
    counter: () => ({ add: fail }),
    upDownCounter: fail,
    histogram: () => ({ record: fail }),
    startSpan: () => FAILING_SPAN,
  };
  const written = errorsOf(() => {
    const telemetry = resolveTelemetry(failing)!;
    telemetry.counter("a").add(1);
    telemetry.upDownCounter("a").add(1);
    telemetry.histogram("a").record(1);
    const span = telemetry.startSpan("a");
    span.rename("b");
    span.setAttributes({});
    span.fail();
    span.inject(fail);
    span.end();
    assertEquals([span.isRecording, span.run(() => 7)], [false, 7]);
  });
  assertEquals(written, Array(10).fill(FAILURE));
});

for (const [name, make] of [["counter", fail], ["span", fail]] as const) {
  Deno.test(`resolveTelemetry() does without a ${name} that cannot be made`, () => {
    const written = errorsOf(() => {
      const telemetry = resolveTelemetry({
        counter: make,
        upDownCounter: make,
        histogram: make,
        startSpan: make,
      })!;
      telemetry.counter("a").add(1);
      telemetry.histogram("a").record(1);
      assertEquals(telemetry.startSpan("a").run(() => 7), 7);
    });
    assertEquals(written, [FAILURE, FAILURE, FAILURE]);
  });
}

Deno.test("resolveTelemetry() passes on what the callback throws, called once", () => {
  const mine = new Error("handler");
  const span = resolveTelemetry(new FakeTelemetry())!.startSpan("a");
  let callCount = 0;
  const error = assertThrows(() =>
    span.run(() => {
      callCount++;
      throw mine;
    })
  );
  assertStrictEquals(error, mine);
  assertEquals(callCount, 1);
});

Deno.test("resolveTelemetry() calls back once, however often the span does", () => {
  const twice: TelemetrySpan = {
    ...noTelemetry.startSpan("a"),
    run: (callback) => {
      callback();
      callback();
      return fail();
    },
  };
  let callCount = 0;
  const written = errorsOf(() => {
    const span = resolveTelemetry({ ...noTelemetry, startSpan: () => twice })!.startSpan("a");
    assertEquals(span.run(() => ++callCount), 1);
  });
  assertEquals([callCount, written], [1, [FAILURE]]);
});
