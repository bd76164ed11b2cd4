import { QueryClient } from "@tanstack/react-query";
import { worthRetrying } from "../api/client";

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
