import { assertEquals } from "@std/assert";
import { escapeHtml } from "../../http/escape_html.ts";

Deno.test("escapeHtml() leaves nothing that could end a text or an attribute", () => {
  assertEquals(
    escapeHtml(`<a b="c" d='e'>&amp;`),
    "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;",
  );
  assertEquals(escapeHtml("plain é"), "plain é");
});
