// Broadcasts: `deno run -A server_ours.ts` prints its port, then broadcasts as often as each line
// on its input says, and prints how many clients it has reached.
import { serve } from "../../../http/serve.ts";
import { SseBroadcaster } from "../../../http/sse_broadcaster.ts";
import { broadcastOnDemand } from "./demand.mjs";

const news = new SseBroadcaster();
const server = serve((ctx) => void news.subscribe(ctx), { port: 0, hostname: "127.0.0.1" });
console.log((server.addr as Deno.NetAddr).port);
await broadcastOnDemand((id: string, data: string) => news.publish({ id, data }));
