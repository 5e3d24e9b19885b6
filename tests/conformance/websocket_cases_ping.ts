import { answer, answered, failing, ping, pong, type WebSocketCase } from "./websocket_case.ts";

const BYTES = new Uint8Array([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff]);
const LONGEST = new Uint8Array(125).fill(0xfe);
const TEN = Array.from({ length: 10 }, (_, index) => `payload-${index}`);
const TEN_PINGS = TEN.map((payload) => ping(payload));
const TEN_PONGS = TEN.map((payload) => answer("pong", payload));

/** Group 2: pings and pongs. */
export const PING_CASES: readonly WebSocketCase[] = [
  answered("2.1", "ping without payload", [ping()], [answer("pong")]),
  answered("2.2", "ping with text", [ping("Hello, world!")], [answer("pong", "Hello, world!")]),
  answered("2.3", "ping with bytes", [ping(BYTES)], [answer("pong", BYTES)]),
  answered("2.4", "ping with 125 bytes", [ping(LONGEST)], [answer("pong", LONGEST)]),
  failing("2.5", "ping with 126 bytes", [ping(new Uint8Array(126).fill(0xfe))]),
  answered("2.6", "ping with 125 bytes, one by one", [ping(LONGEST)], [answer("pong", LONGEST)], 1),
  answered("2.7", "pong nobody asked for, without payload", [pong()], []),
  answered("2.8", "pong nobody asked for, with payload", [pong("unasked")], []),
  answered(
    "2.9",
    "pong nobody asked for, then a ping",
    [pong("unasked"), ping("asked")],
    [answer("pong", "asked")],
  ),
  answered("2.10", "10 pings", TEN_PINGS, TEN_PONGS),
  answered("2.11", "10 pings, byte by byte", TEN_PINGS, TEN_PONGS, 1),
];
