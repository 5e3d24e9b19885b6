import { assertEquals } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { bindUdp } from "../../nbio/udp.ts";
import { startExample } from "../_support/peer.ts";

Deno.test("examples/udp_echo.ts sends every datagram back to where it came from", async () => {
  await using example = await startExample("udp_echo");
  const remote = { hostname: "127.0.0.1", port: example.port };
  using first = await bindUdp({ hostname: "127.0.0.1", remote });
  using second = await bindUdp({ hostname: "127.0.0.1", remote });
  const random = new SeededRandom(1);
  for (const length of [0, 1, 500, 65_507]) {
    const bytes = [random.bytes(length), random.bytes(length)];
    await first.send(bytes[0]!);
    await second.send(bytes[1]!);
    assertEquals((await first.receive({ timeoutMs: 10_000 })).bytes, bytes[0]);
    assertEquals((await second.receive({ timeoutMs: 10_000 })).bytes, bytes[1]);
  }
});
