"""The tables of the span log on SQLite, and how each version of them came about.

Append to the migrations, never change one: `tests/migration/traces` holds every version's result.
The columns of `spans` are the fields of `store.NewSpan`, in the same order; those that no source
fills yet stay NULL or ''.
"""

from __future__ import annotations

from stockpot.traces.store.sqlite import Migration

_SPANS = """
CREATE TABLE spans (
  id INTEGER PRIMARY KEY,            -- given by the one writer; also the row of the payload
  trace_id BLOB NOT NULL,
  span_id BLOB NOT NULL,
  parent_id BLOB NOT NULL,           -- empty: none
  is_root INTEGER NOT NULL,
  project TEXT NOT NULL,
  environment TEXT NOT NULL,
  source TEXT NOT NULL,              -- gateway, and later sdk, otlp, playground, eval
  dialect TEXT NOT NULL,             -- of origin
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  status_code INTEGER NOT NULL,
  error TEXT NOT NULL,
  error_message TEXT NOT NULL,
  received_ns INTEGER NOT NULL,      -- clock of ingest; never falls with id
  at_ns INTEGER NOT NULL,            -- when it happened by a clock of ours; rollups and filters
  start_ns INTEGER NOT NULL,         -- as the source says
  duration_ns INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  route TEXT NOT NULL,               -- the model name that was asked for
  provider TEXT NOT NULL,
  target TEXT NOT NULL,
  model TEXT NOT NULL,               -- the model that the target names
  served_model TEXT NOT NULL,        -- the model that the answer names
  stream INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  ttft_ns INTEGER,
  tpot_ns INTEGER,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  usage_source TEXT NOT NULL,
  cost_nano INTEGER,                 -- NULL: no price is known
  cost_detail TEXT NOT NULL,         -- JSON array, parts in the order of prices.Cost
  cost_source TEXT NOT NULL,
  price_id TEXT NOT NULL,
  finish_reason TEXT NOT NULL,
  service TEXT NOT NULL,
  release TEXT NOT NULL,
  trace_name TEXT NOT NULL,
  user TEXT NOT NULL,
  session TEXT NOT NULL,
  tags TEXT NOT NULL,                -- JSON array or ''
  params TEXT NOT NULL,              -- JSON object or ''
  prompt_name TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  prompt_label TEXT NOT NULL,
  experiment TEXT NOT NULL,
  variant TEXT NOT NULL,
  dataset_run TEXT NOT NULL,
  dataset_item TEXT NOT NULL,
  agent TEXT NOT NULL,
  tool TEXT NOT NULL,
  input_preview TEXT NOT NULL,
  output_preview TEXT NOT NULL,
  client TEXT NOT NULL,
  response_id TEXT NOT NULL,
  stages TEXT NOT NULL,              -- JSON array of nanoseconds, in the order of gateway.STAGES
  request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL,
  payload INTEGER NOT NULL,          -- 0 none, 1 full, 2 masked, 3 shed
  payload_day INTEGER,               -- days since the epoch, by the clock of ingest
  retention TEXT NOT NULL,
  revision INTEGER NOT NULL,
  sample_weight REAL,                -- NULL: 1
  provenance BLOB NOT NULL
)"""

_SUBJECTS_SO_FAR = """
INSERT INTO subjects
SELECT '{kind}', project, environment, {name}, max(user), min(at_ns), max(at_ns + duration_ns),
  count(*), count(DISTINCT trace_id), sum(is_root), sum(status <> 'ok'), sum(input_tokens),
  sum(output_tokens), coalesce(sum(cost_nano), 0), sum(cost_nano IS NULL AND is_root)
FROM {table} WHERE {name} <> '' GROUP BY project, environment, {name}"""

