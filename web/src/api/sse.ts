// Server-sent events as text: an incremental reader after the WHATWG rules (data lines, comments,
// CR, LF and CRLF). Knows nothing of what the data means.

export class SseReader {
  private rest = "";
  private data: string[] = [];
  private sawCr = false;

  /** Takes the next piece of text and returns the data of every event that it completes. */
  push(text: string): string[] {
    let piece = text;
    // A CRLF cut in two by the network is one line end, not two.
    if (this.sawCr && piece.startsWith("\n")) piece = piece.slice(1);
    if (piece) this.sawCr = piece.endsWith("\r");
    const lines = (this.rest + piece).split(/\r\n|\r|\n/);
    this.rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.line(line));
  }

  /** What a stream that broke off left behind: its last event, if that one had all its lines. */
  end(): string[] {
    const events = this.rest ? this.push("\n\n") : this.push("\n");
    this.rest = "";
    return events;
  }

  private line(line: string): string[] {
    if (line === "") {
      if (this.data.length === 0) return [];
      const event = this.data.join("\n");
      this.data = [];
      return [event];
    }
    if (line.startsWith("data:")) this.data.push(line.slice(line[5] === " " ? 6 : 5));
    return [];
  }
}

export function readEvents(text: string): string[] {
  const reader = new SseReader();
  return [...reader.push(text), ...reader.end()];
}

export function looksLikeEvents(text: string): boolean {
  return /^\s*(data:|event:|id:|retry:|:)/.test(text);
}
