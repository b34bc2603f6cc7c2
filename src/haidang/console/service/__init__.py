"""The service: receivers, detection and console, run together by ``haidang serve`` or apart.

- ``configuration``: what is listened for and read, from one TOML file and from options.
- ``book``: the sources of the database, answered from memory.
- ``web``: one application for the receivers over HTTP and the console.
- ``receiving`` and ``detecting``: the two processes; ``running`` starts them and keeps them running.
"""
