import { CloseCode } from "./close_code.ts";

/** What is closed when its server goes away. */
export interface ShutdownMember {
  /** Begins to close. */
  close(code: number): unknown;
}

/**
 * The members of every signal. A listener for each of them would take more memory, and a search
 * through all others whenever one is removed.
 */
const members = new WeakMap<AbortSignal, Set<ShutdownMember>>();

/**
 * Closes a member with 1001 when a signal aborts.
 *
 * @param signal The signal, not aborted yet.
 * @param member What to close.
 */
export function joinShutdown(signal: AbortSignal, member: ShutdownMember): void {
  let joined = members.get(signal);
  if (joined === undefined) {
    members.set(signal, joined = new Set());
    signal.addEventListener("abort", closeAll, { once: true });
  }
  joined.add(member);
}

/**
 * Forgets a member, which has ended.
 *
 * @param signal The signal it was joined to.
 * @param member What is not to be closed any more.
 */
export function leaveShutdown(signal: AbortSignal, member: ShutdownMember): void {
  members.get(signal)?.delete(member);
}

function closeAll({ target }: Event): void {
  const joined = members.get(target as AbortSignal)!;
  // To close may be to end, and that is to leave.
  for (const member of [...joined]) member.close(CloseCode.GOING_AWAY);
}
