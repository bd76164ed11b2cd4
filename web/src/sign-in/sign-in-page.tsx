import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { call, setCsrf } from "../api/client";
import { sessionQuery, signInWaysQuery } from "../api/queries";
import type { SessionInfo } from "../api/types";
import { queryClient } from "../frame/client";
import { Button, buttonClass } from "../ui/button";
import { cx } from "../ui/cx";
import { Field, Input } from "../ui/field";
import { Mark } from "../ui/icons";
import { Failure } from "../ui/states";
import { safeNext, takeRefusal, takeToken } from "./token";

type Proof = { token: string } | { email: string; password: string };

export function SignInPage() {
  const { next } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState<"token" | "password" | null>(null);
  const begun = useRef(false);
  const { data: ways, error: unknown, refetch } = useQuery(signInWaysQuery);
  const providers = ways?.providers ?? [];

  const enter = async (proof: Proof) => {
    setBusy("token" in proof ? "token" : "password");
    setError(null);
    try {
      const session = await call<SessionInfo>("/api/v1/session", {
        method: "POST",
        body: proof,
        keepSession: true,
        brief: true,
      });
      setCsrf(session.csrf);
      queryClient.setQueryData(sessionQuery.queryKey, session);
      await navigate({ href: safeNext(next), replace: true });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(null);
    }
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: a one-time token is spent once, at the first render
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    document.title = "Sign in · stockpot";
    const token = takeToken();
    const refusal = takeRefusal();
    if (token) enter({ token });
    else if (refusal) setError(new Error(refusal));
  }, []);

  return (
    <main className="flex min-h-full items-start justify-center bg-panel px-4 pt-[16vh]">
      <div className="w-[360px]">
        <div className="mb-5 flex items-center gap-2">
          <Mark size={26} />
          <h1 className="text-xl font-semibold tracking-tight">stockpot</h1>
        </div>
        {busy === "token" ? (
          <p role="status" className="text-ink-2">
            Signing you in…
          </p>
        ) : (
          <div className="rounded-xl border bg-raised p-5">
            {providers.map(({ name, title }) => (
              <a
                key={name}
                href={`/api/v1/sign-in/${name}?next=${encodeURIComponent(safeNext(next))}`}
                className={cx(buttonClass(ways?.password ? "plain" : "primary"), "mb-2 h-8 w-full")}
                title={title}
              >
                <span className="truncate">Continue with {title}</span>
              </a>
            ))}
            {providers.length > 0 && ways?.password && (
              <p className="my-3 text-center text-xs text-ink-2">or with a password</p>
            )}
            {ways?.password !== false && (
              <PasswordForm busy={busy === "password"} onProof={enter} />
            )}
          </div>
        )}
        {unknown && !ways && error === null && (
          <Failure error={unknown} onRetry={refetch} className="mt-3 bg-raised" />
        )}
        {error !== null && <Failure error={error} className="mt-3 bg-raised" />}
        <p className="mt-4 text-xs text-ink-2">
          First time here? <code className="font-mono">stockpot up</code> prints a sign-in link. For
          a new link, run <code className="font-mono">stockpot sign-in</code> beside the instance.
        </p>
      </div>
    </main>
  );
}

function PasswordForm({ busy, onProof }: { busy: boolean; onProof: (proof: Proof) => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    onProof({ email, password });
    setPassword("");
  };
  return (
    <form onSubmit={onSubmit}>
      <Field label="E-mail">
        {(props) => (
          <Input
            type="email"
            name="email"
            autoFocus
            required
            autoComplete="username"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            {...props}
            className="h-8"
          />
        )}
      </Field>
      <Field label="Password" className="mt-3">
        {(props) => (
          <Input
            type="password"
            name="password"
            required
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            {...props}
            className="h-8"
          />
        )}
      </Field>
      <Button type="submit" tone="primary" busy={busy} className="mt-4 h-8 w-full">
        Sign in
      </Button>
    </form>
  );
}
