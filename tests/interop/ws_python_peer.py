"""An echo server, or a client of one, on the websockets of Python.

`ws_python_peer.py server OPTIONS` prints its port; `ws_python_peer.py client URL OPTIONS` sends
messages of all sizes, whole and in fragments, and prints as JSON what came of it. OPTIONS are those
of permessage-deflate as JSON: null for no compression, {} for the defaults.
"""

import asyncio
import json
import sys

import websockets
from websockets.extensions import permessage_deflate

SIZES = [0, 1, 125, 126, 1_000, 65_535, 65_536, 300_000]
FACTORIES = {
    "server": permessage_deflate.ServerPerMessageDeflateFactory,
    "client": permessage_deflate.ClientPerMessageDeflateFactory,
}


def options_of(role, text):
    wishes = json.loads(text)
    common = {"compression": None, "max_size": 2**24}
    if wishes is None:
        return common
    return {**common, "extensions": [FACTORIES[role](**wishes)]}


async def echo(ws, path=None):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.ConnectionClosedError:
        # It closed with another code than 1000.
        pass


async def serve(options):
    async with websockets.serve(echo, "127.0.0.1", 0, **options_of("server", options)) as server:
        print("Listening on", list(server.sockets)[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def exchange(url, options):
    right = 0
    async with websockets.connect(url, **options_of("client", options)) as ws:
        for size in SIZES:
            for message in ["é" * size, bytes(index * 31 % 256 for index in range(size))]:
                await ws.send(message)
                right += await ws.recv() == message
        await ws.send(["in ", "three ", "fragments"])
        right += await ws.recv() == "in three fragments"
        pong = await ws.ping()
        await asyncio.wait_for(pong, 5)
        await ws.close(4000, "done")
    print(json.dumps({"rightCount": right, "code": ws.close_code}))


if sys.argv[1] == "server":
    asyncio.run(serve(sys.argv[2]))
else:
    asyncio.run(exchange(sys.argv[2], sys.argv[3]))
