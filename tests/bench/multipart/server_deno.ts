// Counts the bytes of uploaded files with Deno.serve: `deno run -A server_deno.ts` prints its port.
Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, async (request) => {
  const data = await request.formData();
  return new Response(`${data.get("title")} ${(data.get("file") as File).size}`);
});
