// The API's types by their plain names. `schema.d.ts` is generated from the product's OpenAPI
// (`npm run api`); nothing here is written by hand but the names.
import type { components, operations } from "./schema";

type Schemas = components["schemas"];

/** The server sends every field; one with a default is optional only in what we send. */
type Complete<T> = T extends object ? { [K in keyof T]-?: Complete<T[K]> } : T;
type Sent<Name extends keyof Schemas> = Complete<Schemas[Name]>;

export type Span = Sent<"Span">;
export type SpanKind = Span["kind"];
export type Status = Span["status"];
export type Tokens = Sent<"Tokens">;
export type TraceRow = Sent<"TraceRow">;
export type TracePage = Sent<"TracePage">;
export type Trace = Sent<"Trace">;
export type Payload = Sent<"Payload">;
export type Quantiles = Sent<"Quantiles">;
export type Totals = Sent<"Totals">;
export type Point = Sent<"Point">;
export type Group = Sent<"Group">;
export type Overview = Sent<"Overview">;
export type SpendTotals = Sent<"SpendTotals">;
export type SpentOn = Sent<"SpentOn">;
export type Spending = Sent<"Spending">;
export type AccessRequest = Sent<"AccessRequest">;
export type NewRequest = Schemas["NewRequest"];
export type Team = Sent<"Team">;
export type Invitation = Schemas["Invitation"];
export type Invited = Sent<"Invited">;
export type SignInLink = Sent<"SignInLink">;
export type ProjectAccess = Sent<"ProjectAccess">;
export type ApiToken = Sent<"ApiToken">;
export type ApiTokenRequest = Schemas["ApiTokenRequest"];
export type NewApiToken = Sent<"NewApiToken">;
export type AuditEntry = Sent<"AuditEntry">;
export type AuditVerification = Sent<"AuditVerification">;
export type SettingShown = Sent<"SettingShown">;
export type ModelPrices = Sent<"ModelPrices">;
export type Price = Sent<"Price">;
export type SignInWays = Sent<"SignInWays">;
export type NewPassword = Schemas["NewPassword"];
export type User = Sent<"User">;
export type SessionInfo = Sent<"SessionInfo">;
export type Project = Sent<"Project">;
export type VirtualKey = Sent<"VirtualKey">;
export type NewKey = Schemas["NewKey"];
export type KeySettings = Schemas["KeySettings"];
export type CreatedKey = Sent<"CreatedKey">;
export type BudgetSpec = Schemas["BudgetSpec"];
export type BudgetState = Sent<"BudgetState">;
export type LimitSpec = Sent<"LimitSpec">;
export type ProviderVendor = Sent<"ProviderVendor">;
export type Provider = Sent<"Provider">;
export type ProviderSettings = Schemas["ProviderSettings"];
export type TargetHealth = Sent<"TargetHealth">;
export type Model = Sent<"Model">;
export type RouteSettings = Schemas["RouteSettings"];
export type RouteTarget = Sent<"RouteTarget">;
export type TargetGroup = Sent<"TargetGroup">;
export type RuleSpec = Sent<"RuleSpec">;
export type Change = Sent<"Change">;
export type Conflict = Sent<"Conflict">;
export type Plan = Sent<"Plan">;
export type Applied = Sent<"Applied">;
export type Rehearsal = Sent<"Rehearsal">;
export type Revision = Sent<"Revision">;
export type RevisionDetail = Sent<"RevisionDetail">;
export type Difference = Sent<"stockpot__revisions__models__Difference">;
export type Move = Sent<"Move">;
export type Watched = Sent<"Watched">;
export type TestResult = Sent<"TestResult">;
export type Monitor = Sent<"Monitor">;
export type NewMonitor = Schemas["NewMonitor"];
export type MonitorSettings = Schemas["MonitorSettings"];
export type MonitorSlice = Schemas["MonitorSlice"];
export type MonitorTrial = Schemas["MonitorTrial"];
export type MonitorHistory = Sent<"MonitorHistory">;
export type ThresholdRule = Sent<"ThresholdRule">;
export type BurnRateRule = Sent<"BurnRateRule">;
export type Standing = Sent<"Standing">;
export type Alert = Sent<"Alert">;
export type Silence = Sent<"Silence">;
export type Channel = Sent<"Channel">;
export type NewChannel = Schemas["NewChannel"];
export type CreatedChannel = Sent<"CreatedChannel">;
export type ChannelTest = Sent<"ChannelTest">;
export type Delivery = Sent<"Delivery">;
export type InstanceEvent = Sent<"Event">;
export type InstanceInfo = Sent<"InstanceInfo">;
export type ProcessState = Sent<"ProcessState">;

type ListQuery = NonNullable<operations["list_traces"]["parameters"]["query"]>;
type Known<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** Query parameters of the trace list; the server's own filter, each condition optional. */
export type TraceFilter = Known<Omit<ListQuery, "cursor" | "limit">>;
