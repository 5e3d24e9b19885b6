/**
 * Headless Chromium, driven by its DevTools protocol: pages with real clicks, typed text, chosen
 * files and cookies. https://chromedevtools.github.io/devtools-protocol/
 */

import { eventually } from "./peer.ts";

/** Milliseconds that a command, a page or a condition may take. */
const TIMEOUT_MS = 30_000;

type Json = Record<string, unknown>;

interface Pending {
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

/** A browser with a profile of its own, which goes with it. */
export class Browser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #pending = new Map<number, Pending>();
  readonly #pages = new Map<string, BrowserPage>();
  #lastId = 0;

  private constructor(child: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    this.#timer = setTimeout(() => kill(child), 2 * TIMEOUT_MS);
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => {
      const error = new Error("The browser has ended");
      for (const { reject } of this.#pending.values()) reject(error);
      for (const page of this.#pages.values()) page.end(error);
    };
  }

  /** Starts a browser. */
  static async start(command: string): Promise<Browser> {
    const profile = await Deno.makeTempDir();
    const child = new Deno.Command(command, {
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...["--disable-dev-shm-usage", "--remote-debugging-port=0", `--user-data-dir=${profile}`],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const socket = new WebSocket(await debuggerUrl(profile));
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = () => reject(new Error("Cannot reach the browser"));
      });
      return new Browser(child, profile, socket);
    } catch (error) {
      kill(child);
      await child.status;
      await removeProfile(profile);
      throw error;
    }
  }

  /** Opens a page and waits until all of it has been loaded. */
  async open(url: string): Promise<BrowserPage> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const attached = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const sessionId = attached.sessionId as string;
    const page = new BrowserPage((method, params) => this.send(method, params, sessionId));
    this.#pages.set(sessionId, page);
    await page.enable();
    await page.go(url);
    return page;
  }

  /** Sends a command, to the browser or to one of its pages. */
  send(method: string, params?: Json, sessionId?: string): Promise<Json> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.#pending.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return promise;
  }

  #receive(message: Json): void {
    const { id, sessionId, method, params, error, result } = message;
    if (typeof id === "number") {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(result as Json);
      else pending?.reject(new Error(JSON.stringify(error)));
      return;
    }
    this.#pages.get(sessionId as string)?.receive(method as string, params as Json);
  }

  /** Ends the browser and removes its profile. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    const closed = new Promise((resolve) => this.#socket.addEventListener("close", resolve));
    kill(this.#child);
    await this.#child.status;
    await closed;
    await removeProfile(this.#profile);
  }
}

/** One page of a browser. */
export class BrowserPage {
  /** What went wrong in the page and nobody caught, and what its policies have refused. */
  readonly errors: string[] = [];
  readonly #send: (method: string, params?: Json) => Promise<Json>;
  #loaded: PromiseWithResolvers<void> | undefined;

  constructor(send: (method: string, params?: Json) => Promise<Json>) {
    this.#send = send;
  }

  /** Has the browser tell what happens in the page. */
  async enable(): Promise<void> {
    for (const domain of ["Page", "Runtime", "Log", "DOM", "Network"]) {
      await this.#send(`${domain}.enable`);
    }
  }

  /** Takes what the browser tells. */
  receive(method: string, params: Json): void {
    if (method === "Page.loadEventFired") this.#loaded?.resolve();
    if (method === "Runtime.exceptionThrown") this.errors.push(JSON.stringify(params));
    if (method === "Log.entryAdded") {
      const { source, level, text } = params.entry as Json;
      // An answer of 401 is logged as an error of the network.
      if (level === "error" && source !== "network") this.errors.push(`${source}: ${text}`);
    }
  }

  /** Goes to a URL and waits until all of it has been loaded. */
  async go(url: string): Promise<void> {
    await this.#loading(() => this.#send("Page.navigate", { url }));
  }

  /** Does what leads to another page, and waits until all of that has been loaded. */
  async #loading(action: () => Promise<unknown>): Promise<void> {
    const loaded = this.#loaded = Promise.withResolvers<void>();
    await Promise.all([action(), loaded.promise]);
  }

  /** Takes that nothing more will come. */
  end(error: Error): void {
    this.#loaded?.reject(error);
  }

  /** The value of an expression in the page, or what its promise gives. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (answer.exceptionDetails !== undefined) throw new Error(JSON.stringify(answer));
    return (answer.result as Json).value as T;
  }

  /** Waits until an expression is truthy. */
  async until(expression: string): Promise<void> {
    const isTrue = await this.evaluate<boolean>(`new Promise((resolve) => {
      const end = performance.now() + ${TIMEOUT_MS};
      const look = () => {
        const value = Boolean(${expression});
        if (value || performance.now() > end) resolve(value);
        else setTimeout(look, 5);
      };
      look();
    })`);
    if (!isTrue) throw new Error(`In vain waited for ${expression}`);
  }

  /** Clicks in the middle of an element, once it can be seen. */
  async click(selector: string): Promise<void> {
    await this.until(`document.querySelector(${JSON.stringify(selector)})?.checkVisibility()`);
    const [x, y] = await this.evaluate<[number, number]>(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "center", behavior: "instant" });
      const { x, y, width, height } = element.getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    })()`);
    const at = { x, y, button: "left", clickCount: 1 };
    await this.#send("Input.dispatchMouseEvent", { type: "mousePressed", ...at });
    await this.#send("Input.dispatchMouseEvent", { type: "mouseReleased", ...at });
  }

  /** Clicks on what leads to another page. */
  async follow(selector: string): Promise<void> {
    await this.#loading(() => this.click(selector));
  }

  /** Types text into a field. */
  async type(selector: string, text: string): Promise<void> {
    await this.click(selector);
    await this.#send("Input.insertText", { text });
  }

  /** Chooses files in a field for them. */
  async choose(selector: string, paths: readonly string[]): Promise<void> {
    const { root } = await this.#send("DOM.getDocument");
    const { nodeId } = await this.#send("DOM.querySelector", {
      nodeId: (root as Json).nodeId,
      selector,
    });
    await this.#send("DOM.setFileInputFiles", { files: paths, nodeId });
  }

  /** Lets uploads take no more than so many bytes in a second; -1 for as many as can be. */
  async throttleUploads(bytesPerSecond: number): Promise<void> {
    await this.#send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: bytesPerSecond,
    });
  }

  /** Names, values and flags of the cookies that the page's origin is sent. */
  async cookies(): Promise<{ name: string; value: string; httpOnly: boolean; secure: boolean }[]> {
    const { cookies } = await this.#send("Network.getCookies");
    return cookies as { name: string; value: string; httpOnly: boolean; secure: boolean }[];
  }
}

/** Where the browser can be driven: it writes that down when it is ready. */
async function debuggerUrl(profile: string): Promise<string> {
  const read = () => {
    try {
      return Deno.readTextFileSync(`${profile}/DevToolsActivePort`).split("\n");
    } catch {
      return [];
    }
  };
  const isReady = await eventually(() => read().length >= 2, TIMEOUT_MS);
  if (!isReady) throw new Error("The browser did not start");
  const [port, path] = read();
  return `ws://127.0.0.1:${port}${path}`;
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Helper processes of the browser may still write while it ends. */
async function removeProfile(path: string): Promise<void> {
  let last: unknown;
  const isGone = await eventually(() => {
    try {
      Deno.removeSync(path, { recursive: true });
      return true;
    } catch (error) {
      last = error;
      return false;
    }
  });
  if (!isGone) throw last;
}
