"""Write the files of tests/data/real_files that tools from PyPI write, and note the tools' versions.

    pip install pandas polars pyarrow duckdb scikit-learn datasets lightgbm xgboost safetensors
    python tests/data/make_real_files.py [TOOL...]

Without a TOOL all are run. The numbers are those of tests/support/real_data.py. The files of other tools (R, Spark,
Excel, CatBoost) are written by hand, and README.md says from where their format is known.
"""

import csv
import json
import pickle
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
from real_data import CLASSES, IDS, LABELS, LOGITS, MEASURED, NAMES, OUTCOMES, OUTPUTS, PREDICTED, SCORES

HERE = Path(__file__).parent / "real_files"
VERSIONS = HERE / "versions.json"


def of_pandas(to: Path) -> None:
    import pandas as pd

    logits = pd.DataFrame(LOGITS, columns=list(CLASSES))
    labels = pd.DataFrame({"label": NAMES})
    both = logits.assign(label=NAMES)
    keyed, keyed_labels = logits.set_axis(IDS, axis=0), labels.set_axis(IDS, axis=0)
    predicted, measured = pd.DataFrame(PREDICTED, columns=OUTPUTS), pd.DataFrame(MEASURED, columns=OUTPUTS)

    logits.to_csv(to / "logits_index.csv")
    labels.to_csv(to / "labels_index.csv")
    logits.to_csv(to / "logits.csv", index=False)
    labels.to_csv(to / "labels.csv", index=False)
    keyed.to_csv(to / "logits_id.csv", index_label="id")
    keyed_labels[::-1].to_csv(to / "labels_id.csv", index_label="id")
    both.to_csv(to / "both.csv", index=False)
    both.to_csv(to / "both_index.csv")
    both.to_csv(to / "both_semicolon.csv", index=False, sep=";", decimal=",")
    both.to_csv(to / "both_quoted.csv", index=False, quoting=csv.QUOTE_ALL)
    both.to_csv(to / "both_nonnumeric.csv", index=False, quoting=csv.QUOTE_NONNUMERIC)
    both.to_csv(to / "both.csv.gz", index=False)
    both.to_csv(to / "both_bom.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")
    both.to_csv(to / "both_utf16.csv", index=False, encoding="utf-16")
    both.to_csv(to / "both_no_header.csv", index=False, header=False)
    both[["label", "eel", "cat", "dog"]].to_csv(to / "both_other_order.csv", index=False)
    logits.to_csv(to / "logits_numbered.csv", index=False, header=["0", "1", "2"])
    pd.DataFrame({"label": LABELS}).to_csv(to / "indices.csv", index=False)
    pd.DataFrame({"label": LABELS.astype(float)}).to_csv(to / "indices_float.csv", index=False)
    pd.DataFrame({"label": [*NAMES[:4], None]}).to_csv(to / "labels_missing.csv", index=False, na_rep="NA")
    scores = pd.DataFrame({"score": SCORES, "outcome": OUTCOMES})
    scores.to_csv(to / "scores.csv", index=False)
    scores.to_csv(to / "scores_index.csv")
    predicted.to_csv(to / "predicted_index.csv")
    measured.to_csv(to / "measured_index.csv")
    predicted.to_csv(to / "predicted.csv", index=False)
    measured.to_csv(to / "measured.csv", index=False)
    gap = measured.copy()
    gap.loc[2, "height"] = None
    gap.to_csv(to / "measured_gap.csv", index=False)
    gap.to_csv(to / "measured_na_rep.csv", index=False, na_rep="NA")
    gap.to_parquet(to / "measured_gap.parquet")

    both.to_parquet(to / "both.parquet")
    keyed.to_parquet(to / "logits_unnamed_index.parquet")
    keyed.rename_axis("id").to_parquet(to / "logits_id.parquet")
    keyed_labels[::-1].rename_axis("id").to_parquet(to / "labels_id.parquet")
    logits.set_axis([7, 3, 9, 1, 4], axis=0).to_parquet(to / "logits_number_index.parquet")
    both.assign(label=both.label.astype("category")).to_parquet(to / "both_categorical.parquet")
    labels_nullable = pd.DataFrame({"label": pd.array(LABELS, dtype="Int64")})
    labels_nullable.to_parquet(to / "indices_nullable.parquet")
    labels_nullable.loc[4, "label"] = pd.NA
    labels_nullable.to_parquet(to / "indices_missing.parquet")
    scores.to_parquet(to / "scores.parquet")
    scores.assign(outcome=scores.outcome.astype("boolean")).to_parquet(to / "scores_nullable.parquet")
    predicted.to_parquet(to / "predicted.parquet")
    measured.to_parquet(to / "measured.parquet")
    both.to_feather(to / "both.feather")
    predicted.to_feather(to / "predicted.feather")
    measured.to_feather(to / "measured.feather")
    scores.to_feather(to / "scores.feather")
    both.to_json(to / "both.jsonl", orient="records", lines=True)
    scores.to_json(to / "scores.jsonl", orient="records", lines=True)
    predicted.to_json(to / "predicted.jsonl", orient="records", lines=True)
    measured.to_json(to / "measured.jsonl", orient="records", lines=True)
    both.to_json(to / "both.json", orient="records")
    both.to_json(to / "both_columns.json")
    both.to_pickle(to / "both.pkl")
    np.save(to / "logits.npy", logits.values)
    np.save(to / "labels.npy", np.asarray(NAMES))
    np.save(to / "predicted.npy", predicted.values)
    np.save(to / "measured.npy", measured.values)
    np.save(to / "scores.npy", scores.score.values)
    np.save(to / "outcomes.npy", scores.outcome.values)
    np.save(to / "both_values.npy", both.values, allow_pickle=True)
    pd.DataFrame(LOGITS, columns=pd.MultiIndex.from_product([["logit"], CLASSES])).to_csv(
        to / "logits_two_headers.csv", index=False
    )


