CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE minutes (
             minute INTEGER PRIMARY KEY,
             first_id INTEGER NOT NULL,
             last_id INTEGER NOT NULL,
             spans INTEGER NOT NULL
           );

CREATE TABLE payload_files (
             day INTEGER NOT NULL,
             retention TEXT NOT NULL,
             first_id INTEGER NOT NULL,
             last_id INTEGER NOT NULL,
             payloads INTEGER NOT NULL,
             raw_bytes INTEGER NOT NULL,
             PRIMARY KEY (day, retention)
           ) WITHOUT ROWID;

CREATE TABLE rolled (width INTEGER PRIMARY KEY, until INTEGER NOT NULL);

CREATE TABLE rollups (
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
             tpot BLOB NOT NULL, saved_nano INTEGER NOT NULL DEFAULT 0, cache_hits INTEGER NOT NULL DEFAULT 0,
             PRIMARY KEY (width, start, series)
           ) WITHOUT ROWID;

CREATE INDEX roots_by_key ON spans (key_id) WHERE is_root;

CREATE INDEX roots_by_project ON spans (project) WHERE is_root;

CREATE INDEX roots_not_ok ON spans (id) WHERE is_root AND status <> 'ok';

CREATE TABLE series (
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
           );

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
, usage_detail TEXT NOT NULL DEFAULT '', service_tier TEXT NOT NULL DEFAULT '', unit_prices TEXT NOT NULL DEFAULT '', price_source TEXT NOT NULL DEFAULT '', saved_nano INTEGER NOT NULL DEFAULT 0, cache TEXT NOT NULL DEFAULT '', degraded TEXT NOT NULL DEFAULT '', route_reason TEXT NOT NULL DEFAULT '', tools TEXT NOT NULL DEFAULT '', exposures TEXT NOT NULL DEFAULT '');

CREATE INDEX spans_by_agent ON spans (agent) WHERE agent <> '';

CREATE INDEX spans_by_dataset_run ON spans (dataset_run) WHERE dataset_run <> '';

CREATE INDEX spans_by_model ON spans (model);

CREATE INDEX spans_by_prompt_name ON spans (prompt_name) WHERE prompt_name <> '';

CREATE INDEX spans_by_session ON spans (session) WHERE session <> '';

CREATE INDEX spans_by_tool ON spans (tool) WHERE tool <> '';

CREATE INDEX spans_by_user ON spans (user) WHERE user <> '';

CREATE INDEX spans_exposed ON spans (project) WHERE exposures <> '';

CREATE UNIQUE INDEX spans_identity ON spans (trace_id, span_id, project);

CREATE INDEX spans_shadowed ON spans (route)
           WHERE route_reason = 'shadow' AND kind <> 'guardrail';

CREATE TABLE spool_offsets (
             stream TEXT NOT NULL,
             segment INTEGER NOT NULL,
             offset INTEGER NOT NULL,
             records INTEGER NOT NULL,
             updated_ns INTEGER NOT NULL,
             PRIMARY KEY (stream, segment)
           ) WITHOUT ROWID;

CREATE TABLE subjects (
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
           ) WITHOUT ROWID;

CREATE INDEX subjects_by_project ON subjects (kind, project, last_ns);

CREATE INDEX subjects_newest ON subjects (kind, last_ns);

CREATE TABLE units (
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
           ) WITHOUT ROWID;

CREATE TABLE upkeep (
             project TEXT NOT NULL,
             work TEXT NOT NULL,
             until_id INTEGER NOT NULL,
             PRIMARY KEY (project, work)
           ) WITHOUT ROWID;

