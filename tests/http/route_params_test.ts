import { assertEquals } from "@std/assert";
import type { RouteParams } from "../../http/route_params.ts";
import { parseRoutePattern } from "../../http/route_pattern.ts";

/** Whether two types are the same, and not only assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Does not compile where the types differ. */
function same<A, B>(pattern: string, isSame: Same<A, B>, names: readonly string[]): void {
  assertEquals(isSame, true as Same<A, B>);
  assertEquals(parseRoutePattern(pattern).params.map(({ name }) => name), names);
}

Deno.test("RouteParams gives the names and types that the parser finds", () => {
  // deno-lint-ignore ban-types
  same<RouteParams<"/users">, {}>("/users", true, []);
  // deno-lint-ignore ban-types
  same<RouteParams<"">, {}>("", true, []);
  same<RouteParams<"/:id">, { id: string }>("/:id", true, ["id"]);
  same<RouteParams<"/:id{int}">, { id: number }>("/:id{int}", true, ["id"]);
  same<RouteParams<"/:x{float}/a">, { x: number }>("/:x{float}/a", true, ["x"]);
  same<RouteParams<"/:id{uuid}">, { id: string }>("/:id{uuid}", true, ["id"]);
  same<RouteParams<"/:id{hex}">, { id: string }>("/:id{hex}", true, ["id"]);
  same<RouteParams<"/:y{\\d{4}}">, { y: string }>("/:y{\\d{4}}", true, ["y"]);
  same<RouteParams<"/:y{a?}">, { y: string }>("/:y{a?}", true, ["y"]);
  same<RouteParams<"/*rest">, { rest: string }>("/*rest", true, ["rest"]);
});

Deno.test("RouteParams gives undefined for what may be missing", () => {
  same<RouteParams<"/:id?">, { id: string | undefined }>("/:id?", true, ["id"]);
  same<RouteParams<"/:id{int}?">, { id: number | undefined }>("/:id{int}?", true, ["id"]);
  same<RouteParams<"/:y{\\d{4}}?">, { y: string | undefined }>("/:y{\\d{4}}?", true, ["y"]);
  same<RouteParams<"/*rest?">, { rest: string | undefined }>("/*rest?", true, ["rest"]);
});

Deno.test("RouteParams gives one object for several segments", () => {
  same<
    RouteParams<"/users/:id{int}/:tab?/\\:no/*rest">,
    { id: number; tab: string | undefined; rest: string }
  >("/users/:id{int}/:tab?/\\:no/*rest", true, ["id", "tab", "rest"]);
});

Deno.test("RouteParams knows nothing of a pattern that is not a literal", () => {
  type Open = Readonly<Record<string, string | number | undefined>>;
  same<RouteParams<string>, Open>("/:any", true, ["any"]);
});
