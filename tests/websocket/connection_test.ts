import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  ConnectionClosedError,
  LimitExceededError,
  NetError,
  TimeoutError,
} from "../../nbio/errors.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { WebSocketCore } from "../../websocket/connection.ts";
import type { WebSocketCoreOptions } from "../../websocket/connection_options.ts";
import { WebSocketProtocolError, WebSocketStateError } from "../../websocket/errors.ts";
import type { WebSocketEvent } from "../../websocket/events.ts";
import { frame, type FrameParts, join, KEY, KEY_NUMBER } from "../_support/websocket_frames.ts";
import { RunLengthDeflater, RunLengthInflater } from "../_support/websocket_run_length.ts";

type Options = Omit<WebSocketCoreOptions, "role">;

const ROLES = ["server", "client"] as const;
type Role = typeof ROLES[number];

function createCore(role: Role, options: Options = {}): WebSocketCore {
  return new WebSocketCore({
    role,
    ...role === "client" && { randomMaskKey: () => KEY_NUMBER },
    ...options,
  });
}

/** A frame as the peer of `role` sends it. */
function fromPeer(role: Role, parts: FrameParts): Uint8Array<ArrayBuffer> {
  return frame(role === "server" ? { ...parts, key: KEY } : parts);
}

/** A frame as `role` sends it. */
function fromUs(role: Role, parts: FrameParts): Uint8Array<ArrayBuffer> {
  return frame(role === "client" ? { ...parts, key: KEY } : parts);
}

function closeFrame(code: number, reason = ""): FrameParts {
  const text = new TextEncoder().encode(reason);
  return { opcode: 8, payload: new Uint8Array([code >> 8, code & 255, ...text]) };
}

function output(core: WebSocketCore): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = core.takeOutput()) !== undefined;) chunks.push(chunk.slice());
  return join(...chunks);
}

function drain(core: WebSocketCore): WebSocketEvent[] {
  const events: WebSocketEvent[] = [];
  for (let event; (event = core.nextEvent()) !== undefined;) {
    events.push(event);
    if (event.type === "close") break;
  }
  return events;
}

