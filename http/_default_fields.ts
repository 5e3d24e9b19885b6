import type { HeaderList } from "./header_list.ts";
import type { Context } from "./server_context.ts";

/** Name and value of a header field. */
export type DefaultField = readonly [name: string, value: string];

/**
 * Sets fields that stand on every answer unless something further in says
 * otherwise. They are set ahead of the handler, which may commit the head.
 *
 * @param ctx The request.
 * @param fields The fields.
 * @returns What {@linkcode restoreDefaultFields} has to be given.
 */
export function setDefaultFields(ctx: Context, fields: readonly DefaultField[]): HeaderList {
  for (const [name, value] of fields) {
    // Cheaper than to replace what is not there.
    if (ctx.response.headers.has(name)) ctx.set(name, value);
    else ctx.append(name, value);
  }
  return ctx.response.headers;
}

/**
 * Makes the fields hold for what was answered meanwhile.
 *
 * @param ctx The request.
 * @param fields The fields.
 * @param before What {@linkcode setDefaultFields} returned.
 */
export function restoreDefaultFields(
  ctx: Context,
  fields: readonly DefaultField[],
  before: HeaderList,
): void {
  const { committed, headers } = ctx.response;
  if (committed) return;
  for (const [name, value] of fields) {
    const values = headers.getAll(name);
    if (values.length === 0) {
      // An error has dropped them all; the handler may have dropped just this one.
      if (headers !== before) headers.set(name, value);
    } else if (values.length > 1 && values[0] === value) {
      // A returned Response brought its own, which came behind ours.
      headers.delete(name);
      for (const own of values.slice(1)) headers.append(name, own);
    }
  }
}
