// The playground's address: one column's settings in plain words, or what to open.
import { flag, number, type Raw, text } from "../frame/search";

export interface PlaygroundSearch {
  model?: string;
  /** `NAME@REF`. */
  prompt?: string;
  system?: string;
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  seed?: number;
  stop?: string;
  json?: true;
  /** The call to load the conversation from. */
  trace?: string;
  /** Its span; or both as `TRACE/SPAN`. */
  span?: string;
  /** A shared set-up. */
  share?: string;
  /** The data set whose rows fill the variables. */
  dataset?: string;
}

export function parsePlaygroundSearch(raw: Raw): PlaygroundSearch {
  const [first, second] = (text(raw.span, 80) ?? "").split("/");
  return {
    model: text(raw.model),
    prompt: text(raw.prompt, 200),
    system: text(raw.system, 8_000),
    temperature: number(raw.temperature),
    top_p: number(raw.top_p),
    max_tokens: number(raw.max_tokens),
    seed: number(raw.seed),
    stop: text(raw.stop),
    json: flag(raw.json),
    trace: second === undefined ? text(raw.trace, 40) : first,
    span: (second ?? first) || undefined,
    share: text(raw.share, 40),
    dataset: text(raw.dataset, 100),
  };
}