for (const role of ROLES) {
  Deno.test(`a ${role} answers a ping and goes on, however it is split`, () => {
    const wire = join(
      fromPeer(role, { opcode: 9, payload: "p" }),
      fromPeer(role, { opcode: 1, payload: "a" }),
      fromPeer(role, { opcode: 10, payload: "q" }),
    );
    for (const chunks of everySplit(wire)) {
      const core = createCore(role);
      const events: WebSocketEvent[] = [];
      for (const chunk of chunks) {
        core.receive(chunk);
        events.push(...drain(core));
      }
      assertEquals(events.map(({ type }) => type), ["ping", "text", "pong"]);
      assertEquals(output(core), fromUs(role, { opcode: 10, payload: "p" }));
    }
  });

  Deno.test(`a ${role} returns a Close frame once, with its code, and is done`, () => {
    const rows: [FrameParts, FrameParts, number, string][] = [
      [closeFrame(1000, "bye"), closeFrame(1000), 1000, "bye"],
      [closeFrame(4999), closeFrame(4999), 4999, ""],
      [{ opcode: 8 }, { opcode: 8 }, 1005, ""],
    ];
    for (const [sent, answer, code, reason] of rows) {
      for (const chunks of everySplit(fromPeer(role, sent))) {
        const core = createCore(role);
        for (const chunk of chunks) {
          assertEquals(core.nextEvent(), undefined);
          core.receive(chunk);
        }
        const event = { type: "close" as const, code, reason, clean: true, by: "remote" as const };
        assertEquals([core.nextEvent(), core.nextEvent(), core.closure], [event, event, event]);
        assertEquals(output(core), fromUs(role, answer));
        assertEquals([core.state, core.mustDisconnect], ["closed", role === "server"]);
        core.receive(fromPeer(role, { opcode: 9 }));
        assertEquals([core.nextEvent(), output(core).length], [event, 0]);
        core.receiveEnd();
        assertEquals(core.mustDisconnect, true);
      }
    }
  });

  Deno.test(`a ${role} returns a Close frame in the middle of messages both ways`, () => {
    const core = createCore(role);
    core.sendFragment("half", false);
    core.receive(fromPeer(role, { opcode: 1, payload: "a", isFinal: false }));
    assertEquals(core.nextEvent(), undefined);
    core.receive(fromPeer(role, closeFrame(1001)));
    assertEquals(core.nextEvent()?.type, "close");
    assertEquals(
      output(core),
      join(
        fromUs(role, { opcode: 1, payload: "half", isFinal: false }),
        fromUs(role, closeFrame(1001)),
      ),
    );
  });

  Deno.test(`a ${role} that closes drops what comes, and waits for the answer`, () => {
    const core = createCore(role);
    core.receive(fromPeer(role, { opcode: 1, payload: "not read yet" }));
    core.close(3000, "why");
    assertEquals([core.state, core.mustDisconnect], ["close-sent", false]);
    assertEquals(core.nextEvent(), undefined);
    core.receive(join(
      fromPeer(role, { opcode: 1, payload: "late", isFinal: false }),
      fromPeer(role, { opcode: 9 }),
      fromPeer(role, { opcode: 0, payload: new Uint8Array(1 << 17) }),
    ));
    assertEquals(core.nextEvent(), undefined);
    core.receive(fromPeer(role, closeFrame(3000)));
    const event = { type: "close" as const, code: 3000, reason: "", clean: true };
    assertEquals(core.nextEvent(), { ...event, by: "local" });
    assertEquals(output(core), fromUs(role, closeFrame(3000, "why")));
    assertEquals(core.mustDisconnect, role === "server");
  });

  Deno.test(`a ${role} closes cleanly where both begin at once`, () => {
    const core = createCore(role);
    core.close(1000);
    core.receive(fromPeer(role, closeFrame(1001, "me too")));
    assertEquals(core.nextEvent(), {
      type: "close",
      code: 1001,
      reason: "me too",
      clean: true,
      by: "local",
    });
    assertEquals(output(core), fromUs(role, closeFrame(1000)));
  });

  Deno.test(`a ${role} sends nothing after it has begun to close`, () => {
    const core = createCore(role);
    core.close();
    const acts: [string, () => void][] = [
      ["text", () => core.sendText("a")],
      ["binary", () => core.sendBinary(new Uint8Array())],
      ["fragment", () => core.sendFragment("a", true)],
      ["ping", () => core.sendPing()],
      ["pong", () => core.sendPong()],
    ];
    for (const [event, act] of acts) {
      const error = assertThrows(act, WebSocketStateError);
      assertEquals([error.code, error.state, error.event], [
        "ERR_WEBSOCKET_NOT_OPEN",
        "close-sent",
        event,
      ]);
    }
    core.close(1001, "again");
    assertEquals(output(core), fromUs(role, closeFrame(1000)));
  });

  Deno.test(`a ${role} gives up waiting for the answer at its deadline`, () => {
    const core = createCore(role, { closeTimeoutMs: 50 });
    core.close(1000, "", 1_000);
    assertEquals(core.deadlineMs, 1_050);
    core.handleTimeout(1_049);
    assertEquals([core.state, core.mustDisconnect], ["close-sent", false]);
    core.handleTimeout(1_050);
    assertEquals([core.state, core.mustDisconnect, core.deadlineMs], ["lost", true, Infinity]);
    assertEquals(core.nextEvent(), {
      type: "close",
      code: 1006,
      reason: "",
      clean: false,
      by: "local",
    });
  });

  Deno.test(`a ${role} that closes and meets the end of the stream closes uncleanly`, () => {
    const core = createCore(role);
    core.close();
    core.receive(fromPeer(role, { opcode: 1, payload: "a" }));
    core.receiveEnd();
    const event = core.nextEvent();
    assert(event?.type === "close");
    assertEquals([event.code, event.clean, event.by], [1006, false, "local"]);
    assertEquals([core.state, core.mustDisconnect], ["lost", true]);
  });

  Deno.test(`a ${role} gives what came whole before the stream ended, then an error`, () => {
    const core = createCore(role);
    core.receive(join(
      fromPeer(role, { opcode: 1, payload: "a" }),
      fromPeer(role, { opcode: 2, payload: "bcd" }).slice(0, -1),
    ));
    core.receiveEnd();
    assertEquals(core.nextEvent(), { type: "text", data: "a" });
    const error = assertThrows(() => core.nextEvent(), ConnectionClosedError);
    assertEquals(error.bytesReceived, 2);
    assertStrictEquals(assertThrows(() => core.nextEvent()), error);
    assertEquals([core.state, core.mustDisconnect, output(core).length], ["lost", true, 0]);
    assertEquals(core.closure, {
      type: "close",
      code: 1006,
      reason: "",
      clean: false,
      by: "remote",
    });
  });

  Deno.test(`a ${role} answers what came in front of a broken frame, then refuses it`, () => {
    const core = createCore(role);
    core.receive(join(
      fromPeer(role, { opcode: 1, payload: "good" }),
      fromPeer(role, { opcode: 1, payload: "bad", reserved: 1 }),
      fromPeer(role, { opcode: 1, payload: "never seen" }),
    ));
    assertEquals(core.nextEvent(), { type: "text", data: "good" });
    core.sendText("answer");
    const error = assertThrows(() => core.nextEvent(), WebSocketProtocolError);
    assertEquals(error.code, "ERR_WEBSOCKET_RESERVED_BIT");
    assertStrictEquals(assertThrows(() => core.nextEvent()), error);
    assertEquals(
      output(core),
      join(
        fromUs(role, { opcode: 1, payload: "answer" }),
        fromUs(role, closeFrame(1002, "ERR_WEBSOCKET_RESERVED_BIT")),
      ),
    );
    assertEquals([core.state, core.mustDisconnect], ["failed", true]);
    assertEquals(core.closure?.code, 1002);
    assertThrows(() => core.sendText("late"), WebSocketStateError);
    core.close();
    core.receive(fromPeer(role, closeFrame(1000)));
    assertEquals(output(core).length, 0);
  });

  Deno.test(`a ${role} tells with the right code what was wrong`, () => {
    const rows: [FrameParts, number][] = [
      [{ opcode: 3 }, 1002],
      [{ opcode: 1, payload: new Uint8Array([0xff]) }, 1007],
      [{ opcode: 2, payload: new Uint8Array(11) }, 1009],
      [{ opcode: 8, payload: new Uint8Array([3]) }, 1002],
      [closeFrame(1005), 1002],
      [{ opcode: 8, payload: new Uint8Array([3, 232, 0xc3]) }, 1007],
    ];
    for (const [parts, code] of rows) {
      const core = createCore(role, { maxMessageBytes: 10 });
      core.receive(fromPeer(role, parts));
      assertThrows(() => core.nextEvent(), NetError);
      const sent = output(core);
      const payload = sent.subarray(role === "client" ? 6 : 2);
      const first = payload[0]! ^ (role === "client" ? KEY[0]! : 0);
      const second = payload[1]! ^ (role === "client" ? KEY[1]! : 0);
      assertEquals([sent[0], first << 8 | second], [0x88, code]);
      assertEquals(core.closure?.code, code);
    }
  });

  Deno.test(`a ${role} says no second Close where the peer breaks the protocol after the first`, () => {
    const core = createCore(role);
    core.close(1000);
    output(core);
    core.receive(fromPeer(role, { opcode: 3 }));
    assertThrows(() => core.nextEvent(), WebSocketProtocolError);
    assertEquals([output(core).length, core.state, core.mustDisconnect], [0, "failed", true]);
  });

  Deno.test(`a ${role} pings after silence and ends after more`, () => {
    const core = createCore(role, { silenceTimeoutMs: 100, pongTimeoutMs: 30 });
    assertEquals(core.deadlineMs, Infinity);
    core.resumeReading(1_000);
    assertEquals(core.deadlineMs, 1_100);
    core.receive(fromPeer(role, { opcode: 1, payload: "a" }), 1_050);
    assertEquals(core.nextEvent()?.type, "text");
    core.handleTimeout(1_149);
    assertEquals(output(core).length, 0);
    core.handleTimeout(1_150);
    assertEquals(output(core), fromUs(role, { opcode: 9 }));
    // A byte of whatever shows life.
    core.receive(fromPeer(role, { opcode: 2, payload: "b" }).slice(0, 1), 1_170);
    core.handleTimeout(1_180);
    assertEquals(core.state, "open");
    core.handleTimeout(1_270);
    core.handleTimeout(1_300);
    assertEquals([core.state, core.closure?.code, core.mustDisconnect], ["failed", 1011, true]);
    const error = assertThrows(() => core.nextEvent(), TimeoutError);
    assertEquals([error.phase, error.timeoutMs], ["pong", 30]);
  });
}

