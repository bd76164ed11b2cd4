// The editor of templates: CodeMirror with colours for {{ }}, {% %} and {# #}. Loaded when needed.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  keymap,
  MatchDecorator,
  placeholder as placeholderOf,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { useEffect, useRef } from "react";

const CLASSES: Record<string, string> = {
  "{{": "cm-slot",
  "{%": "cm-statement",
  "{#": "cm-remark",
};

const matcher = new MatchDecorator({
  regexp: /\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}/g,
  decoration: (match) => Decoration.mark({ class: CLASSES[match[0].slice(0, 2)] ?? "cm-slot" }),
});

const coloured = ViewPlugin.fromClass(
  class {
    marks: DecorationSet;
    constructor(view: EditorView) {
      this.marks = matcher.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.marks = matcher.updateDeco(update, this.marks);
    }
  },
  { decorations: (plugin) => plugin.marks },
);

const dress = EditorView.theme({
  "&": { fontSize: "13px", backgroundColor: "var(--raised)", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": {
    fontFamily: "var(--font-mono)",
    padding: "8px 10px",
    lineHeight: "20px",
    caretColor: "var(--ink)",
    minHeight: "44px",
  },
  ".cm-scroller": { maxHeight: "420px", overflow: "auto" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-placeholder": { color: "var(--ink-3)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--accent-wash)",
  },
  ".cm-slot": { color: "var(--accent)", fontWeight: "500" },
  ".cm-statement": { color: "var(--copper)" },
  ".cm-remark": { color: "var(--ink-3)", fontStyle: "italic" },
});

interface Props {
  label: string;
  value: string;
  placeholder?: string;
  readOnly?: boolean;
  onChange: (value: string) => void;
  onSave?: () => void;
}

export default function CodeEditor({
  label,
  value,
  placeholder,
  readOnly,
  onChange,
  onSave,
}: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const tell = useRef(onChange);
  tell.current = onChange;
  const save = useRef(onSave);
  save.current = onSave;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; its text follows below
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    // In a tree of its own the editor's styles need no style element, which our content policy
    // forbids.
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const made = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(),
          drawSelection(),
          keymap.of([
            {
              key: "Mod-Enter",
              run: () => {
                save.current?.();
                return true;
              },
            },
            ...defaultKeymap,
            ...historyKeymap,
          ]),
          EditorView.lineWrapping,
          EditorState.readOnly.of(Boolean(readOnly)),
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "true" }),
          ...(placeholder ? [placeholderOf(placeholder)] : []),
          coloured,
          dress,
          EditorView.updateListener.of((update) => {
            if (update.docChanged) tell.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    // Outside, the target of a key is the host: the page's own single keys must not see them.
    const keep = (event: KeyboardEvent) => {
      if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    };
    element.addEventListener("keydown", keep);
    return () => {
      element.removeEventListener("keydown", keep);
      made.destroy();
    };
  }, []);
  useEffect(() => {
    const made = view.current;
    if (!made || made.state.doc.toString() === value) return;
    made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: value } });
  }, [value]);
  return <div ref={host} className="overflow-hidden rounded-md border border-line-strong" />;
}
