"""Backing an instance up, restoring it, and moving its control store to another database.

Knows the files of an instance and the tables as rows; knows no capability and what its rows mean.
"""

from stockpot.backup.models import Manifest
from stockpot.backup.rows import copy_store
from stockpot.backup.service import Restored, back_up, restore

__all__ = ["Manifest", "Restored", "back_up", "copy_store", "restore"]
