// The playground's settings as search parameters: a link carries the whole set-up.
import { flag, number, type Raw, text } from "../frame/search";

export interface PlaygroundSearch {
  model?: string;
  system?: string;
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  seed?: number;
  stop?: string;
  json?: true;
  /** The call to load the conversation from. */
  trace?: string;
  span?: string;
}

export function parsePlaygroundSearch(raw: Raw): PlaygroundSearch {
  return {
    model: text(raw.model),
    system: text(raw.system, 8_000),
    temperature: number(raw.temperature),
    top_p: number(raw.top_p),
    max_tokens: number(raw.max_tokens),
    seed: number(raw.seed),
    stop: text(raw.stop),
    json: flag(raw.json),
    trace: text(raw.trace, 40),
    span: text(raw.span, 40),
  };
}
