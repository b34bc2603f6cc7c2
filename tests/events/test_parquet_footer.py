"""The footer of a Parquet file tells which columns are in codes; one that is none tells nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haidang.events.parquet_footer import columns_in_codes

if TYPE_CHECKING:
    from pathlib import Path

pyarrow = pytest.importorskip("pyarrow", reason="the extra [parquet] is not installed")


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_tells_the_columns_of_which_a_dictionary_holds_everything(tmp_path: Path, version: str) -> None:
    import pyarrow.parquet as pq

    table = pyarrow.table(
        {
            "few": ["a", "b"] * 500,
            "many": [f"{at:08}" for at in range(1000)],
            "apart": ["x"] * 1000,
            "in": [{"side": "a", "none": None}] * 1000,
            "truth": [True] * 1000,
        },
        schema=pyarrow.schema(
            [
                ("few", pyarrow.string()),
                ("many", pyarrow.string()),
                ("apart", pyarrow.string()),
                ("in", pyarrow.struct([("side", pyarrow.string()), ("none", pyarrow.string())])),
                ("truth", pyarrow.bool_()),
            ]
        ),
    )
    path = tmp_path / "x.parquet"
    pq.write_table(
        table,
        path,
        row_group_size=500,
        use_dictionary=["few", "many", "in.side", "in.none"],
        # The dictionary of many different values is given up before all rows are written.
        dictionary_pagesize_limit=1000,
        data_page_version=version,
        write_batch_size=100,
    )
    found = columns_in_codes(str(path))
    assert len(found) == 2
    for columns in found:
        assert columns & {"few", "many", "apart", "in.side", "truth"} == {"few", "in.side"}


@settings(suppress_health_check=list(HealthCheck), max_examples=200)
@given(data=st.data())
def test_bent_footers_are_survived(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    import pyarrow.parquet as pq

    path = tmp_path_factory.mktemp("bent") / "x.parquet"
    pq.write_table(pyarrow.table({"a": ["x", "y"], "b": [1, 2]}), path)
    bent = bytearray(path.read_bytes())
    size = int.from_bytes(bent[-8:-4], "little")
    for _ in range(data.draw(st.integers(1, 8))):
        bent[data.draw(st.integers(len(bent) - size - 8, len(bent) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bent)
    assert len(columns_in_codes(str(path))) <= len(bent)


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"\xff" * 40, b"\x49\xff" * 20 + (40).to_bytes(4, "little") + b"PAR1"]
)
def test_what_is_no_footer_tells_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    assert not any(columns_in_codes(str(tmp_path / "x")))
