import { assertEquals } from "@std/assert";
import { formatService } from "../../dns/service_names.ts";

Deno.test("formatService() names common services and writes other ports as numbers", () => {
  const found = [22, 53, 80, 443, 853, 0, 1, 65_535].map(formatService);
  assertEquals(found, ["ssh", "domain", "http", "https", "domain-s", "0", "1", "65535"]);
});