# The first index is the trace index and the guard against doubles. The others serve the trace list:
# rows of equal value follow each other by id, so the newest fifty are read without sorting.
SPANS: tuple[Migration, ...] = (
    (
        _SPANS,
        "CREATE UNIQUE INDEX spans_identity ON spans (trace_id, span_id, project)",
        "CREATE INDEX roots_by_project ON spans (project) WHERE is_root",
        "CREATE INDEX roots_by_key ON spans (key_id) WHERE is_root",
        "CREATE INDEX roots_by_model ON spans (model) WHERE is_root",
        "CREATE INDEX roots_not_ok ON spans (id) WHERE is_root AND status <> 'ok'",
        "CREATE INDEX roots_by_user ON spans (user) WHERE is_root AND user <> ''",
        "CREATE INDEX roots_by_session ON spans (session) WHERE is_root AND session <> ''",
        # Where in the log a minute is: which ids happened in it.
        """CREATE TABLE minutes (
             minute INTEGER PRIMARY KEY,
             first_id INTEGER NOT NULL,
             last_id INTEGER NOT NULL,
             spans INTEGER NOT NULL
           )""",
        # What a rollup is about; each combination once.
        """CREATE TABLE series (
             id INTEGER PRIMARY KEY,
             is_root INTEGER NOT NULL,
             project TEXT NOT NULL,
             environment TEXT NOT NULL,
             kind TEXT NOT NULL,
             provider TEXT NOT NULL,
             model TEXT NOT NULL,
             key_id TEXT NOT NULL,
             route TEXT NOT NULL,
             prompt_name TEXT NOT NULL,
             prompt_version TEXT NOT NULL,
             experiment TEXT NOT NULL,
             variant TEXT NOT NULL,
             status TEXT NOT NULL,
             error TEXT NOT NULL,
             UNIQUE (is_root, project, environment, kind, provider, model, key_id, route,
                     prompt_name, prompt_version, experiment, variant, status, error)
           )""",
        # Sums and sketches of `width` seconds from `start` (Unix seconds) on.
        """CREATE TABLE rollups (
             width INTEGER NOT NULL,
             start INTEGER NOT NULL,
             series INTEGER NOT NULL,
             spans INTEGER NOT NULL,
             unpriced INTEGER NOT NULL,
             input_tokens INTEGER NOT NULL,
             output_tokens INTEGER NOT NULL,
             cache_read_tokens INTEGER NOT NULL,
             cache_write_tokens INTEGER NOT NULL,
             reasoning_tokens INTEGER NOT NULL,
             cost_nano INTEGER NOT NULL,
             latency BLOB NOT NULL,
             ttft BLOB NOT NULL,
             tpot BLOB NOT NULL,
             PRIMARY KEY (width, start, series)
           ) WITHOUT ROWID""",
        # Up to where each coarse width is complete (Unix seconds).
        "CREATE TABLE rolled (width INTEGER PRIMARY KEY, until INTEGER NOT NULL)",
        # How far each spool stream is committed.
        """CREATE TABLE spool_offsets (
             stream TEXT NOT NULL,
             segment INTEGER NOT NULL,
             offset INTEGER NOT NULL,
             records INTEGER NOT NULL,
             updated_ns INTEGER NOT NULL,
             PRIMARY KEY (stream, segment)
           ) WITHOUT ROWID""",
        # Which payload files there are and which ids they may hold.
        """CREATE TABLE payload_files (
             day INTEGER NOT NULL,
             retention TEXT NOT NULL,
             first_id INTEGER NOT NULL,
             last_id INTEGER NOT NULL,
             payloads INTEGER NOT NULL,
             raw_bytes INTEGER NOT NULL,
             PRIMARY KEY (day, retention)
           ) WITHOUT ROWID""",
        # Totals since the log began: spans_in, doubles.
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    ),
    (
        # JSON array in the order of prices.DETAIL or ''
        "ALTER TABLE spans ADD COLUMN usage_detail TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE spans ADD COLUMN service_tier TEXT NOT NULL DEFAULT ''",
        # JSON array of pico-dollars in the order of prices.BUCKETS or ''
        "ALTER TABLE spans ADD COLUMN unit_prices TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE spans ADD COLUMN price_source TEXT NOT NULL DEFAULT ''",
        # what caches saved; less than 0 where writing one cost more than it brought
        "ALTER TABLE spans ADD COLUMN saved_nano INTEGER NOT NULL DEFAULT 0",
        # of the gateway's own cache: hit, miss or ''
        "ALTER TABLE spans ADD COLUMN cache TEXT NOT NULL DEFAULT ''",
        # JSON array of fields that the target's format could not say, or ''
        "ALTER TABLE spans ADD COLUMN degraded TEXT NOT NULL DEFAULT ''",
        # why this target
        "ALTER TABLE spans ADD COLUMN route_reason TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE rollups ADD COLUMN saved_nano INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE rollups ADD COLUMN cache_hits INTEGER NOT NULL DEFAULT 0",
    ),
    (
        # A trace is also found by what happens inside it.
        "DROP INDEX roots_by_model",
        "CREATE INDEX spans_by_model ON spans (model)",
        "CREATE INDEX spans_by_prompt_name ON spans (prompt_name) WHERE prompt_name <> ''",
        "CREATE INDEX spans_by_agent ON spans (agent) WHERE agent <> ''",
        "CREATE INDEX spans_by_tool ON spans (tool) WHERE tool <> ''",
        "CREATE INDEX spans_by_dataset_run ON spans (dataset_run) WHERE dataset_run <> ''",
    ),
    (
        # A session or a user may stand on any span of a trace.
        "DROP INDEX roots_by_user",
        "DROP INDEX roots_by_session",
        "CREATE INDEX spans_by_user ON spans (user) WHERE user <> ''",
        "CREATE INDEX spans_by_session ON spans (session) WHERE session <> ''",
        # Sessions, users and tags with what belongs to them, summed as spans come in.
        """CREATE TABLE subjects (
             kind TEXT NOT NULL,
             project TEXT NOT NULL,
             environment TEXT NOT NULL,
             name TEXT NOT NULL,
             user TEXT NOT NULL,             -- of a session
             first_ns INTEGER NOT NULL,
             last_ns INTEGER NOT NULL,
             spans INTEGER NOT NULL,
             traces INTEGER NOT NULL,
             calls INTEGER NOT NULL,
             errors INTEGER NOT NULL,
             input_tokens INTEGER NOT NULL,
             output_tokens INTEGER NOT NULL,
             cost_nano INTEGER NOT NULL,
             unpriced INTEGER NOT NULL,
             PRIMARY KEY (kind, project, environment, name)
           ) WITHOUT ROWID""",
        "CREATE INDEX subjects_newest ON subjects (kind, last_ns)",
        "CREATE INDEX subjects_by_project ON subjects (kind, project, last_ns)",
        *(
            _SUBJECTS_SO_FAR.format(kind=kind, name=name, table=table)
            for kind, name, table in (
                ("session", "session", "spans"),
                ("user", "user", "spans"),
                ("tag", "t.value", "spans, json_each(CASE tags WHEN '' THEN '[]' ELSE tags END) t"),
            )
        ),
        # Names of the tools that a call could use, JSON array or ''
        "ALTER TABLE spans ADD COLUMN tools TEXT NOT NULL DEFAULT ''",
        # How far each project's upkeep has come: up to which span.
        """CREATE TABLE upkeep (
             project TEXT NOT NULL,
             work TEXT NOT NULL,
             until_id INTEGER NOT NULL,
             PRIMARY KEY (project, work)
           ) WITHOUT ROWID""",
    ),
    (
        # Experiments that a span is counted in: JSON array of [experiment, arm, unit] or ''
        "ALTER TABLE spans ADD COLUMN exposures TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX spans_exposed ON spans (project) WHERE exposures <> ''",
        # What each unit of an experiment did, by metric; a unit in two arms has rows of both.
        """CREATE TABLE units (
             project TEXT NOT NULL,
             experiment TEXT NOT NULL,
             metric TEXT NOT NULL,
             unit TEXT NOT NULL,
             variant TEXT NOT NULL,
             n INTEGER NOT NULL,           -- calls
             total REAL NOT NULL,
             squares REAL NOT NULL,
             first_ns INTEGER NOT NULL,    -- first exposure
             last_ns INTEGER NOT NULL,
             before REAL,                  -- the end user's mean before; NULL: none is known
             PRIMARY KEY (project, experiment, metric, unit, variant)
           ) WITHOUT ROWID""",
    ),
    (
        # Copies of calls that went to a candidate, by the name that was asked for.
        """CREATE INDEX spans_shadowed ON spans (route)
           WHERE route_reason = 'shadow' AND kind <> 'guardrail'""",
    ),
)

PAYLOADS: tuple[Migration, ...] = (
    (
        # body: zstd of MessagePack [request, response]; the frame names its dictionary.
        "CREATE TABLE payloads (id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
        "CREATE TABLE dictionaries (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
        # detail=none: half the CPU and a third of the bytes of a full index; phrases are
        # confirmed on the payload itself.
        """CREATE VIRTUAL TABLE texts USING fts5(
             text, content='', contentless_delete=1, detail=none,
             tokenize='unicode61 remove_diacritics 2')""",
        "INSERT INTO texts (texts, rank) VALUES ('automerge', 16)",
    ),
)