def of_polars(to: Path) -> None:
    import polars as pl

    both = pl.DataFrame(LOGITS, schema=list(CLASSES)).with_columns(label=pl.Series(NAMES))
    both.write_csv(to / "both.csv")
    both.write_csv(to / "both.tsv", separator="\t")
    both.with_columns(pl.col("label").cast(pl.Enum(CLASSES))).write_parquet(to / "both_enum.parquet")
    both.with_columns(pl.col("label").cast(pl.Categorical)).write_ipc(to / "both_categorical.arrow")
    both.write_ipc(to / "both.arrow", compression="zstd")
    both.write_ipc_stream(to / "both.arrows")
    both.write_ndjson(to / "both.ndjson")
    both.write_json(to / "both.json")
    lists = pl.DataFrame({"logits": LOGITS.tolist(), "label": LABELS})
    lists.write_parquet(to / "lists.parquet")
    lists.with_columns(pl.col("logits").cast(pl.Array(pl.Float32, 3))).write_parquet(to / "arrays.parquet")
    lists.write_ndjson(to / "lists.ndjson")
    lists.write_ipc(to / "lists.arrow")
    pl.DataFrame({"score": SCORES, "outcome": OUTCOMES}).write_csv(to / "scores.csv")
    pl.DataFrame({"label": [*NAMES[:4], None]}).write_csv(to / "labels_missing.csv")
    both.with_row_index().write_csv(to / "both_row_index.csv")


def of_pyarrow(to: Path) -> None:
    import pyarrow as pa
    from pyarrow import csv, feather, orc, parquet

    both = pa.table({**dict(zip(CLASSES, LOGITS.T, strict=True)), "label": list(NAMES)})
    csv.write_csv(both, to / "both.csv")
    parquet.write_table(both, to / "both.parquet", compression="zstd")
    feather.write_feather(both, str(to / "both.feather"))
    orc.write_table(both, to / "both.orc")
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(LOGITS.ravel(), pa.float32()), 3)
    parquet.write_table(pa.table({"logits": fixed, "label": LABELS}), to / "fixed.parquet")
    encoded = both.set_column(3, "label", both["label"].dictionary_encode())
    parquet.write_table(encoded, to / "dictionary.parquet")
    half = pa.table({name: pa.array(both[name].to_numpy().astype(np.float16)) for name in CLASSES})
    parquet.write_table(half.append_column("label", both["label"]), to / "float16.parquet")


