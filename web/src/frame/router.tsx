// Every page of the console and its address. A page is a lazy route; its search parameters are typed
// here, so that a link anywhere is checked by the compiler.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import { parseAnnotationSearch } from "../annotation/search";
import { ApiError, whenSignedOut } from "../api/client";
import { sessionQuery } from "../api/frame-queries";
import { parseAuditSearch } from "../audit/search";
import { parseCostSearch } from "../cost/search";
import { parseDatasetSearch } from "../datasets/search";
import { parseEvalSearch } from "../evals/search";
import { parseExperimentSearch } from "../experiments/search";
import { parseFeedbackSearch } from "../feedback/search";
import { parseGuardrailSearch } from "../guardrails/search";
import { parseJudgeSearch } from "../judges/search";
import { parseMonitorSearch } from "../monitors/search";
import { parsePeopleSearch } from "../people/search";
import { parseCheckSearch } from "../pipelines/search";
import { parsePlaygroundSearch } from "../playground/search";
import { parsePromptSearch, parsePromptsSearch } from "../prompts/search";
import { parseRequestSearch } from "../requests/search";
import { parseRevisionSearch } from "../revisions/search";
import { parseSizeSearch } from "../rightsize/search";
import { parseRouteSearch } from "../routes/search";
import { parseSessionSearch } from "../sessions/search";
import { parseDetailSearch, parseTraceSearch } from "../traces/search";
import { queryClient } from "./client";
import { Crash, NotFound, Pending, part } from "./fallbacks";
import { Frame } from "./frame";
import {
  flag,
  parseScope,
  parseSearch,
  type Raw,
  SCOPE_KEYS,
  stringifySearch,
  text,
} from "./search";

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    title?: string;
    /** Which of the scope's selectors mean something on this page. */
    scope?: readonly ("project" | "environment" | "window")[];
  }
}

const root = createRootRoute({
  notFoundComponent: () => (
    <main>
      <NotFound />
    </main>
  ),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (raw: Raw): { next?: string } => ({ next: text(raw.next, 2_000) }),
  component: lazyRouteComponent(
    part(() => import("../sign-in/sign-in-page")),
    "SignInPage",
  ),
});

const frame = createRoute({
  getParentRoute: () => root,
  id: "frame",
  validateSearch: parseScope,
  search: { middlewares: [retainSearchParams([...SCOPE_KEYS])] },
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        throw redirect({ to: "/sign-in", search: { next: location.href }, replace: true });
      }
      throw error;
    }
  },
  component: Frame,
  notFoundComponent: NotFound,
});

const home = createRoute({
  getParentRoute: () => frame,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/overview", replace: true });
  },
});

const overview = createRoute({
  getParentRoute: () => frame,
  path: "/overview",
  staticData: { title: "Overview", scope: ["project", "environment", "window"] },
  component: lazyRouteComponent(
    part(() => import("../overview/overview-page")),
    "OverviewPage",
  ),
});

const traces = createRoute({
  getParentRoute: () => frame,
  path: "/traces",
  validateSearch: parseTraceSearch,
  staticData: { title: "Traces", scope: ["project", "environment", "window"] },
  component: lazyRouteComponent(
    part(() => import("../traces/traces-page")),
    "TracesPage",
  ),
});

const trace = createRoute({
  getParentRoute: () => traces,
  path: "/$traceId",
  validateSearch: parseDetailSearch,
  search: { middlewares: [retainSearchParams(["tab", "wide"])] },
  component: lazyRouteComponent(
    part(() => import("../traces/trace-pane")),
    "TracePane",
  ),
});

const playground = createRoute({
  getParentRoute: () => frame,
  path: "/playground",
  validateSearch: parsePlaygroundSearch,
  staticData: { title: "Playground", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../playground/playground-page")),
    "PlaygroundPage",
  ),
});

const readiness = createRoute({
  getParentRoute: () => frame,
  path: "/readiness",
  staticData: { title: "Readiness", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../readiness/readiness-page")),
    "ReadinessPage",
  ),
});

