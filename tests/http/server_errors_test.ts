import { assertEquals, assertThrows } from "@std/assert";
import { HttpError, HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { HeaderList } from "../../http/header_list.ts";
import { compose } from "../../http/middleware.ts";
import { OutgoingResponse } from "../../http/outgoing_response.ts";
import { problem } from "../../http/problem_details.ts";
import { requestFault } from "../../http/request_fault.ts";
import {
  answerError,
  answerNotFound,
  isServerError,
  readAccept,
  statusOf,
} from "../../http/server_errors.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

const limit = { limit: "maxBodyBytes", max: 16 };

for (
  const [what, error, status, isOurs, body] of [
    ["nothing", undefined, 500, true, "Internal Server Error"],
    ["null", null, 500, true, "Internal Server Error"],
    ["a string", "secret", 500, true, "Internal Server Error"],
    ["an Error", new Error("secret"), 500, true, "Internal Server Error"],
    ["an HttpError", new HttpError(404, "gone"), 404, false, "gone"],
    ["an HttpError 500", new HttpError(500, "secret"), 500, true, "Internal Server Error"],
    ["an HttpError 503", new HttpError(503, "secret"), 503, false, "Service Unavailable"],
    ["a status nobody named", new HttpError(499), 499, false, "Status 499"],
    [
      "a request that breaks the protocol",
      requestFault(new HttpProtocolError("ERR_HTTP_BARE_LF", "LF")),
      400,
      false,
      "LF",
    ],
    [
      "an upstream that breaks the protocol",
      new HttpProtocolError("ERR_HTTP_BARE_LF", "secret"),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a hint",
      requestFault(new HttpProtocolError("ERR_HTTP_BAD_VERSION", "v", { statusHint: 505 })),
      505,
      true,
      "HTTP Version Not Supported",
    ],
    [
      "a request beyond a limit",
      requestFault(new LimitExceededError("big", { ...limit, statusHint: 413 })),
      413,
      false,
      "big",
    ],
    [
      "an upstream beyond a limit",
      new LimitExceededError("secret", { ...limit, statusHint: 413 }),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a limit without a hint",
      requestFault(new LimitExceededError("secret", limit)),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a stalled body",
      requestFault(new TimeoutError("slow", { phase: "body", timeoutMs: 1 })),
      408,
      false,
      "slow",
    ],
    [
      "an upstream that stalls",
      new TimeoutError("secret", { phase: "body", timeoutMs: 1 }),
      503,
      true,
      "Service Unavailable",
    ],
    [
      "a slow handler",
      new TimeoutError("slow", { phase: "handler", timeoutMs: 1 }),
      503,
      true,
      "Service Unavailable",
    ],
    ["a lost upstream", new ConnectionClosedError("secret"), 500, true, "Internal Server Error"],
    [
      "a state error",
      new HttpStateError("ERR_HTTP_BODY_USED", "secret", { state: "a", event: "b" }),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a foreign status",
      Object.assign(new Error("secret"), { status: 418 }),
      418,
      false,
      "Status 418",
    ],
    [
      "a foreign 502",
      Object.assign(new Error("secret"), { status: 502 }),
      502,
      true,
      "Bad Gateway",
    ],
    [
      "a foreign 302",
      Object.assign(new Error("secret"), { status: 302 }),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a foreign 600",
      Object.assign(new Error("secret"), { status: 600 }),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a foreign 404.5",
      Object.assign(new Error("secret"), { status: 404.5 }),
      500,
      true,
      "Internal Server Error",
    ],
  ] as [string, unknown, number, boolean, string][]
) {
  Deno.test(`answerError() answers ${what} with ${status}`, () => {
    assertEquals([statusOf(error), isServerError(error)], [status, isOurs]);
    const response = new OutgoingResponse();
    response.setStatus(201);
    response.headers.append("x-secret", "1");
    response.answer("secret", undefined);
    answerError(response, error);
    assertEquals([response.status, response.body], [status, body]);
    assertEquals([...response.headers], [["content-type", "text/plain; charset=utf-8"]]);
  });
}

Deno.test("answerError() takes the header fields of an HttpError, also a type of its own", () => {
  const response = new OutgoingResponse();
  const headers = [["Content-Type", "application/problem+json"], ["Allow", "GET"]] as const;
  answerError(response, new HttpError(405, "{}", { headers }));
  assertEquals([...response.headers], headers.map(([name, value]) => [name, value]));
});

Deno.test("answerError() throws on header fields that cannot be sent", () => {
  const error = new HttpError(400, "", { headers: [["a", "b\r\nc: d"]] });
  assertThrows(() => answerError(new OutgoingResponse(), error), TypeError);
});

const TEXT = "text/plain; charset=utf-8";
const HTML = "text/html; charset=utf-8";
const PROBLEM = "application/problem+json";
const CREDIT = problem({ status: 403, title: "No credit", detail: "You have 30", balance: 30 });

for (
  const [accept, type, ofProblem] of [
    [undefined, TEXT, PROBLEM],
    ["", TEXT, PROBLEM],
    ["*/*", TEXT, PROBLEM],
    ["text/plain", TEXT, TEXT],
    ["application/json", PROBLEM, PROBLEM],
    ["application/problem+json", PROBLEM, PROBLEM],
    ["application/json, text/plain, */*", PROBLEM, PROBLEM],
    ["text/html", HTML, HTML],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML, HTML],
    ["application/json;q=0.5, text/html;q=0.4", PROBLEM, PROBLEM],
    // What cannot be served is served as if nothing had been asked for.
    ["image/png", TEXT, PROBLEM],
    ["*/*;q=0", TEXT, PROBLEM],
    ["\xff;;;q=,,,", TEXT, PROBLEM],
  ] as const
) {
  Deno.test(`errors are answered as ${type} to Accept: ${accept}`, () => {
    const rows = [
      [new HttpError(404, "gone"), type, type === TEXT],
      [undefined, type, type === TEXT],
      [CREDIT, ofProblem, ofProblem === PROBLEM],
    ] as const;
    for (const [error, wanted, isUsual] of rows) {
      const response = new OutgoingResponse();
      answerError(response, error, accept);
      assertEquals(response.headers.get("content-type"), wanted);
      assertEquals(response.headers.get("vary"), isUsual ? undefined : "Accept");
    }
    const response = new OutgoingResponse();
    response.headers.append("vary", "Origin");
    answerNotFound(response, accept);
    assertEquals([response.status, response.headers.get("content-type")], [404, type]);
    assertEquals(response.headers.get("vary"), type === TEXT ? "Origin" : "Origin, Accept");
  });
}

