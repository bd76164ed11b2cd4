import { Dialog } from "../ui/dialog";
import { Kbd } from "../ui/kbd";
import { shortcuts } from "./shortcuts";

export function Help({ onClose }: { onClose: () => void }) {
  const shown = shortcuts().filter((shortcut) => !shortcut.hidden);
  const groups = [...new Set(shown.map((shortcut) => shortcut.group))];
  return (
    <Dialog open onClose={onClose} title="Keyboard shortcuts" width={620}>
      <div className="columns-2 gap-8">
        {groups.map((group) => (
          <section key={group} className="mb-4 break-inside-avoid">
            <h3 className="mb-1 text-xs font-medium text-ink-3">{group}</h3>
            <ul>
              {group === "Everywhere" && <Row label="Command palette" keys={["Ctrl K"]} />}
              {shown
                .filter((shortcut) => shortcut.group === group)
                .map((shortcut) => (
                  <Row key={shortcut.keys} label={shortcut.label} keys={shortcut.keys.split(" ")} />
                ))}
            </ul>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function Row({ label, keys }: { label: string; keys: string[] }) {
  return (
    <li className="flex h-7 items-center gap-1">
      <span className="mr-auto">{label}</span>
      {keys.map((key) => (
        <Kbd key={key}>{key}</Kbd>
      ))}
    </li>
  );
}
