"""A program of its own: writes the rows of a Parquet file to standard output as lines of JSON.

    python parquet_lines.py FILE

The first line is {"columns": [...]}, or {"refused": column, "type": ...} and then nothing follows.
Polars may abort the whole process on a damaged file, so it never reads an upload inside Jurybox; see
`read_parquet.py`.
"""

import json
import resource
import sys

import polars

SLICE_ROWS = 2_000
MEMORY_BYTES = 4 << 30


def write_lines(path: str) -> None:
    """Writes columns and rows, slice by slice."""
    lazy = polars.scan_parquet(path)
    schema = lazy.collect_schema()
    count = lazy.select(polars.len()).collect().item()
    for name, kind in schema.items():
        if not fits(name, kind):
            _write({"refused": name, "type": str(kind)})
            return
    _write({"columns": schema.names()})
    for start in range(0, count, SLICE_ROWS):
        for values in lazy.slice(start, SLICE_ROWS).collect().iter_rows(named=True):
            _write(values)


def fits(name: str, kind: "polars.DataType | polars.datatypes.DataTypeClass") -> bool:
    """Whether JSON can say the type without loss; ids must be strings already."""
    if isinstance(kind, polars.List | polars.Array):
        return fits("", kind.inner)
    if isinstance(kind, polars.Struct):
        return all(fits("", field.dtype) for field in kind.fields)
    if kind.is_integer() or kind.is_float():
        return name != "id"
    return isinstance(kind, polars.String | polars.Boolean | polars.Null | polars.Categorical | polars.Enum)


def _write(values: dict[str, object]) -> None:
    sys.stdout.buffer.write(json.dumps(values, ensure_ascii=False).encode() + b"\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    write_lines(sys.argv[1])
