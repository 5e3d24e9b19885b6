import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { settle } from "../../nbio/testing_settle.ts";

/** Rounds after which what is still there is kept by somebody. */
const MAX_ROUNDS = 10;

/** Whether nobody keeps the object of `ref` alive any more, once garbage has been collected. */
export async function isCollected(ref: WeakRef<object>): Promise<boolean> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  for (let round = 0; round < MAX_ROUNDS; round++) {
    // Whoever looks at a weak reference keeps its object alive until the end of the turn.
    await settle();
    collect();
    if (ref.deref() === undefined) return true;
  }
  return false;
}
