import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "../api/client";

/** A refusal is final; a broken connection or a 5xx is worth another try. */
function worthRetrying(count: number, error: Error): boolean {
  if (error instanceof ApiError && error.status >= 400 && error.status < 500) return false;
  return count < 2;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: worthRetrying,
      retryDelay: (count) => Math.min(400 * 2 ** count, 3_000),
      refetchOnWindowFocus: true,
      networkMode: "always",
      staleTime: 2_000,
    },
    mutations: { networkMode: "always" },
  },
});
