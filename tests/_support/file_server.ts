import type { HttpServer } from "../../http/serve.ts";
import type { Handler } from "../../http/server_shared.ts";
import { eventually } from "./peer.ts";
import { RawClient } from "./raw_client.ts";
import type { RawResponse } from "./raw_response.ts";
import { request } from "./server_harness.ts";
import { serve } from "./tls_switch.ts";

/** A time long ago: the entity tags of such files are strong. */
export const OLD_MS: number = Date.UTC(2020, 0, 2, 3, 4, 5);

/** A folder that is removed in the end. */
export class TestFolder implements AsyncDisposable {
  /** Where it is, without links. */
  readonly path: string = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "nbio_files_" }));

  /** Writes a file that was changed long ago; folders in front of it are made. */
  async write(
    name: string,
    content: string | Uint8Array,
    modifiedMs: number = OLD_MS,
  ): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
    await Deno.utime(path, modifiedMs / 1000, modifiedMs / 1000);
    return path;
  }

  /** Makes a symbolic link. */
  async link(name: string, target: string): Promise<void> {
    await Deno.symlink(target, `${this.path}/${name}`);
  }

  /** Waits until the files of responses that were cut are closed: a read ends first. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isLetGo = await eventually(() => openCount(this.path) === 0);
    await Deno.remove(this.path, { recursive: true });
    if (!isLetGo) throw new Error(`A file of ${this.path} was left open`);
  }
}

/** How many files of this process lie in a folder and are open; 0 where nobody can tell. */
function openCount(folder: string): number {
  if (Deno.build.os !== "linux") return 0;
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(`${folder}/`)) count++;
    } catch {
      // Closed since it was listed.
    }
  }
  return count;
}

/** A server on a real socket, which is asked with exactly the bytes that a test says. */
export class RawServer implements AsyncDisposable {
  /** The server. */
  readonly server: HttpServer;
  /** What `onError` was told. */
  readonly errors: unknown[] = [];

  /** @param handler Answers the requests. */
  constructor(handler: Handler) {
    this.server = serve(handler, {
      hostname: "127.0.0.1",
      port: 0,
      onError: (error) => this.errors.push(error),
    });
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.server.addr as Deno.NetAddr;
  }

  /** Sends one request on a connection of its own. */
  async ask(start: string, fields: readonly string[] = []): Promise<RawResponse> {
    await using client = await RawClient.connect(this.address);
    await client.send(request(start, fields));
    const response = await client.response(start.startsWith("HEAD "));
    if (response === undefined) throw new Error(`No response to ${start}: ${client.end}`);
    return response;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.shutdown({ graceMs: 0 });
  }
}

/** The value of a field of a response; `undefined` without one. */
export function fieldOf(response: RawResponse, name: string): string | undefined {
  return response.fields.find(([other]) => other.toLowerCase() === name)?.[1];
}
