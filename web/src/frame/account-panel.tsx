import { useQuery } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";
import { sessionQuery } from "../api/queries";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Popover } from "../ui/popover";
import { signOut } from "./session";

export function AccountPanel({ trigger }: { trigger: ReactElement }) {
  const [open, setOpen] = useState(true);
  const { data } = useQuery(sessionQuery);
  return (
    <Popover
      trigger={trigger}
      className="w-[240px]"
      side="right"
      align="end"
      open={open}
      onOpenChange={setOpen}
    >
      <div className="px-3 py-2.5">
        <p className="flex items-center gap-2 font-medium">
          <span className="truncate">{data?.user.name || data?.user.email}</span>
          <Badge>{data?.user.role}</Badge>
        </p>
        <p className="truncate text-ink-2">{data?.user.email}</p>
        <Button icon="out" className="mt-2.5 w-full" onClick={signOut}>
          Sign out
        </Button>
      </div>
    </Popover>
  );
}
