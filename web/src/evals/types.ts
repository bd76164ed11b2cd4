// The API's types of evaluations by their plain names.
import type { components } from "../api/schema";

type Schemas = components["schemas"];
/** The server sends every field; one with a default is optional only in what we send. */
type Complete<T> = T extends object ? { [K in keyof T]-?: Complete<T[K]> } : T;
type Sent<Name extends keyof Schemas> = Complete<Schemas[Name]>;

export type Run = Sent<"Run">;
/** What the stream of runs tells of one. */
export type RunStep = Pick<Run, "id" | "project" | "suite" | "state" | "progress" | "finished_ms">;
export type Suite = Sent<"Suite">;
export type NewRun = Schemas["NewRun"];
export type Measured = Sent<"Measured">;
export type Result = Sent<"Result">;
export type ResultPage = Sent<"ResultPage">;
export type Verdict = Sent<"Verdict">;
export type Forecast = Sent<"Forecast">;
export type RunComparison = Sent<"RunComparison">;
export type Compared = Sent<"Compared">;
export type CaseDifference = Sent<"CaseDifference">;
export type ParetoPoint = Sent<"ParetoPoint">;
export type GateResult = Sent<"GateResult">;
export type Velocity = Sent<"Velocity">;
export type Release = Velocity["latest"][number];