function bodyOf(error: unknown, accept: string): string {
  const response = new OutgoingResponse();
  answerError(response, error, accept);
  return response.body as string;
}

Deno.test("answerError() says the same in text, problem details and a page", () => {
  const error = new HttpError(404, "No <user> & \"co\" 'x'");
  assertEquals(bodyOf(error, "text/plain"), error.message);
  assertEquals(JSON.parse(bodyOf(error, "application/json")), {
    title: "Not Found",
    status: 404,
    detail: error.message,
  });
  const page = bodyOf(error, "text/html");
  const escaped = "No &lt;user&gt; &amp; &quot;co&quot; &#39;x&#39;";
  assertEquals(page.includes(`<p>${escaped}</p>`), true);
  assertEquals(page.split("<h1>404 Not Found</h1>").length, 2);
  assertEquals(page.includes("<user>"), false);
});

Deno.test("answerError() says what problem details say", () => {
  assertEquals(JSON.parse(bodyOf(CREDIT, "*/*")), {
    title: "No credit",
    status: 403,
    detail: "You have 30",
    balance: 30,
  });
  assertEquals(bodyOf(CREDIT, "text/plain"), "You have 30");
  const page = bodyOf(problem({ status: 403, title: "<script>", detail: "<b>" }), "text/html");
  assertEquals([page.includes("<h1>403 &lt;script&gt;</h1>"), page.includes("<p>&lt;b&gt;</p>")], [
    true,
    true,
  ]);
  assertEquals(page.includes("<script>"), false);
});

for (
  const error of [
    new Error("secret"),
    new HttpError(500, "secret"),
    new HttpError(503, "secret"),
    problem({ status: 500, type: "secret:", title: "secret", detail: "secret", more: "secret" }),
    Object.assign(new HttpError(500), { toProblem: () => ({ title: "secret" }) }),
    Object.assign(new Error("secret"), { status: 400, toProblem: () => ({ title: "secret" }) }),
  ]
) {
  Deno.test(`answerError() tells nothing of ${error.constructor.name} ${statusOf(error)}`, () => {
    for (const accept of ["text/plain", "text/html", "application/json", "*/*"]) {
      assertEquals(bodyOf(error, accept).includes("secret"), false);
    }
  });
}

Deno.test("readAccept() says nothing for a request that is over", () => {
  assertEquals(
    readAccept({ headers: new HeaderList([["Accept", "a/b"], ["accept", "c/d"]]) }),
    "a/b, c/d",
  );
  const over = {
    get headers(): HeaderList {
      throw new TypeError();
    },
  };
  assertEquals(readAccept(over), undefined);
});

Deno.test("every error of a server is answered in the form the client likes", async () => {
  const handler = compose([], (ctx) => {
    if (ctx.path === "/credit") throw CREDIT;
    if (ctx.path === "/fail") throw new Error("secret");
    return ctx.path === "/late" ? Promise.reject(new HttpError(409, "late")) : undefined;
  });
  const bare: Handler = (ctx) => ctx.path === "/composed" ? handler(ctx) : undefined;
  for (const root of [handler, bare]) {
    await using server = serve(root, { hostname: "127.0.0.1", port: 0, onError: () => {} });
    const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
    const get = async (path: string, accept: string): Promise<[number, string | null, string]> => {
      const response = await fetch(url + path, { headers: { accept } });
      return [response.status, response.headers.get("content-type"), await response.text()];
    };
    assertEquals(await get("/missing", "*/*"), [404, TEXT, "Not Found"]);
    assertEquals((await get("/missing", "text/html"))[1], HTML);
    const json = '{"title":"Not Found","status":404}';
    assertEquals(await get("/missing", "application/json"), [404, PROBLEM, json]);
    if (root === bare) continue;
    assertEquals((await get("/credit", "*/*")).slice(0, 2), [403, PROBLEM]);
    assertEquals(await get("/late", "text/plain"), [409, TEXT, "late"]);
    const failed = '{"title":"Internal Server Error","status":500}';
    assertEquals(await get("/fail", "application/json"), [500, PROBLEM, failed]);
  }
});
