import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactElement, Suspense, useState } from "react";
import { sessionQuery } from "../api/frame-queries";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Popover } from "../ui/popover";
import { signOut } from "./session";

const PasswordDialog = lazy(() =>
  import("./password-dialog").then((module) => ({ default: module.PasswordDialog })),
);

export function AccountPanel({ trigger }: { trigger: ReactElement }) {
  const [open, setOpen] = useState(true);
  const [password, setPassword] = useState(false);
  const { data } = useQuery(sessionQuery);
  return (
    <>
      <Popover
        trigger={trigger}
        className="w-[240px]"
        side="right"
        align="end"
        open={open}
        onOpenChange={setOpen}
      >
        <div className="flex flex-col gap-2 px-3 py-2.5">
          <div>
            <p className="flex items-center gap-2 font-medium">
              <span className="truncate">{data?.user.name || data?.user.email}</span>
              <Badge>{data?.user.role}</Badge>
            </p>
            <p className="truncate text-ink-2">{data?.user.email}</p>
          </div>
          <Button
            onClick={() => {
              setOpen(false);
              setPassword(true);
            }}
          >
            Set a password
          </Button>
          <Button icon="out" onClick={signOut}>
            Sign out
          </Button>
        </div>
      </Popover>
      {password && data && (
        <Suspense>
          <PasswordDialog user={data.user} onClose={() => setPassword(false)} />
        </Suspense>
      )}
    </>
  );
}
