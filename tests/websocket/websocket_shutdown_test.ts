import { assertEquals } from "@std/assert";
import { joinShutdown, leaveShutdown } from "../../websocket/websocket_shutdown.ts";

/** Notes the codes it is closed with. */
class Member {
  readonly codes: number[] = [];
  readonly #onClose: () => void;

  constructor(onClose: () => void = () => {}) {
    this.#onClose = onClose;
  }

  close(code: number): void {
    this.codes.push(code);
    this.#onClose();
  }
}

Deno.test("joinShutdown() closes every member with 1001, once", () => {
  const controller = new AbortController();
  const members = [new Member(), new Member()];
  for (const member of members) joinShutdown(controller.signal, member);
  joinShutdown(controller.signal, members[0]!);
  controller.abort();
  assertEquals(members.map(({ codes }) => codes), [[1001], [1001]]);
});

Deno.test("leaveShutdown() forgets a member, and knows no stranger", () => {
  const controller = new AbortController();
  const [left, stayed] = [new Member(), new Member()];
  joinShutdown(controller.signal, left);
  joinShutdown(controller.signal, stayed);
  leaveShutdown(controller.signal, left);
  leaveShutdown(controller.signal, left);
  leaveShutdown(new AbortController().signal, stayed);
  controller.abort();
  assertEquals([left.codes, stayed.codes], [[], [1001]]);
});

Deno.test("members that leave while they are closed keep no other from it", () => {
  const controller = new AbortController();
  const members: Member[] = [];
  for (let index = 0; index < 3; index++) {
    const member: Member = new Member(() => leaveShutdown(controller.signal, member));
    members.push(member);
    joinShutdown(controller.signal, member);
  }
  controller.abort();
  assertEquals(members.map(({ codes }) => codes), [[1001], [1001], [1001]]);
});

Deno.test("members of one signal do not hear of another", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const member = new Member();
  joinShutdown(one.signal, member);
  joinShutdown(other.signal, new Member());
  other.abort();
  assertEquals(member.codes, []);
});
