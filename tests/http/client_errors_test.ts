import { assert, assertEquals } from "@std/assert";
import {
  HttpStatusError,
  noteRequestFailure,
  type RequestFacts,
  requestFailure,
} from "../../http/client_errors.ts";
import { NetError, TimeoutError } from "../../nbio/errors.ts";
import { ScriptedClient } from "../_support/scripted_client.ts";

const FACTS: RequestFacts = {
  method: "GET",
  url: "http://a.example/",
  phase: "first-byte",
  attempts: 2,
  address: "127.0.0.1:80",
};

function timeoutError(): TimeoutError {
  return new TimeoutError("Cannot read", { phase: "first-byte", timeoutMs: 1 });
}

Deno.test("requestFailure() gives what was noted on an error, which shows it", () => {
  const error = timeoutError();
  assertEquals(requestFailure(error), undefined);
  assertEquals(noteRequestFailure(error, () => FACTS), error);
  assertEquals({ ...requestFailure(error)! }, FACTS);
  assert(Deno.inspect(error).includes("127.0.0.1:80"));
});

Deno.test("noteRequestFailure() keeps what was noted first", () => {
  const error = noteRequestFailure(timeoutError(), () => FACTS);
  noteRequestFailure(error, () => ({ ...FACTS, attempts: 9 }));
  assertEquals(requestFailure(error)?.attempts, 2);
});

Deno.test("noteRequestFailure() leaves alone what is not of this package, or cannot take it", () => {
  const asked = (): RequestFacts => {
    throw new Error("It was asked");
  };
  const strangers = [new Error("a"), new DOMException("a"), "a", undefined, null];
  for (const error of [...strangers, Object.freeze(timeoutError())]) {
    assertEquals(noteRequestFailure(error, asked), error);
    assertEquals(requestFailure(error), undefined);
  }
  const liar = Object.assign(timeoutError(), { request: "mine" });
  assertEquals(requestFailure(noteRequestFailure(liar, asked)), undefined);
});

Deno.test("HttpStatusError has the response, and does not show it", async () => {
  await using scripted = new ScriptedClient();
  const response = await scripted.answered(
    "HTTP/1.1 401 No\r\nSet-Cookie: secret\r\nContent-Length: 2\r\n\r\nno",
  );
  const error = new HttpStatusError(response);
  assert(error instanceof NetError);
  assertEquals([error.status, error.name], [401, "HttpStatusError"]);
  assert(!Deno.inspect(error).includes("secret"));
  assertEquals(await error.response.text(), "no");
});