Deno.test("a client waits for the server to end the stream, but not for ever", () => {
  const core = createCore("client", { closeTimeoutMs: 50 });
  core.receive(fromPeer("client", closeFrame(1000)), 500);
  assertEquals(core.nextEvent()?.type, "close");
  assertEquals([core.mustDisconnect, core.deadlineMs], [false, 550]);
  core.handleTimeout(550);
  assertEquals([core.mustDisconnect, core.closure?.clean], [true, true]);
});

Deno.test("silence does not count while the caller does not read", () => {
  const core = createCore("server", { silenceTimeoutMs: 100, pongTimeoutMs: 30 });
  core.resumeReading(0);
  core.pauseReading(50);
  assertEquals(core.deadlineMs, Infinity);
  core.handleTimeout(10_000);
  assertEquals([core.state, output(core).length], ["open", 0]);
  core.resumeReading(20_000);
  assertEquals(core.deadlineMs, 20_100);
});

Deno.test("what waits is looked at after a while although nobody asks", () => {
  const core = createCore("server", { lookAheadTimeoutMs: 50, silenceTimeoutMs: 0 });
  core.resumeReading(0);
  core.receive(
    join(fromPeer("server", { opcode: 1, payload: "a" }), fromPeer("server", { opcode: 3 })),
    10,
  );
  assertEquals(core.nextEvent()?.type, "text");
  core.pauseReading(20);
  assertEquals(core.deadlineMs, 70);
  core.handleTimeout(69);
  assertEquals(core.state, "open");
  core.handleTimeout(70);
  assertEquals([core.state, core.mustDisconnect], ["failed", true]);
  assertEquals(output(core)[0], 0x88);
  assertThrows(() => core.nextEvent(), WebSocketProtocolError);
});

