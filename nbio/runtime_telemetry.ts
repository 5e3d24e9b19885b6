/**
 * Whether a provider of tracers or meters is the runtime's own, which `OTEL_DENO=true` switches
 * on. It takes what is no `bigint` for a fraction, where others take a `bigint` for no value.
 *
 * @param provider Any provider.
 *
 * @example Somebody's own
 * ```ts
 * import { isRuntimeTelemetry } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isRuntimeTelemetry({}), false);
 * ```
 */
export function isRuntimeTelemetry(provider: unknown): boolean {
  // A runtime that has no such thing has none of its providers.
  const runtime: Partial<typeof Deno.telemetry> = Deno.telemetry ?? {};
  const { tracerProvider, meterProvider } = runtime;
  return provider !== undefined && (provider === tracerProvider || provider === meterProvider);
}
