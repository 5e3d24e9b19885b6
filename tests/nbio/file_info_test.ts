import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../nbio/file_error.ts";
import {
  isPathInside,
  isSameFile,
  namesInside,
  openKnownFile,
  openRegularFile,
  readDirectory,
  resolveFile,
  statFile,
} from "../../nbio/file_info.ts";
import { TestFolder } from "../_support/file_server.ts";

const isWindows = Deno.build.os === "windows";

Deno.test("statFile() tells kind, size and time, with and without links", async () => {
  await using folder = new TestFolder();
  const path = await folder.write("a", "hello", 1_000_000_000_000);
  await folder.link("link", "a");
  const status = (await statFile(path))!;
  assertEquals([status.kind, status.size, status.modifiedMs], ["file", 5, 1_000_000_000_000]);
  assertEquals((await statFile(`${folder.path}/link`))!.kind, "file");
  const link = await statFile(`${folder.path}/link`, { followSymlinks: false });
  assertEquals(link!.kind, "symlink");
  assertEquals((await statFile(folder.path))!.kind, "directory");
});

Deno.test("statFile(), resolveFile() and openKnownFile() give undefined for what is not there", async () => {
  await using folder = new TestFolder();
  await folder.write("a", "");
  await folder.link("loop", "loop");
  await folder.link("dangling", "nothing");
  for (const name of ["b", "b/c", "a/b", "loop", "loop/a", "dangling", "x".repeat(300)]) {
    const path = `${folder.path}/${name}`;
    assertEquals(await statFile(path), undefined, name);
    assertEquals(await resolveFile(path), undefined, name);
    assertEquals(await openKnownFile(path), undefined, name);
    assertEquals(await openRegularFile(path), undefined, name);
  }
});

Deno.test("statFile() and resolveFile() fail with FileError where they cannot tell", async () => {
  for (const look of [statFile, resolveFile]) {
    const error = await assertRejects(() => look("a\0b") as Promise<unknown>, FileError);
    assertEquals(error.step, "stat");
  }
});

Deno.test("resolveFile() follows every link", async () => {
  await using folder = new TestFolder();
  await folder.write("a/b", "");
  await folder.link("c", "a");
  await folder.link("d", "c/b");
  assertEquals(await resolveFile(`${folder.path}/d`), await resolveFile(`${folder.path}/a/b`));
});

Deno.test({
  name: "isPathInside() and namesInside() compare whole names",
  ignore: isWindows,
  fn() {
    for (
      const [root, path, names] of [
        ["/a", "/a", []],
        ["/a", "/a/b", ["b"]],
        ["/a", "/a/b/c", ["b", "c"]],
        ["/", "/a", ["a"]],
        ["/", "/", []],
      ] as const
    ) {
      assertEquals([isPathInside(root, path), namesInside(root, path)], [true, [...names]]);
    }
    for (const path of ["/ab", "/", "/b/a", "/A", ""]) {
      assertEquals(isPathInside("/a", path), false);
    }
  },
});

Deno.test("isSameFile() tells a file from one written in its place", async () => {
  await using folder = new TestFolder();
  const path = await folder.write("a", "1");
  const before = (await statFile(path))!;
  await folder.write("a", "12");
  assert(isSameFile(before, (await statFile(path))!));
  await folder.write("b", "1");
  await Deno.rename(`${folder.path}/b`, path);
  if (!isWindows) assert(!isSameFile(before, (await statFile(path))!));
});

Deno.test("readDirectory() tells what lies in a directory, within its bound", async () => {
  await using folder = new TestFolder();
  for (let index = 0; index < 70; index++) await folder.write(`d/${index}`, "x".repeat(index));
  await folder.link("d/link", "0");
  const path = `${folder.path}/d`;
  const all = await readDirectory(path);
  assertEquals([all.items.length, all.isTruncated], [71, false]);
  assertEquals(all.items.find(({ name }) => name === "link")!.kind, "symlink");
  assertEquals(all.items.find(({ name }) => name === "69")!.size, 69);
  for (const [maxItemCount, count] of [[70, 70], [71, 71], [72, 71]] as const) {
    const { items, isTruncated } = await readDirectory(path, { maxItemCount });
    assertEquals([items.length, isTruncated], [count, count < 71]);
  }
  const few = await readDirectory(path, {
    filter: (name) => name.startsWith("6"),
    maxItemCount: 11,
  });
  assertEquals([few.items.length, few.isTruncated], [11, false]);
  await assertRejects(() => readDirectory(path, { maxItemCount: -1 }), RangeError);
  await assertRejects(() => readDirectory(`${path}/0`), FileError);
});

Deno.test({
  name: "openRegularFile() opens files and nothing that would make it wait",
  ignore: isWindows,
  async fn() {
    await using folder = new TestFolder();
    const path = await folder.write("a", "hello");
    await new Deno.Command("mkfifo", { args: [`${folder.path}/fifo`] }).output();
    assertEquals(await openRegularFile(`${folder.path}/fifo`), undefined);
    assertEquals(await openRegularFile(folder.path), undefined);
    assertEquals(await openKnownFile(folder.path), undefined);
    const opened = (await openRegularFile(path))!;
    assertEquals(opened.status.size, 5);
    const bytes = new Uint8Array(5);
    assertEquals(await opened.file.readAt(bytes, 0), 5);
    await opened.file.close();
  },
});
