/**
 * A stream over an iterator of chunks, which reads nothing ahead of its reader.
 *
 * @param chunks Where the chunks come from; it is ended when the stream is
 * cancelled.
 */
export function chunkStream(
  chunks: AsyncIterator<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller): Promise<void> {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(): Promise<void> {
      await chunks.return?.();
    },
  }, { highWaterMark: 0 });
}

/**
 * A stream over a body that is read piece by piece and closed, which reads nothing ahead of its
 * reader.
 *
 * @param body Where the chunks come from; it is closed when the stream is cancelled.
 */
export function readerStream(body: {
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  close(): void;
}): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller): Promise<void> {
      const chunk = await body.read();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: (): void => body.close(),
  }, { highWaterMark: 0 });
}
