/** One route: a method and a pattern of this package. */
export interface BenchRoute {
  readonly method: string;
  readonly pattern: string;
}

/** A request, by what a router looks at. */
export interface BenchRequest {
  readonly method: string;
  readonly path: string;
  /** Parameters that have to be found, as text. */
  readonly params: Readonly<Record<string, string>>;
}

/** Routes, and requests that all have a route. */
export interface RouteSet {
  readonly name: string;
  readonly routes: readonly BenchRoute[];
  readonly requests: readonly BenchRequest[];
}

function route(method: string, pattern: string): BenchRoute {
  return { method, pattern };
}

function get(path: string, params: Record<string, string> = {}): BenchRequest {
  return { method: "GET", path, params };
}

/** A small service: eleven routes, of each kind some. */
const SMALL: RouteSet = {
  name: "11",
  routes: [
    route("GET", "/"),
    route("GET", "/health"),
    route("GET", "/account"),
    route("GET", "/account/orders"),
    route("GET", "/account/search/city/:city"),
    route("GET", "/orders/:id"),
    route("GET", "/orders/:id/items"),
    route("POST", "/orders/:id/items"),
    route("GET", "/orders/:id/items/:item"),
    route("GET", "/docs/guide/first/steps/with/routes"),
    route("GET", "/files/*path"),
  ],
  requests: [
    get("/account"),
    get("/account/orders"),
    get("/account/search/city/paris", { city: "paris" }),
    get("/orders/1000234/items", { id: "1000234" }),
    { method: "POST", path: "/orders/1000234/items", params: { id: "1000234" } },
    get("/orders/1000234/items/17", { id: "1000234", item: "17" }),
    get("/docs/guide/first/steps/with/routes"),
    get("/files/images/logo.png", { path: "images/logo.png" }),
  ],
};

const NOUNS = ["users", "teams", "invoices", "products", "events", "groups", "posts", "sensors"];

/** A large service: a hundred resources, ten routes each. */
function makeLarge(): RouteSet {
  const routes: BenchRoute[] = [];
  const requests: BenchRequest[] = [];
  for (let index = 0; index < 100; index++) {
    const base = `/api/v${index % 3}/${NOUNS[index % NOUNS.length]}${index}`;
    routes.push(
      route("GET", base),
      route("POST", base),
      route("GET", `${base}/export/csv`),
      route("GET", `${base}/:id`),
      route("PUT", `${base}/:id`),
      route("DELETE", `${base}/:id`),
      route("GET", `${base}/:id/comments`),
      route("GET", `${base}/:id/comments/:comment`),
      route("POST", `${base}/:id/comments`),
      route("GET", `${base}/:id/files/*path`),
    );
    const id = String(index * 7919);
    requests.push(
      get(base),
      get(`${base}/export/csv`),
      get(`${base}/${id}`, { id }),
      get(`${base}/${id}/comments/42`, { id, comment: "42" }),
      get(`${base}/${id}/files/2025/report.pdf`, { id, path: "2025/report.pdf" }),
    );
  }
  return { name: "1000", routes, requests };
}

/** The sets that are measured. */
export const ROUTE_SETS: readonly RouteSet[] = [SMALL, makeLarge()];
