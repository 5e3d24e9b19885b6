import { isWindowsPath, readDirectory } from "../nbio/file_info.ts";
import {
  formatListing,
  type ListingItem,
  type ListingOrder,
  parseListingOrder,
  sortItems,
} from "./directory_listing.ts";
import { isServableName } from "./file_path.ts";
import type { FilePlace } from "./file_places.ts";
import { negotiateType } from "./negotiation.ts";
import type { Context } from "./server_context.ts";

/** A folder that is listed. */
export interface ListedFolder {
  /** Where it is. */
  readonly path: string;
  /** Its names below the root. */
  readonly names: readonly string[];
  /** Items to look at. */
  readonly maxItemCount: number;
  /** Whether a name in it may be seen. */
  isVisible(name: string): boolean;
  /** What a link in it leads to, if that may be seen. */
  follow(name: string): Promise<FilePlace | undefined>;
}

const OFFERS = ["text/html", "application/json"] as const;
/** The page needs nothing but its own styles, and nothing in a name can change that. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * Answers with what lies in a folder.
 *
 * @param ctx The request; its query chooses the order.
 * @param folder Which.
 * @throws {FileError} If it cannot be read.
 */
export async function answerWithListing(ctx: Context, folder: ListedFolder): Promise<void> {
  const { items, isTruncated } = await readDirectory(folder.path, {
    maxItemCount: folder.maxItemCount,
    filter: (name) => isServableName(name, { isWindows: isWindowsPath }) && folder.isVisible(name),
  });
  const shown: ListingItem[] = [];
  for (const { name, kind, size, modifiedMs } of items) {
    const target = kind === "symlink"
      ? (await folder.follow(name))?.status
      : { kind, size, modifiedMs };
    if (target?.kind !== "file" && target?.kind !== "directory") continue;
    const isFolder = target.kind === "directory";
    shown.push({ name, isFolder, size: target.size, modifiedMs: target.modifiedMs });
  }
  const order = parseListingOrder(ctx.query);
  answer(ctx, { items: sortItems(shown, order), names: folder.names, isTruncated, order });
}

/** What is shown. */
interface Shown {
  readonly items: readonly ListingItem[];
  readonly names: readonly string[];
  readonly isTruncated: boolean;
  readonly order: ListingOrder;
}

function answer(ctx: Context, { items, names, isTruncated, order }: Shown): void {
  ctx.append("vary", "Accept");
  ctx.set("cache-control", "no-cache");
  if (negotiateType(ctx.headers.get("accept"), OFFERS) === "application/json") {
    return ctx.json({ items: items.map(toJson), isTruncated });
  }
  ctx.set("content-security-policy", POLICY);
  ctx.set("x-content-type-options", "nosniff");
  ctx.html(formatListing({ names, items, isTruncated, order }));
}

function toJson({ name, isFolder, size, modifiedMs }: ListingItem): Record<string, unknown> {
  const type = isFolder ? "directory" : "file";
  return { name, type, ...(isFolder ? {} : { size }), modifiedMs };
}
