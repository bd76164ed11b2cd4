// The console's icons: 16 px strokes drawn here, so that no icon font or package is needed.
import type { SVGProps } from "react";

const PATHS = {
  overview: "M2.5 13.5h11M4.5 11V8M8 11V4M11.5 11V6",
  traces: "M2.5 4h7M4.5 8h7M6.5 12h7",
  playground:
    "M3 3.5h10a1 1 0 0 1 1 1v5.5a1 1 0 0 1-1 1H8l-3 2.5V11H3a1 1 0 0 1-1-1V4.5a1 1 0 0 1 1-1z",
  prompts: "M3 2.5h7l3 3v8H3zM9.5 2.5V6H13M5.5 8.5h5M5.5 11h3.5",
  models: "M8 2l5.5 3v6L8 14l-5.5-3V5zM2.5 5L8 8l5.5-3M8 8v6",
  keys: "M10.5 9a3.5 3.5 0 1 0-3.3-2.3L2.5 11.5v2h2.5v-1.5h1.5v-1.5h1l.8-.8c.6.2 1.4.3 2.2.3zM11.2 4.9v.1",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5l3 3",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5l3.2 3.2L13 4.8",
  copy: "M5.5 5.5h7v7h-7zM3.5 10.5v-7h7",
  chevron: "M4.5 6.5L8 10l3.5-3.5",
  right: "M6.5 4.5L10 8l-3.5 3.5",
  plus: "M8 3v10M3 8h10",
  play: "M5 3.5l7.5 4.5L5 12.5z",
  stop: "M4.5 4.5h7v7h-7z",
  external: "M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3L7.5 8.5",
  sun: "M8 10.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z",
  split: "M2 8h3.5L10 3.5h3.5M5.5 8L10 12.5h3.5M11.5 1.5l2 2-2 2M11.5 10.5l2 2-2 2",
  filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
  bell: "M4 11.5V7a4 4 0 0 1 8 0v4.5M2.5 11.5h11M6.8 13.7h2.4",
  warn: "M8 2.5l6 11H2zM8 6.5v3.2M8 11.6v.1",
  edit: "M3 13l.6-2.6L10.8 3.2l2 2L5.6 12.4z",
  refresh: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.3h-2.3",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5",
  expand: "M9.5 3H13v3.5M6.5 13H3V9.5M13 3L9 7M3 13l4-4",
  pulse: "M1.5 8h3l2-5 3 10 2-5h3",
  command:
    "M5.5 5.5h5v5h-5zM5.5 5.5H4A1.5 1.5 0 1 1 5.5 4zM10.5 5.5V4A1.5 1.5 0 1 1 12 5.5zM10.5 10.5H12a1.5 1.5 0 1 1-1.5 1.5zM5.5 10.5V12A1.5 1.5 0 1 1 4 10.5z",
  out: "M9.5 3.5h-6v9h6M7 8h7M11.5 5.5L14 8l-2.5 2.5",
  routes: "M2 8h3M5 8c3.5 0 2.5-4.5 6-4.5h2.5M5 8c3.5 0 2.5 4.5 6 4.5h2.5M5 8h8.5",
  revisions: "M3 8a5 5 0 1 1 1.6 3.7M3 13.5v-2.3h2.3M8 5v3l2 1.5",
  server: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5v.1M5 11v.1",
  cost: "M8 1.8v12.4M11 4.6C10.4 3.7 9.3 3.2 8 3.2c-1.8 0-3 .9-3 2.3 0 3.2 6.2 1.6 6.2 4.9 0 1.5-1.4 2.4-3.2 2.4-1.5 0-2.7-.6-3.3-1.6",
  thumb:
    "M5 7v6H2.5V7zM5 7l2.5-4.5c1 0 1.5.7 1.5 1.5V6.5h3.5c.8 0 1.2.6 1 1.3l-1 4.2c-.2.6-.6 1-1.2 1H5",
  grid: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.7h11M6.5 3v10",
  tag: "M2.5 8V3h5l6 6-5 5zM5.2 5.6v.1",
  inbox: "M2 9l2-5.5h8L14 9v4H2zM2 9h3.5l1 1.8h3l1-1.8H14",
  people:
    "M6 7.5a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6zM1.8 13.2c.3-2.3 2-3.7 4.2-3.7s3.9 1.4 4.2 3.7M10.5 3.2a2.2 2.2 0 0 1 0 4.2M11.8 9.8c1.4.5 2.2 1.7 2.4 3.4",
  audit: "M4 2h6l2.5 2.5V14H4zM6.2 6h4M6.2 8.5h4M6.2 11h2.5",
  shield: "M8 2l5 1.8V8c0 3-2 5-5 6-3-1-5-3-5-6V3.8z",
  scales: "M8 2.5v11M5.5 13.5h5M3.5 4.5h9M3.5 4.5L1.8 9h3.4zM12.5 4.5L10.8 9h3.4z",
  stairs: "M2 13.5h3.5v-3.5H9V6.5h3.5V3H14",
  chats: "M2 3h8.5v5.5H6L3.5 10.5v-2H2zM12.5 6H14v5h-1.5v1.8L10.3 11H8",
  settings: "M2.5 4.5h5M10.5 4.5h3M9 3v3M2.5 11.5h3M8.5 11.5h5M7 10v3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({
  name,
  size = 16,
  ...rest
}: { name: IconName; size?: number } & SVGProps<SVGSVGElement>) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      {...rest}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The pot. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      stroke="currentColor"
      strokeWidth={2.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className="text-copper"
    >
      <path d="M6 13h20v9.5a4.5 4.5 0 0 1-4.5 4.5h-11A4.5 4.5 0 0 1 6 22.5z" />
      <path d="M3 13h26" />
      <path d="M12 8.6c0-1.6 1.4-1.8 1.4-3.6M18.6 8.6c0-1.6 1.4-1.8 1.4-3.6" />
    </svg>
  );
}
