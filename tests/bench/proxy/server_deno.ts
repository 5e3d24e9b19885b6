// A proxy of what the runtime has: `deno run -A server_deno.ts UPSTREAM` prints its port.
const origin = `http://127.0.0.1:${Deno.args[0]}`;

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, ({ url, method, headers, body }) => {
  const { pathname, search } = new URL(url);
  return fetch(origin + pathname + search, { method, headers, body, redirect: "manual" });
});
