/**
 * The runtime's own servers, as `http_target.ts` answers and as an echo of WebSocket messages; the
 * argument is the suite. Prints its port.
 */

function answer(request: Request): Response | Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const target = pathname + search;
  if (target.startsWith("/target")) return new Response(target);
  if (target.startsWith("/field/")) {
    return new Response(request.headers.get(pathname.slice(7)) ?? "missing");
  }
  if (target.startsWith("/status/")) {
    return new Response(null, { status: Number(pathname.slice(8)) });
  }
  switch (pathname) {
    case "/unread":
      return new Response("unread");
    case "/stream":
      return new Response(ReadableStream.from([ascii("str"), ascii("eam")]));
    case "/close":
      return new Response("close", { headers: { connection: "close" } });
    case "/echo":
      return new Response(
        [...request.headers].map(([name, value]) => `${name}: ${value}\n`).join(""),
      );
    case "/cookie":
      return new Response((request.headers.get("cookie") ?? "").split("; ").join("\n"));
    case "/count":
      return request.bytes().then(({ length }) => new Response(`${length}`));
    default:
      return answerMethod(request, pathname);
  }
}

function answerMethod(request: Request, pathname: string): Response | Promise<Response> {
  const headers = { allow: "GET, HEAD, POST, OPTIONS" };
  switch (request.method) {
    case "GET":
    case "HEAD":
      return new Response("OK");
    case "OPTIONS":
      return new Response(null, { status: pathname === "*" ? 200 : 204, headers });
    case "DELETE":
    case "TRACE":
    case "CONNECT":
      return new Response(null, { status: 405, headers });
    default:
      return request.bytes().then((bytes) => new Response(bytes));
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function echo(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => socket.send(data);
  socket.onerror = () => {};
  return response;
}

const handler = Deno.args[0] === "websocket" ? echo : answer;
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`Listening on ${port}`),
  // What a case does to a connection is no matter of the log.
  onError: () => new Response(null, { status: 500 }),
}, handler);