const pipelines = createRoute({
  getParentRoute: () => frame,
  path: "/pipelines",
  validateSearch: parseCheckSearch,
  staticData: { title: "Pipelines", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../pipelines/pipelines-page")),
    "PipelinesPage",
  ),
});

const prompts = createRoute({
  getParentRoute: () => frame,
  path: "/prompts",
  validateSearch: parsePromptsSearch,
  staticData: { title: "Prompts", scope: ["project", "window"] },
  component: lazyRouteComponent(
    part(() => import("../prompts/prompts-page")),
    "PromptsPage",
  ),
});

const prompt = createRoute({
  getParentRoute: () => prompts,
  path: "/$prompt",
  validateSearch: parsePromptSearch,
  search: { middlewares: [retainSearchParams(["prompt_part"])] },
  component: lazyRouteComponent(
    part(() => import("../prompts/prompt-pane")),
    "PromptPane",
  ),
});

const models = createRoute({
  getParentRoute: () => frame,
  path: "/models",
  staticData: { title: "Models", scope: [] },
  component: lazyRouteComponent(
    part(() => import("../models/models-page")),
    "ModelsPage",
  ),
});

const routes = createRoute({
  getParentRoute: () => frame,
  path: "/routes",
  validateSearch: parseRouteSearch,
  staticData: { title: "Routes", scope: ["project", "environment", "window"] },
  component: lazyRouteComponent(
    part(() => import("../routes/routes-page")),
    "RoutesPage",
  ),
});

const providers = createRoute({
  getParentRoute: () => frame,
  path: "/providers",
  validateSearch: (raw: Raw): { connect?: string; change?: string; find?: string } => ({
    connect: raw.connect === undefined ? undefined : (text(raw.connect) ?? ""),
    change: text(raw.change),
    find: text(raw.find, 100),
  }),
  staticData: { title: "Providers", scope: [] },
  component: lazyRouteComponent(
    part(() => import("../providers/providers-page")),
    "ProvidersPage",
  ),
});

const revisions = createRoute({
  getParentRoute: () => frame,
  path: "/revisions",
  validateSearch: parseRevisionSearch,
  staticData: { title: "Revisions", scope: [] },
  component: lazyRouteComponent(
    part(() => import("../revisions/revisions-page")),
    "RevisionsPage",
  ),
});

const keys = createRoute({
  getParentRoute: () => frame,
  path: "/keys",
  validateSearch: (raw: Raw): { create?: true; key?: string } => ({
    create: flag(raw.create),
    key: text(raw.key),
  }),
  staticData: { title: "Keys", scope: ["project", "environment"] },
  component: lazyRouteComponent(
    part(() => import("../keys/keys-page")),
    "KeysPage",
  ),
});

const cost = createRoute({
  getParentRoute: () => frame,
  path: "/cost",
  validateSearch: parseCostSearch,
  staticData: { title: "Cost", scope: ["project", "environment", "window"] },
  component: lazyRouteComponent(
    part(() => import("../cost/cost-page")),
    "CostPage",
  ),
});

const evals = createRoute({
  getParentRoute: () => frame,
  path: "/evals",
  validateSearch: parseEvalSearch,
  staticData: { title: "Evaluations", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../evals/evals-page")),
    "EvalsPage",
  ),
});

const experiments = createRoute({
  getParentRoute: () => frame,
  path: "/experiments",
  validateSearch: parseExperimentSearch,
  staticData: { title: "Experiments", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../experiments/experiments-page")),
    "ExperimentsPage",
  ),
});

const guardrails = createRoute({
  getParentRoute: () => frame,
  path: "/guardrails",
  validateSearch: parseGuardrailSearch,
  staticData: { title: "Guardrails", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../guardrails/guardrails-page")),
    "GuardrailsPage",
  ),
});

