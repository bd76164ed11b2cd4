// The API's types of right-sizing by their plain names.
import type { components } from "../api/schema";

type Schemas = components["schemas"];
/** The server sends every field; one with a default is optional only in what we send. */
type Complete<T> = T extends object ? { [K in keyof T]-?: Complete<T[K]> } : T;
type Sent<Name extends keyof Schemas> = Complete<Schemas[Name]>;

export type SizeRun = Sent<"RightsizeRun">;
export type SizeReport = NonNullable<SizeRun["report"]>;
export type Candidate = SizeReport["candidates"][number];
export type ArmFigures = SizeReport["baseline"];
export type NewSizeRun = Schemas["NewRightsize"];
export type Proposal = Sent<"Proposal">;
export type Started = Sent<"Started">;
export type Savings = Sent<"Savings">;
