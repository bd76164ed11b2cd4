"""A durable job as a record. Without I/O."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Job(BaseModel):
    """`attempts` counts the processes that took it up; `lease_ms` is until when the last one's word
    holds. `cancel` asks the holder to stop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: str
    subject: str
    payload: dict[str, Any]
    state: JobState
    holder: str
    lease_ms: int
    attempts: int
    cancel: bool
    error: str
    created_ms: int
    updated_ms: int
