"""The commands `stockpot backup`, `restore` and `migrate`."""

from __future__ import annotations

import asyncio

import click

from stockpot.core import config
from stockpot.core.db import open_control_store, open_database
from stockpot.core.errors import Conflict
from stockpot.core.instance import Instance
from stockpot.core.locks import holder
from stockpot.core.terminal import json_option, say, when


@click.command()
@click.argument("target", metavar="ARCHIVE")
@json_option
def backup(target: str, as_json: bool) -> None:
    """Write an archive of the whole instance, also while it serves.

    ARCHIVE is a file, or a place in an S3 store: s3://BUCKET/PREFIX. There the archive is kept by
    its digest, and its whole address, which restore takes, is printed.

    It holds every call that was answered before the command began, the control store, and the key
    that opens stored secrets: keep it like a password store. Model files are not in it.

    \b
    Example:
      stockpot backup /srv/backups/stockpot.tar.zst
      stockpot backup s3://backups/stockpot
    """
    from stockpot.backup.keeping import written
    from stockpot.backup.service import back_up

    settings = config.load()
    instance = Instance(settings.home)

    async def work() -> dict[str, object]:
        db = open_control_store(settings, instance)
        try:
            with written(target, settings.home) as place:
                manifest = await back_up(instance, db, place.file)
        finally:
            await db.close()
        return {
            "archive": place.address,
            "began_ms": manifest.began_ms,
            "seconds": (manifest.ended_ms - manifest.began_ms) / 1000,
            "files": len(manifest.files),
            "rows": sum(manifest.rows.values()),
            "bytes": place.bytes,
        }

    made = asyncio.run(work())
    text = (
        f"{made['archive']}: {made['bytes']} bytes in {made['seconds']:.1f} s;\n"
        f"it holds every call that was answered before {when(manifest_ms(made))}"
    )
    say(made, text, as_json=as_json)


def manifest_ms(made: dict[str, object]) -> float:
    """When the archive's recovery point is."""
    began = made["began_ms"]
    assert isinstance(began, int)
    return began


@click.command()
@click.argument("archive")
@json_option
def restore(archive: str, as_json: bool) -> None:
    """Unpack an archive to STOCKPOT_HOME, which must be empty, and to the control store.

    ARCHIVE is a file, or the address that backup printed.

    \b
    Example:
      STOCKPOT_HOME=/srv/stockpot stockpot restore /srv/backups/stockpot.tar.zst
      STOCKPOT_HOME=/srv/stockpot stockpot restore s3://backups/stockpot/8f43...
    """
    from stockpot.backup.keeping import found
    from stockpot.backup.service import restore as unpack

    settings = config.load()
    instance = Instance(settings.home)

    async def work() -> dict[str, object]:
        db = open_control_store(settings, instance)
        try:
            with found(archive) as file:
                done = await unpack(instance, db, file)
        finally:
            await db.close()
        return {
            "home": str(settings.home),
            "began_ms": done.manifest.began_ms,
            "seconds": round(done.seconds, 2),
            "rows": sum(done.manifest.rows.values()),
            "files": len(done.manifest.files),
        }

    done = asyncio.run(work())
    text = (
        f"restored to {done['home']} in {done['seconds']} s, as of {when(manifest_ms(done))}\n"
        "next: stockpot up, then stockpot traces verify"
    )
    say(done, text, as_json=as_json)


@click.command()
@click.option("--to", "url", required=True, help="postgresql://USER@HOST/DB or sqlite:////PATH")
@json_option
def migrate(url: str, as_json: bool) -> None:
    """Copy the control store to another database, which must be empty; ids stay.

    The instance must be stopped. Afterwards start it with STOCKPOT_DATABASE_URL set to the new
    database; the old one is left as it was.

    \b
    Example:
      stockpot migrate --to postgresql://stockpot@db.example/stockpot
    """
    from stockpot.backup.rows import copy_store

    settings = config.load()
    instance = Instance(settings.home)
    if holder(instance.run / "up.lock") is not None:
        raise Conflict("the instance is running", hint="stockpot down")

    async def work() -> dict[str, int]:
        source, target = open_control_store(settings, instance), open_database(url)
        try:
            return await copy_store(source, target)
        finally:
            await source.close()
            await target.close()

    rows = asyncio.run(work())
    text = (
        f"copied {sum(rows.values())} rows of {len(rows)} tables\n"
        "next: set STOCKPOT_DATABASE_URL to the new database, then stockpot up"
    )
    say({"rows": rows}, text, as_json=as_json)
