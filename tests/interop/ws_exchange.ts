import { dial, type WebSocketCompressionOptions } from "@nbio/net/websocket";
import { assertEquals } from "@std/assert";

/**
 * Messages of all lengths, as text and as bytes, whole and in fragments, to an echo server.
 *
 * @returns Whether compression was agreed on.
 */
export async function exchangeAll(
  url: string,
  compression: boolean | WebSocketCompressionOptions,
): Promise<boolean> {
  await using connection = await dial(url, { compression });
  for (const size of [0, 1, 125, 126, 1_000, 65_535, 65_536, 300_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index * 31);
    void connection.send("é".repeat(size));
    void connection.send(bytes);
    assertEquals(await connection.readMessage(), { type: "text", data: "é".repeat(size) });
    assertEquals(await connection.readMessage(), { type: "binary", data: bytes });
  }
  const message = await connection.openMessage({ type: "text" });
  await message.write("in ");
  await message.close("fragments");
  const ponged = connection.ping();
  assertEquals((await connection.readMessage())?.data, "in fragments");
  const isCompressed = connection.extensions !== "";
  const reading = connection.readMessage();
  await ponged;
  const { code, clean, by } = await connection.close(4000, "done");
  assertEquals({ code, clean, by }, { code: 4000, clean: true, by: "local" });
  assertEquals(await reading, undefined);
  return isCompressed;
}
