// Text that a line cuts off is shown whole where the pointer rests; what reads the page aloud has it
// whole anyway.

const OURS = "data-cut";

function onPointer({ target }: Event): void {
  const line = target instanceof Element && target.closest<HTMLElement>(".truncate");
  if (!line || (line.title && !line.hasAttribute(OURS))) return;
  const cut = line.scrollWidth > line.clientWidth;
  line.toggleAttribute(OURS, cut);
  line.title = cut ? line.textContent : "";
}

/** Begin; gives how to end. */
export function showCutText(): () => void {
  document.addEventListener("pointerover", onPointer);
  return () => document.removeEventListener("pointerover", onPointer);
}
