/**
 * The lint rules of this repository: who may import whom, who may touch the platform, what a
 * protocol core may use, and which constructs of the language are not used at all.
 *
 * @module
 */

import { house } from "./lint_house.ts";
import { layering } from "./lint_layering.ts";
import { platform } from "./lint_platform.ts";
import { sansIo } from "./lint_sans_io.ts";

const plugin: Deno.lint.Plugin = {
  name: "nbio",
  rules: { layering, platform, "sans-io": sansIo, house },
};

export default plugin;
