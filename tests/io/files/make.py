"""Write the small files of this folder, with the libraries that people write such files with.

    pip install pyarrow pandas safetensors ml_dtypes && python tests/io/files/make.py

They all hold the logits and labels below; tests/io/test_formats.py compares their numbers with those of an array.
"""

from pathlib import Path

import ml_dtypes
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
from safetensors.numpy import save_file

HERE = Path(__file__).parent
LOGITS = np.array([[0.5, 1.25, -2.0], [3.0, 0.25, 0.75], [-1.5, 0.0, 2.5], [0.125, 4.0, 1.0]])
LABELS = np.array([1, 0, 2, 1])
NAMES = ("ant", "bee", "cat")


def tables() -> None:
    """Arrow and Parquet: a column per class, lists, and lists of a fixed size."""
    wide = pa.table({**{name: LOGITS[:, i] for i, name in enumerate(NAMES)}})
    lists = pa.table({"logits": pa.array(LOGITS.tolist(), pa.list_(pa.float32())), "label": LABELS})
    fixed = pa.table({"logits": pa.array(LOGITS.tolist(), pa.list_(pa.float64(), 3)), "label": LABELS})
    large = pa.table({"logits": pa.array(LOGITS.tolist(), pa.large_list(pa.float64())), "label": LABELS})
    tensors = pa.table(
        {"logits": pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(LOGITS)), "label": LABELS}
    )
    for name, table in {"wide": wide, "lists": lists, "fixed": fixed, "large": large, "tensors": tensors}.items():
        with pa.OSFile(str(HERE / f"{name}.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
        with (
            pa.OSFile(str(HERE / f"{name}_stream.arrow"), "wb") as file,
            pa.ipc.new_stream(file, table.schema) as writer,
        ):
            writer.write_table(table, max_chunksize=3)
        parquet.write_table(table, HERE / f"{name}.parquet", row_group_size=3)
        for compression in ("lz4", "zstd"):
            feather.write_feather(table, HERE / f"{name}_{compression}.feather", compression=compression)
    pd.DataFrame(LOGITS, columns=list(NAMES)).to_feather(HERE / "pandas.feather")
    words = pa.table({"label": pa.array([NAMES[i] for i in LABELS]).dictionary_encode(), "logits": LOGITS.tolist()})
    feather.write_feather(words, HERE / "words.feather")


def tensors() -> None:
    """safetensors of several dtypes, and an array of bfloat16."""
    save_file(
        {
            "f64": LOGITS,
            "f32": LOGITS.astype(np.float32),
            "f16": LOGITS.astype(np.float16),
            "bf16": LOGITS.astype(ml_dtypes.bfloat16),
            "labels": LABELS,
            "hits": np.eye(3, dtype=bool)[LABELS],
            "bytes": LABELS.astype(np.uint8),
        },
        HERE / "several.safetensors",
        metadata={"format": "pt"},
    )
    save_file({"logits": LOGITS.astype(ml_dtypes.bfloat16)}, HERE / "one.safetensors")
    np.save(HERE / "bfloat16.npy", LOGITS.astype(ml_dtypes.bfloat16))


if __name__ == "__main__":
    tables()
    tensors()
