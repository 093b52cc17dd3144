/**
 * The JSON objects of a stream of server-sent events, as they come. Each of ours is one `data:`
 * line; what keeps the connection open is passed over.
 */
export async function* readEvents<T>(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<T> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let unread = "";
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (unread + (value ?? "")).split(/\r\n|\n/);
    unread = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data:")) yield JSON.parse(line.slice(5)) as T;
    if (done) return;
  }
}
