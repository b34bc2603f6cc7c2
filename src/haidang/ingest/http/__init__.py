"""Events over HTTP, in the protocols of ordinary shippers; see :mod:`haidang.ingest.http.app`."""

__all__: list[str] = []
