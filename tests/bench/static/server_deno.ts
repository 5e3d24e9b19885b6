// Serves a folder with Deno.serve: `deno run -A server_deno.ts FOLDER` prints its port.
const root = Deno.args[0]!;

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, async (request) => {
  const file = await Deno.open(root + new URL(request.url).pathname);
  const { size } = await file.stat();
  return new Response(file.readable, { headers: { "content-length": String(size) } });
});
