import { assert } from "@std/assert";
import { randomMaskKey } from "../../websocket/websocket_mask_keys.ts";

Deno.test("randomMaskKey() gives a fresh key of 32 bits every time", () => {
  const keys = Array.from({ length: 5_000 }, () => randomMaskKey());
  assert(keys.every((key) => Number.isInteger(key) && key >= 0 && key <= 0xffff_ffff));
  // A few of 2^32 may be alike.
  assert(new Set(keys).size > 4_990);
});
