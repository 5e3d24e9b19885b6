import type { EchoStep, SuiteScale, WebSocketCase } from "./websocket_case.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const TYPES = ["text", "binary"] as const;
const FILL = { text: 0x2a, binary: 0xfe } as const;

function echoing(id: string, name: string, step: EchoStep): WebSocketCase {
  return { id, name, steps: [step], answers: [] };
}

/** One large message. */
function large(
  id: string,
  type: EchoStep["type"],
  bytes: number,
  how: { readonly fragmentBytes?: number; readonly chop?: number } = {},
): WebSocketCase {
  const { fragmentBytes, chop } = how;
  const ways = [
    `${type} of ${bytes} bytes`,
    ...fragmentBytes === undefined ? [] : [`in fragments of ${fragmentBytes}`],
    ...chop === undefined ? [] : [`in writes of ${chop}`],
  ];
  const message = () => new Uint8Array(bytes).fill(FILL[type]);
  return echoing(id, ways.join(" "), { type, message, ...how });
}

function roundTrips(id: string, type: EchoStep["type"], bytes: number, count: number) {
  const payload = new Uint8Array(bytes).fill(FILL[type]);
  const name = `${count} round trips of ${type} of ${bytes} bytes`;
  return echoing(id, name, { type, count, message: () => payload });
}

/** Groups 9 and 10: large messages, many fragments, many writes, many messages. */
export function sizeCases({ sizeDivisor, messageCount }: SuiteScale): WebSocketCase[] {
  const scaled = (bytes: number) => Math.max(1, Math.round(bytes / sizeDivisor));
  const messages = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
  const fragmentSizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
  const chops = [64, 128, 256, 512, KIB, 2 * KIB];
  const trips = [0, 16, 64, 256, KIB, 4 * KIB];
  return [
    ...TYPES.flatMap((type, t) => [
      ...messages.map((bytes, i) => large(`9.${1 + t}.${i + 1}`, type, scaled(bytes))),
      ...fragmentSizes.map((fragmentBytes, i) =>
        large(`9.${3 + t}.${i + 1}`, type, scaled(4 * MIB), { fragmentBytes })
      ),
      ...chops.map((chop, i) => large(`9.${5 + t}.${i + 1}`, type, scaled(MIB), { chop })),
      ...trips.map((bytes, i) => roundTrips(`9.${7 + t}.${i + 1}`, type, bytes, messageCount)),
    ]),
    large("10.1.1", "text", 64 * KIB, { fragmentBytes: 1300 }),
  ];
}