Deno.test("what was looked at ahead of time is one message, and comes first", () => {
  const core = createCore("server", { lookAheadTimeoutMs: 50, silenceTimeoutMs: 0 });
  const wire = ["a", "b"].map((payload) => fromPeer("server", { opcode: 1, payload }));
  core.pauseReading(0);
  core.receive(join(...wire), 0);
  core.handleTimeout(50);
  assertEquals(core.deadlineMs, Infinity);
  core.handleTimeout(1_000);
  assertEquals(drain(core), [{ type: "text", data: "a" }, { type: "text", data: "b" }]);
});

Deno.test("what was looked at ahead of time is dropped where the caller closes", () => {
  const core = createCore("server", { lookAheadTimeoutMs: 50, silenceTimeoutMs: 0 });
  core.pauseReading(0);
  core.receive(fromPeer("server", { opcode: 1, payload: "a" }), 0);
  core.handleTimeout(50);
  core.close();
  assertEquals(core.nextEvent(), undefined);
});

Deno.test("a core that is closed holds nothing of what still comes", () => {
  const core = createCore("client");
  core.receive(fromPeer("client", closeFrame(1000)));
  assertEquals(core.nextEvent()?.type, "close");
  for (let count = 0; count < 1_000; count++) {
    core.commit(core.writable().length);
    assertEquals(core.bufferedBytes, 0);
  }
  assert(core.heldBytes <= 131_072);
});