const rightsize = createRoute({
  getParentRoute: () => frame,
  path: "/rightsize",
  validateSearch: parseSizeSearch,
  staticData: { title: "Right-sizing", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../rightsize/rightsize-page")),
    "RightsizePage",
  ),
});

const judges = createRoute({
  getParentRoute: () => frame,
  path: "/judges",
  validateSearch: parseJudgeSearch,
  staticData: { title: "Judges", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../judges/judges-page")),
    "JudgesPage",
  ),
});

const monitors = createRoute({
  getParentRoute: () => frame,
  path: "/monitors",
  validateSearch: parseMonitorSearch,
  staticData: { title: "Monitors", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../monitors/monitors-page")),
    "MonitorsPage",
  ),
});

const sessions = createRoute({
  getParentRoute: () => frame,
  path: "/sessions",
  validateSearch: parseSessionSearch,
  staticData: { title: "Sessions", scope: ["project", "environment", "window"] },
  component: lazyRouteComponent(
    part(() => import("../sessions/sessions-page")),
    "SessionsPage",
  ),
});

const feedback = createRoute({
  getParentRoute: () => frame,
  path: "/feedback",
  validateSearch: parseFeedbackSearch,
  staticData: { title: "Feedback", scope: ["project", "window"] },
  component: lazyRouteComponent(
    part(() => import("../feedback/feedback-page")),
    "FeedbackPage",
  ),
});

const datasets = createRoute({
  getParentRoute: () => frame,
  path: "/datasets",
  validateSearch: parseDatasetSearch,
  staticData: { title: "Data sets", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../datasets/datasets-page")),
    "DatasetsPage",
  ),
});

const annotation = createRoute({
  getParentRoute: () => frame,
  path: "/annotation",
  validateSearch: parseAnnotationSearch,
  staticData: { title: "Annotation", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../annotation/annotation-page")),
    "AnnotationPage",
  ),
});

const requests = createRoute({
  getParentRoute: () => frame,
  path: "/requests",
  validateSearch: parseRequestSearch,
  staticData: { title: "Access requests", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../requests/requests-page")),
    "RequestsPage",
  ),
});

const people = createRoute({
  getParentRoute: () => frame,
  path: "/people",
  validateSearch: parsePeopleSearch,
  staticData: { title: "People and tokens", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../people/people-page")),
    "PeoplePage",
  ),
});

const audit = createRoute({
  getParentRoute: () => frame,
  path: "/audit",
  validateSearch: parseAuditSearch,
  staticData: { title: "Audit log", scope: ["project"] },
  component: lazyRouteComponent(
    part(() => import("../audit/audit-page")),
    "AuditPage",
  ),
});

const settings = createRoute({
  getParentRoute: () => frame,
  path: "/settings",
  validateSearch: (raw: Raw): { find?: string; price?: string } => ({
    find: text(raw.find, 60),
    price: raw.price === undefined ? undefined : (text(raw.price, 300) ?? ""),
  }),
  staticData: { title: "Settings", scope: [] },
  component: lazyRouteComponent(
    part(() => import("../settings/settings-page")),
    "SettingsPage",
  ),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    frame.addChildren([
      home,
      overview,
      traces.addChildren([trace]),
      sessions,
      playground,
      prompts.addChildren([prompt]),
      models,
      routes,
      providers,
      revisions,
      keys,
      cost,
      experiments,
      guardrails,
      rightsize,
      pipelines,
      judges,
      monitors,
      readiness,
      evals,
      feedback,
      datasets,
      annotation,
      requests,
      people,
      audit,
      settings,
    ]),
  ]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: Crash,
  defaultPendingComponent: Pending,
  defaultPendingMs: 150,
  scrollRestoration: false,
});

whenSignedOut(() => {
  queryClient.removeQueries({ queryKey: sessionQuery.queryKey });
  const { href, pathname } = router.state.location;
  if (pathname !== "/sign-in")
    router.navigate({ to: "/sign-in", search: { next: href }, replace: true });
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