def of_duckdb(to: Path) -> None:
    import duckdb

    rows = ", ".join(f"({', '.join(map(str, z))}, '{name}')" for z, name in zip(LOGITS.tolist(), NAMES, strict=True))
    duckdb.sql(f"CREATE TABLE both_ AS SELECT * FROM (VALUES {rows}) AS t (cat, dog, eel, label)")
    duckdb.sql("CREATE TABLE lists AS SELECT [cat, dog, eel]::DOUBLE[] AS logits, label FROM both_")
    outcomes = ", ".join(f"({z}, {bool(y)})" for z, y in zip(SCORES, OUTCOMES, strict=True))
    duckdb.sql(f"CREATE TABLE scores AS SELECT * FROM (VALUES {outcomes}) AS t (score, outcome)")
    for table, name in (("both_", "both.csv"), ("lists", "lists.csv"), ("scores", "scores.csv")):
        duckdb.sql(f"COPY {table} TO '{to / name}'")
    duckdb.sql(f"COPY both_ TO '{to / 'both_decimal.parquet'}' (FORMAT parquet)")
    duckdb.sql(f"COPY lists TO '{to / 'lists.parquet'}' (FORMAT parquet)")
    duckdb.sql(f"COPY both_ TO '{to / 'both.json'}' (FORMAT json)")
    duckdb.sql(f"COPY both_ TO '{to / 'by_label'}' (FORMAT csv, PARTITION_BY label)")


def of_sklearn(to: Path) -> None:
    import joblib
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(LOGITS, NAMES)
    model.coef_, model.intercept_ = np.eye(3), np.zeros(3)
    probabilities = model.predict_proba(LOGITS)
    np.savetxt(to / "proba.txt", probabilities)
    np.savetxt(to / "proba.csv", probabilities, delimiter=",")
    np.savetxt(to / "proba_header.csv", probabilities, delimiter=",", header=",".join(model.classes_))
    np.savetxt(to / "proba_plain_header.csv", probabilities, delimiter=",", header="cat,dog,eel", comments="")
    np.savetxt(to / "indices.txt", LABELS)
    np.savetxt(to / "labels.txt", np.asarray(NAMES), fmt="%s")
    np.save(to / "proba.npy", probabilities)
    joblib.dump(probabilities, to / "proba.joblib")
    (to / "proba.pkl").write_bytes(pickle.dumps(probabilities))


