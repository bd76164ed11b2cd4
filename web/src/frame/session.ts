import { call, setCsrf } from "../api/client";
import { toastError } from "../ui/toast";
import { queryClient } from "./client";
import { router } from "./router";

/** Ends the session on the server first; whatever was read under it leaves this page's memory. */
export async function signOut(): Promise<void> {
  try {
    await call("/api/v1/session", { method: "DELETE" });
  } catch (error) {
    toastError(error);
    return;
  }
  setCsrf("");
  queryClient.clear();
  await router.navigate({ to: "/sign-in" });
}
