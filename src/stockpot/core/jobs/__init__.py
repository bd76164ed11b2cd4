"""Durable jobs: work that outlives the process that does it.

A job is a row with a lease. Whoever holds the lease renews it while working and keeps what is done
where the job says; when a process dies its lease runs out, and another takes the job up where the
kept part ends. Knows leases and handlers; knows no capability.
"""

from stockpot.core.jobs.models import Job, JobState
from stockpot.core.jobs.runner import Handler, JobRunner, Work
from stockpot.core.jobs.service import JobQueue

WANTED = "jobs.wanted"
"""The file in the instance's `run` that asks the supervisor for the process of jobs."""

__all__ = ["WANTED", "Handler", "Job", "JobQueue", "JobRunner", "JobState", "Work"]