def of_datasets(to: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    features = datasets.Features(
        {"logits": datasets.Sequence(datasets.Value("float32")), "label": datasets.ClassLabel(names=list(CLASSES))}
    )
    data = datasets.Dataset.from_dict({"logits": LOGITS.tolist(), "label": LABELS.tolist()}, features=features)
    data.save_to_disk(to / "saved")
    datasets.DatasetDict({"test": data}).save_to_disk(to / "saved_splits")
    data.to_parquet(to / "data.parquet")
    data.to_json(to / "data.json")
    data.to_csv(to / "data.csv")


def of_lightgbm(to: Path) -> None:
    import ctypes

    import lightgbm as lgb

    rows = np.arange(5.0)[:, None]
    np.savetxt(to / "rows.tmp", np.column_stack([np.zeros(5), rows]), delimiter=",")
    how = {"min_data_in_leaf": 1, "min_data_in_bin": 1, "learning_rate": 1.0, "lambda_l2": 0.0, "verbose": -1}
    for name, wanted in (("logits", LOGITS), ("scores", SCORES[:, None])):
        fitted = wanted.astype(np.float32)

        def objective(z, data, fitted=fitted):
            return (z.reshape(fitted.shape) - fitted), np.ones_like(fitted)

        params = {**how, "num_class": wanted.shape[1], "objective": objective, "min_sum_hessian_in_leaf": 0}
        model = lgb.train(params, lgb.Dataset(rows, np.zeros(5)), num_boost_round=1)
        np.savetxt(to / f"{name}_savetxt.txt", model.predict(rows))
        lgb.basic._safe_call(  # what the command line calls for task=predict
            lgb.basic._LIB.LGBM_BoosterPredictForFile(
                model._handle,
                str(to / "rows.tmp").encode(),
                ctypes.c_int(0),
                ctypes.c_int(1),
                ctypes.c_int(0),
                ctypes.c_int(-1),
                b"",
                str(to / f"{name}_LightGBM_predict_result.txt").encode(),
            )
        )
    (to / "rows.tmp").unlink()


def of_xgboost(to: Path) -> None:
    import xgboost as xgb

    rows = np.zeros((5, 1))
    for objective, name, margin in (
        ("multi:softprob", "proba", LOGITS),
        ("binary:logistic", "scores_proba", SCORES),
    ):
        data = xgb.DMatrix(rows, label=LABELS if margin.ndim == 2 else OUTCOMES, base_margin=margin)
        params = {"objective": objective, **({"num_class": 3} if margin.ndim == 2 else {})}
        found = xgb.train(params, data, num_boost_round=0).predict(data)
        np.savetxt(to / f"{name}.txt", found)
        np.save(to / f"{name}.npy", found)
    np.savetxt(to / "proba_flat.txt", np.load(to / "proba.npy").ravel(), fmt="%.9g")  # as its old command line did


def of_numpy(to: Path) -> None:
    np.savez(to / "all.npz", logits=LOGITS, labels=LABELS)
    np.savez(to / "one.npz", LOGITS)
    np.savetxt(to / "logits_header.txt", LOGITS, header="cat dog eel")
    np.savetxt(to / "logits.csv", LOGITS, delimiter=",", fmt="%g")
    np.save(to / "labels.npy", LABELS)
    np.save(to / "labels_column.npy", LABELS[:, None])
    np.save(to / "labels_uint8.npy", LABELS.astype(np.uint8))
    np.save(to / "one_hot.npy", np.eye(3)[LABELS])
    np.save(to / "one_hot_bool.npy", np.eye(3, dtype=bool)[LABELS])
    np.save(to / "logits_fortran.npy", np.asfortranarray(LOGITS))
    np.save(to / "logits_big_endian.npy", LOGITS.astype(">f8"))
    np.save(to / "logits_float16.npy", LOGITS.astype(np.float16))
    np.save(to / "logits_batch_axis.npy", LOGITS[None])
    np.save(to / "logits_transposed.npy", LOGITS.T)
    np.save(to / "logits_object.npy", LOGITS.astype(object), allow_pickle=True)
    record = np.array(
        [(*z, y) for z, y in zip(LOGITS, LABELS, strict=True)], [*((c, "f8") for c in CLASSES), ("y", "i8")]
    )
    np.save(to / "logits_record.npy", record)
    LOGITS.tofile(to / "logits.bin")


def of_safetensors(to: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"logits": LOGITS.astype(np.float32), "labels": LABELS}, to / "all.safetensors")


def of_torch(to: Path) -> None:
    import torch

    torch.save({"logits": torch.tensor(LOGITS), "labels": torch.tensor(LABELS)}, to / "all.pt")
    torch.save(torch.tensor(LOGITS, dtype=torch.bfloat16), to / "logits_bfloat16.pt")


TOOLS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "pandas": ("pandas", of_pandas),
    "polars": ("polars", of_polars),
    "pyarrow": ("pyarrow", of_pyarrow),
    "duckdb": ("duckdb", of_duckdb),
    "sklearn": ("scikit-learn", of_sklearn),
    "datasets": ("datasets", of_datasets),
    "lightgbm": ("lightgbm", of_lightgbm),
    "xgboost": ("xgboost", of_xgboost),
    "numpy": ("numpy", of_numpy),
    "safetensors": ("safetensors", of_safetensors),
    "torch": ("torch", of_torch),
}

if __name__ == "__main__":
    versions = json.loads(VERSIONS.read_text()) if VERSIONS.exists() else {}
    for tool in sys.argv[1:] or TOOLS:
        package, write = TOOLS[tool]
        shutil.rmtree(HERE / tool, ignore_errors=True)
        (HERE / tool).mkdir(parents=True)
        write(HERE / tool)
        versions[package] = version(package)
    VERSIONS.write_text(json.dumps(versions, indent=1, sort_keys=True) + "\n")
