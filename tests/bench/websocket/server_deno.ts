// Echoes with Deno.upgradeWebSocket: `deno run -A server_deno.ts plain` prints its port.

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => socket.send(data);
  // The loader closes where it pleases.
  socket.onerror = (event) => event.preventDefault();
  return response;
});
