// A field whose text lives in the address: it holds what is typed until the address has it.
import { type ComponentProps, useEffect, useRef, useState } from "react";
import { Input } from "./field";

interface Props extends Omit<ComponentProps<typeof Input>, "value" | "onChange"> {
  value: string | undefined;
  onFind: (text: string | undefined) => void;
}

/**
 * The address follows a moment after each key. A field that showed only the address would drop
 * letters that are typed meanwhile, and send the caret to the end.
 */
export function FindInput({ value = "", onFind, ...rest }: Props) {
  const [typed, setTyped] = useState(value);
  const sent = useRef<string[]>([]);
  useEffect(() => {
    const at = sent.current.lastIndexOf(value);
    if (at < 0) setTyped(value);
    else sent.current = sent.current.slice(at + 1);
  }, [value]);
  return (
    <Input
      data-search=""
      type="search"
      value={typed}
      onChange={({ target }) => {
        setTyped(target.value);
        sent.current.push(target.value.trim());
        onFind(target.value || undefined);
      }}
      {...rest}
    />
  );
}
