"""What every capability stands on: ids, errors, settings, files of an instance, ports to stores.

Its public fronts are its submodules; this package itself imports none of them, so that the data
plane can use `core.ids` without loading a database driver.
"""