Deno.test("looking ahead at half a message is tried again later", () => {
  const core = createCore("server", { lookAheadTimeoutMs: 50, silenceTimeoutMs: 0 });
  core.pauseReading(0);
  core.receive(fromPeer("server", { opcode: 1, payload: "a" }).slice(0, 1), 0);
  core.handleTimeout(60);
  assertEquals([core.state, core.deadlineMs], ["open", 110]);
});

Deno.test("only the latest ping is answered while the writer is behind", () => {
  const core = createCore("server", { highWaterMarkBytes: 100 });
  core.sendBinary(new Uint8Array(101));
  const pings = ["1", "2", "3"].map((payload) => fromPeer("server", { opcode: 9, payload }));
  core.receive(join(...pings));
  assertEquals(drain(core).length, 3);
  assertEquals(core.isWriterBehind, true);
  assertEquals(core.takeOutput()?.length, 103);
  assertEquals(core.takeOutput(), fromUs("server", { opcode: 10, payload: "3" }));
  assertEquals(core.takeOutput(), undefined);
});

Deno.test("pings that are not given are answered all the same, also while the writer is behind", () => {
  const core = createCore("server", { highWaterMarkBytes: 100 });
  assertEquals(core.deliversPings, true);
  core.deliversPings = false;
  const ping = (payload: string) => fromPeer("server", { opcode: 9, payload });
  core.receive(join(ping("1"), fromPeer("server", { opcode: 1, payload: "a" })));
  assertEquals(drain(core), [{ type: "text", data: "a" }]);
  assertEquals(core.takeOutput(), fromUs("server", { opcode: 10, payload: "1" }));
  core.sendBinary(new Uint8Array(101));
  core.receive(join(ping("longer"), ping("2")));
  // What has come since must not show in the answer.
  core.receive(fromPeer("server", { opcode: 2, payload: new Uint8Array(64).fill(7) }));
  assertEquals(drain(core).length, 1);
  assertEquals(core.takeOutput()?.length, 103);
  assertEquals(core.takeOutput(), fromUs("server", { opcode: 10, payload: "2" }));
  assertEquals(core.takeOutput(), undefined);
});

Deno.test("a flood of pings that nobody takes the answers of does not grow", () => {
  const core = createCore("server");
  const batch = join(
    ...new Array(480).fill(fromPeer("server", { opcode: 9, payload: new Uint8Array(125) })),
  );
  for (let round = 0; round < 1_000; round++) {
    core.receive(batch);
    drain(core);
  }
  assert(core.queuedBytes <= 65_536 + 127);
  assert(core.heldBytes <= 1 << 18);
});

Deno.test("no pong follows a Close frame", () => {
  const core = createCore("server", { highWaterMarkBytes: 10 });
  core.sendBinary(new Uint8Array(20));
  core.receive(join(fromPeer("server", { opcode: 9 }), fromPeer("server", closeFrame(1000))));
  drain(core);
  assertEquals(
    output(core),
    join(fromUs("server", { opcode: 2, payload: new Uint8Array(20) }), frame(closeFrame(1000))),
  );
});

Deno.test("pings and pongs carry at most 125 bytes", () => {
  const core = createCore("server");
  core.sendPing(new Uint8Array(125));
  core.sendPong(new Uint8Array(125));
  assertThrows(() => core.sendPing(new Uint8Array(126)), RangeError);
  assertThrows(() => core.sendPong(new Uint8Array(126)), RangeError);
  assertEquals(output(core).length, 254);
});

Deno.test("close() refuses what cannot be sent, and has done nothing then", () => {
  const core = createCore("server");
  for (const code of [0, 999, 1004, 1006, 1015, 2999, 5000, NaN]) {
    assertThrows(() => core.close(code), RangeError);
  }
  assertThrows(() => core.close(1000, "x".repeat(124)), RangeError);
  assertEquals([core.state, output(core).length], ["open", 0]);
});

