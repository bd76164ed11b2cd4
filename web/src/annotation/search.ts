// Which queue is shown, and how, as search parameters. Pure.
import { flag, oneOf, type Raw, text } from "../frame/search";

export interface AnnotationSearch {
  queue?: string;
  /** Work through the queue, or look at what was answered. */
  step?: "items" | "agreement";
  item?: string;
  create?: true;
}

export function parseAnnotationSearch(raw: Raw): AnnotationSearch {
  return {
    queue: text(raw.queue, 40),
    step: oneOf(raw.step, ["items", "agreement"] as const),
    item: text(raw.item, 80),
    create: flag(raw.create),
  };
}
