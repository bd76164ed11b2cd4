// How an application speaks to the server: read from the environment, or given.

/** Takes an input, an output, metadata or an error's text, and gives what may be kept of it. */
export type Mask = (value: unknown) => unknown;

/**
 * Without a key nothing is sent; calls through the gateway still join their trace. The buffer holds
 * at most `bufferItems` spans and `bufferBytes` bytes; what comes when it is full is dropped and
 * counted. At exit it has `exitMs` to be sent.
 */
export interface Options {
  url: string;
  key: string;
  /** Where spans go, when not to `url`. */
  tracesUrl: string;
  project: string;
  service: string;
  release: string;
  environment: string;
  enabled: boolean;
  /** Whether inputs and outputs of functions are kept where it is not said. */
  capture: boolean;
  mask: Mask | undefined;
  /** Of one input or output; the rest is cut off. */
  mostChars: number;
  bufferItems: number;
  bufferBytes: number;
  sendEveryMs: number;
  exitMs: number;
  timeoutMs: number;
  /** Told once about what is amiss; `console.warn` when not given. */
  warn: (message: string) => void;
}

const OFF = new Set(["0", "false", "no", "off"]);

/** Blanks around variables do not count: a key that is read from a file ends with its line. */
export function fromEnvironment(given: NodeJS.ProcessEnv = process.env): Options {
  const ours = Object.entries(given).filter(([name]) => /^(STOCKPOT|OTEL)_/.test(name));
  const environ: NodeJS.ProcessEnv = Object.fromEntries(
    ours.map(([name, value]) => [name, value?.trim()]),
  );
  return {
    url: environ.STOCKPOT_URL || "http://127.0.0.1:4001",
    key: environ.STOCKPOT_KEY ?? "",
    tracesUrl: environ.STOCKPOT_TRACES_URL ?? "",
    project: "",
    service: environ.STOCKPOT_SERVICE || environ.OTEL_SERVICE_NAME || "",
    release: environ.STOCKPOT_RELEASE ?? "",
    environment: environ.STOCKPOT_ENVIRONMENT ?? "",
    enabled: !OFF.has((environ.STOCKPOT_OBSERVE ?? "").toLowerCase()),
    capture: true,
    mask: undefined,
    mostChars: 256 * 1024,
    bufferItems: 10_000,
    bufferBytes: 32 * 1024 * 1024,
    sendEveryMs: 1000,
    exitMs: 3000,
    timeoutMs: 10_000,
    warn: (message) => console.warn(`stockpot: ${message}`),
  };
}