Deno.test("a core reads through writable() and commit() what it reads through receive()", () => {
  const wire = join(
    fromPeer("server", { opcode: 1, payload: "a" }),
    fromPeer("server", { opcode: 2, payload: new Uint8Array(100_000).fill(3) }),
    fromPeer("server", closeFrame(1000)),
  );
  const core = createCore("server");
  const events: WebSocketEvent[] = [];
  for (let at = 0; at < wire.length;) {
    const space = core.writable();
    const part = wire.subarray(at, at + space.length);
    space.set(part);
    core.commit(part.length, at);
    at += part.length;
    events.push(...drain(core));
  }
  assertEquals(events.map(({ type }) => type), ["text", "binary", "close"]);
  assertEquals(core.bufferedBytes, 0);
});

Deno.test("engines are closed with the connection, however it ends", () => {
  const ends: ((core: WebSocketCore) => void)[] = [
    (core) => {
      core.receive(fromPeer("server", closeFrame(1000)));
      drain(core);
    },
    (core) => {
      core.receive(fromPeer("server", { opcode: 3 }));
      assertThrows(() => core.nextEvent());
    },
    (core) => {
      core.receiveEnd();
      assertThrows(() => core.nextEvent());
    },
    (core) => {
      core.close(1000, "", 0);
      core.handleTimeout(5_000);
    },
    (core) => {
      core.close();
      core.receive(fromPeer("server", closeFrame(1000)));
      drain(core);
    },
  ];
  for (const end of ends) {
    const inflater = new RunLengthInflater();
    const deflater = new RunLengthDeflater();
    const core = createCore("server", { compression: { inflater, deflater } });
    end(core);
    assert(inflater.closedCount > 0);
    assert(deflater.closedCount > 0);
  }
});

Deno.test("abort() ends the connection without a word, and frees the engines", () => {
  for (const act of [() => {}, (core: WebSocketCore) => core.close()]) {
    const inflater = new RunLengthInflater();
    const deflater = new RunLengthDeflater();
    const core = createCore("client", { compression: { inflater, deflater } });
    act(core);
    const sentBytes = core.queuedBytes;
    const reason = new Error("gone");
    core.abort(reason, "remote");
    assertStrictEquals(assertThrows(() => core.nextEvent()), reason);
    assertEquals([core.state, core.mustDisconnect], ["lost", true]);
    assertEquals([core.closure?.code, core.closure?.by], [1006, "remote"]);
    assertEquals([core.queuedBytes, core.deadlineMs], [sentBytes, Infinity]);
    assert(inflater.closedCount > 0 && deflater.closedCount > 0);
    core.abort(new Error("again"));
    assertStrictEquals(assertThrows(() => core.nextEvent()), reason);
  }
});

Deno.test("abort() changes nothing about how a closed connection ended", () => {
  const core = createCore("client");
  core.receive(fromPeer("client", closeFrame(1000)));
  const event = core.nextEvent();
  core.abort(new Error("reset"));
  assertEquals([core.nextEvent(), core.state, core.mustDisconnect], [event, "closed", true]);
});

Deno.test("a bomb ends the connection with 1009", () => {
  const compression = {
    inflater: new RunLengthInflater(1 << 24),
    deflater: new RunLengthDeflater(),
  };
  const core = createCore("server", { compression });
  core.receive(fromPeer("server", { opcode: 2, payload: new Uint8Array([1, 0]), reserved: 4 }));
  assertThrows(() => core.nextEvent(), LimitExceededError);
  assertEquals(core.closure?.code, 1009);
});

Deno.test("WebSocketCore.shrink() lets go of memory and of nothing else", () => {
  const core = createCore("server");
  core.receive(fromPeer("server", { opcode: 2, payload: new Uint8Array(60_000) }));
  drain(core);
  core.shrink();
  assert(core.heldBytes <= 2_048);
  core.receive(fromPeer("server", { opcode: 1, payload: "a" }));
  assertEquals(drain(core), [{ type: "text", data: "a" }]);
});

Deno.test("WebSocketCore throws on bad options", () => {
  assertThrows(() => new WebSocketCore({ role: "client" }), TypeError);
  assertThrows(() => new WebSocketCore({ role: "server", maxMessageBytes: -1 }), RangeError);
});
