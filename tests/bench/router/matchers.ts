import { createRequire } from "node:module";
import { Router } from "../../../http/router.ts";
import type { Context, RouteParamValues } from "../../../http/server_context.ts";
import { installPeer } from "../_support/npm_peer.ts";
import type { BenchRequest, RouteSet } from "./route_sets.ts";

/** Finds routes: ours or a rival. */
export interface Matcher {
  /** Finds the route of a request; the parameters, to be checked and to be a sink. */
  match(request: BenchRequest): Readonly<Record<string, unknown>> | undefined;
}

/** Makes a matcher for a set of routes. */
export type MatcherFactory = (set: RouteSet) => Matcher | Promise<Matcher>;

const NONE: RouteParamValues = {};

/** As much of a context as a router touches; the answer is dropped. */
class BenchContext {
  method = "";
  url = "";
  params: RouteParamValues = {};
  get path(): string {
    return this.url;
  }
  enterRoute(_route: string, params: RouteParamValues = NONE): void {
    this.params = params;
  }
  ensureAnswer(): void {}
  fail(error: unknown): void {
    throw error;
  }
}

function ours({ routes }: RouteSet): Matcher {
  const router = new Router();
  for (const { method, pattern } of routes) router.on(method, pattern, () => {});
  const context = new BenchContext();
  return {
    match({ method, path }) {
      context.method = method;
      context.url = path;
      context.params = NONE;
      router.handler(context as unknown as Context);
      return context.params;
    },
  };
}

function findMyWay({ routes }: RouteSet): Matcher {
  const modules = installPeer("find-my-way", "9.10.1");
  const router = createRequire(`${modules}/`)("find-my-way")();
  for (const { method, pattern } of routes) {
    router.on(method, pattern.replace("*path", "*"), () => {});
  }
  return { match: ({ method, path }) => nameRest(router.find(method, path)?.params, "*") };
}

async function rou3({ routes }: RouteSet): Promise<Matcher> {
  const modules = installPeer("rou3", "1.0.0");
  const { createRouter, addRoute, findRoute } = await import(`${modules}/rou3/dist/index.mjs`);
  const router = createRouter();
  for (const { method, pattern } of routes) {
    addRoute(router, method, pattern.replace("*path", "**:path"), {});
  }
  return {
    match({ method, path }) {
      const found = findRoute(router, method, path);
      return found === undefined ? undefined : found.params ?? NONE;
    },
  };
}

async function hono({ routes }: RouteSet): Promise<Matcher> {
  const modules = installPeer("hono", "4.13.19");
  const { RegExpRouter } = await import(`${modules}/hono/dist/router/reg-exp-router/index.js`);
  const { TrieRouter } = await import(`${modules}/hono/dist/router/trie-router/index.js`);
  const { SmartRouter } = await import(`${modules}/hono/dist/router/smart-router/index.js`);
  const router = new SmartRouter({ routers: [new RegExpRouter(), new TrieRouter()] });
  for (const { method, pattern } of routes) {
    router.add(method, pattern.replace("*path", ":path{.+}"), {});
  }
  return {
    match({ method, path }) {
      const [found, stash] = router.match(method, path);
      const places = found[0]?.[1];
      if (places === undefined || stash === undefined) return places;
      const params: Record<string, unknown> = {};
      for (const name of Object.keys(places)) params[name] = stash[places[name]];
      return params;
    },
  };
}

/** What the platform has: an expression for each route, asked in turn. */
function urlPatterns({ routes }: RouteSet): Matcher {
  const patterns = routes.map(({ method, pattern }) => ({
    method,
    pattern: new URLPattern({ pathname: pattern.replace("*path", ":path+") }),
  }));
  return {
    match({ method, path }) {
      for (const route of patterns) {
        if (route.method !== method) continue;
        const found = route.pattern.exec({ pathname: path });
        if (found !== null) return found.pathname.groups;
      }
      return undefined;
    },
  };
}

function nameRest(
  params: Record<string, unknown> | undefined,
  key: string,
): Record<string, unknown> | undefined {
  if (params !== undefined && key in params) params.path = params[key];
  return params;
}

/** All matchers by name. */
export const MATCHERS: Readonly<Record<string, MatcherFactory>> = {
  "ours": ours,
  "find-my-way": findMyWay,
  "rou3": rou3,
  "hono": hono,
  "urlpattern": urlPatterns,
};
